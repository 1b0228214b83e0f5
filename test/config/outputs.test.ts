import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';

const BASE = 'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]\noutputs:\n';
const load = (text: string) => loadConfig(`${BASE}  - ${text}\n`, 'bench/devices.yaml');
const problems = (text: string) => load(text).problems.map(formatProblem);

describe('the key outputs', () => {
  it('names files from the folder of the configuration, and quiet hours in minutes', () => {
    expect(load('influx: { url: "http://x:1", bucket: b, token_file: t }').config?.outputs).toEqual([
      {
        kind: 'influx',
        url: 'http://x:1',
        bucket: 'b',
        tokenFile: 'bench/t',
        batchMs: 1_000,
        bufferBytes: 16 * 1024 * 1024,
        diskBytes: 256 * 1024 * 1024,
      },
    ]);
    expect(load('webhook: { url: "http://x", quiet: "22:30-07:00" }').config?.outputs).toMatchObject([
      { quiet: [22 * 60 + 30, 7 * 60], on: ['offline', 'online', 'alarm'], forMs: 10_000 },
    ]);
  });

  it.each([
    ['{}', 'This output is of no kind'],
    [
      '{ influx: { url: "http://x", bucket: b }, webhook: { url: "http://x" } }',
      'This output is of several kinds.',
    ],
    ['mqtt: { url: "http://x" }', 'An address that begins with http:// cannot be used here'],
    ['mqtt: { url: "mqtt://u:p@x" }', 'A password in an address is shown to people'],
    ['mqtt: { url: "mqtt://x", prefix: "a/#" }', 'This cannot begin a topic'],
    ['influx: { url: "x", bucket: b }', 'This is no address'],
    ['influx: { url: "http://x" }', 'A bucket is missing'],
    ['webhook: { url: "http://x", quiet: "22-7" }', 'This is no part of a day'],
    ['webhook: { url: "http://x", on: [off] }', 'This is none of the possible values'],
    ['webhook: { url: "http://x", for: 3 }', 'A duration carries its unit'],
    ['kafka: {}', 'kafka'],
  ])('of %s says what is wrong and what to write', (text, problem) => {
    const [first = '', ...more] = problems(text);
    expect(more).toEqual([]);
    expect(first).toContain(problem);
    expect(first).toMatch(/^bench\/devices\.yaml:3:\d+: error/);
  });

  it('refuses one folder of two outputs', () => {
    const influx = (dir: string) => `influx: { url: "http://x", bucket: b, buffer_dir: ${dir} }`;
    const [problem = ''] = problems(`${influx('w')}\n  - ${influx('./w')}`);
    expect(problem).toContain('Two outputs keep what waits in bench/w');
    expect(problems(`${influx('w')}\n  - ${influx('v')}`)).toEqual([]);
  });

  it('that is wrong keeps the other outputs', () => {
    const { config } = loadConfig(
      `${BASE}  - webhook: { url: "http://x" }\n  - mqtt: { url: 3 }\n`,
      'devices.yaml',
    );
    expect(config?.outputs?.map(({ kind }) => kind)).toEqual(['webhook']);
  });

  it.each([
    (secret: string) => `mqtt: { url: "mqtt://user:${secret}@broker:1883", prefix: 1 }`,
    (secret: string) => `mqtt: { url: "mqtt://user:${secret}@broker:1883", prefix: "x y" }`,
    // Nearer to the end than what is shown of a long text.
    (secret: string) => `influx: { url: "http://${'u'.repeat(40)}:${secret}@${'h'.repeat(80)}" }`,
    (secret: string) => `influx: { url: "user:${secret}@host", bucket: b }`,
    (secret: string) => `webhook: { url: "ftp://chat/robot/${secret}" }`,
    (secret: string) => `webhook: { url: "ftp://chat?key=${secret}" }`,
    (secret: string) => `mqtt: { url: "mqtt://x", password: "${secret}" }`,
    (secret: string) => `mqtt: { url: "mqtt://x", password_file: ["${secret}"] }`,
  ])('never repeats a secret that stands where it does not belong (%#)', (entry) => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9@:/?#!. ]{0,20}Zq9x[A-Za-z0-9@:!.]{0,20}$/), (secret) => {
        const found = load(entry(secret)).problems;
        expect(found.length).toBeGreaterThan(0);
        expect(JSON.stringify(found)).not.toContain('Zq9x');
        expect(found.map(formatProblem).join()).not.toContain('Zq9x');
      }),
    );
  });
});
