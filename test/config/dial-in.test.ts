import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { MessageFile } from '../../src/config/message-files.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { formatProblem } from '../../src/config/problem.ts';

const PLAIN = 'messages: [{ name: telemetry, id: 0x10, from: device, fields: [{ name: t, type: u8 }] }]';
const OTHER = PLAIN.replace('u8', 'u32');
const SLIP = `protocol: { framing: { type: slip } }
messages:
  - { name: read, from: host, reply: { fields: [{ name: power, type: u16 }] }, fields: [{ name: unit, type: u8 }] }`;

const files: ReadonlyMap<string, MessageFile> = new Map(
  Object.entries({ 'plain.yaml': PLAIN, 'other.yaml': OTHER, 'slip.yaml': SLIP }).map(([name, text]) => [
    name,
    loadMessages(text, name),
  ]),
);

function read(text: string) {
  const { config, problems } = loadConfig(text, 'devices.yaml', files);
  return { config, lines: problems.map(formatProblem) };
}

const LISTENER = 'listeners: [{ link: "tcp-listen:127.0.0.1:9089" }]';
const named = (protocol: { messages: readonly { name: string }[] } | undefined) =>
  protocol?.messages.map(({ name }) => name);

describe('messages of a device that dials in', () => {
  it('are its own, else those of the top; a listener has its own, too', () => {
    const { config, lines } = read(
      `messages: plain.yaml
devices:
  - { id: a, match: { imei: "490154203237518" }, messages: other.yaml }
  - { id: b, match: { imei: "869858030720693" } }
listeners:
  - { link: "tcp-listen:127.0.0.1:9089", messages: other.yaml }
  - { link: "tcp-listen:127.0.0.1:9090" }`,
    );
    expect(lines).toEqual([]);
    const [plain, other] = ['plain.yaml', 'other.yaml'].map((name) => files.get(name)?.protocol);
    expect(config?.devices.map(({ messages }) => messages)).toEqual([other, plain]);
    expect(config?.listeners.map(({ messages }) => messages)).toEqual([other, plain]);
  });

  it.each([
    ['a device', `devices: [{ id: a, match: { from: 10.0.0.7 }, messages: slip.yaml }]\n${LISTENER}`],
    ['a listener', 'listeners: [{ link: "tcp-listen:127.0.0.1:9089", messages: slip.yaml }]'],
  ])('that come in other frames than the register are an error: %s', (_, text) => {
    const { lines } = read(text);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('error: ');
    expect(lines[0]).toContain('Add `session: none`');
  });

  it('that stand at the top are passed over by those who cannot speak them, which is said once', () => {
    const { config, lines } = read(
      `messages: slip.yaml\ndevices: [{ id: a, match: { from: 10.0.0.7 } }, { id: b, match: { from: 10.0.0.8 } }]\n${LISTENER}`,
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('warning: ');
    expect(config?.devices.map(({ messages }) => messages)).toEqual([undefined, undefined]);
  });
});

describe('session: none of a device that dials in', () => {
  it('is known by its address, and speaks any framing', () => {
    const { config, lines } = read(
      `devices:
  - id: meter
    match: { from: 10.0.0.7 }
    session: none
    messages: slip.yaml
    line: serial
    gap: 80ms
    silence: 1m
    poll: [{ message: read, every: 1s, fields: { unit: 1 } }]
${LISTENER}`,
    );
    expect(lines).toEqual([]);
    const [device] = config?.devices ?? [];
    expect(device).toMatchObject({
      kind: 'matched',
      match: { from: ['10.0.0.7'] },
      line: 'serial',
      gapMs: 80,
      session: { bare: { silenceMs: 60_000, polls: [{ message: 'read', everyMs: 1_000 }] } },
    });
    expect(named(device?.messages)).toEqual(['read']);
  });

  it('may be the life of all who dial in at a listener', () => {
    const { config, lines } = read(
      'listeners: [{ link: "tcp-listen:0.0.0.0:502", session: none, anonymous: by-address, messages: slip.yaml }]',
    );
    expect(lines).toEqual([]);
    const [listener] = config?.listeners ?? [];
    expect(listener?.session.bare).toEqual({ silenceMs: 10_000, polls: [], turnaroundMs: 10 });
    expect(named(listener?.messages)).toEqual(['read']);
  });

  it.each([
    ['{ imei: "490154203237518" }', 'config_conflict', 'devices[0].match.imei', 'it shows no imei'],
    [
      '{ appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, from: 10.0.0.7 }',
      'config_conflict',
      'devices[0].match.appid',
      'it shows no appid',
    ],
    ['{}', 'config_missing_key', 'devices[0].match', 'Add `from:`'],
  ])('cannot be matched by %s', (match, code, path, said) => {
    const { problems } = loadConfig(
      `devices: [{ id: a, match: ${match}, session: none, messages: slip.yaml }]\n${LISTENER}`,
      'devices.yaml',
      files,
    );
    expect(problems).toMatchObject([{ severity: 'error', code, path }]);
    expect(problems.map(formatProblem).join()).toContain(said);
  });

  it.each([
    ['session: none', 'error', 'config_missing_key', 'listeners[0].anonymous'],
    ['session: none, anonymous: refuse', 'error', 'config_conflict', 'listeners[0].anonymous'],
    [
      'session: none, anonymous: by-address, unknown: refuse',
      'warning',
      'config_no_effect',
      'listeners[0].unknown',
    ],
    ['line: serial', 'warning', 'config_no_effect', 'listeners[0].line'],
    ['silence: 5s', 'warning', 'config_no_effect', 'listeners[0].silence'],
  ])('of a listener: %s', (keys, severity, code, path) => {
    const { problems } = loadConfig(
      `listeners: [{ link: "tcp-listen:127.0.0.1:9089", ${keys} }]`,
      'devices.yaml',
      files,
    );
    expect(problems).toMatchObject([{ severity, code, path }]);
  });

  it.each([
    ['{ imei: "490154203237518" }', []],
    ['{ imei: "490154203237518", from: 10.0.0.0/24 }', ['warning config_overlap']],
    ['{ from: 10.0.0.0/24 }', ['error config_overlap']],
    ['{ from: 10.0.1.0/24 }', []],
  ])('stands beside a device that registers, matched by %s', (match, found) => {
    const { problems } = loadConfig(
      `devices: [{ id: a, match: ${match} }, { id: b, match: { from: 10.0.0.7 }, session: none }]\n${LISTENER}`,
      'devices.yaml',
    );
    expect(problems.map(({ severity, code }) => `${severity} ${code}`)).toEqual(found);
  });

  it('is checked for what is polled', () => {
    const { lines } = read(
      `devices: [{ id: a, match: { from: 10.0.0.7 }, session: none, messages: slip.yaml, poll: [{ message: reed, every: 1s }] }]\n${LISTENER}`,
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('There is no message reed');
  });
});
