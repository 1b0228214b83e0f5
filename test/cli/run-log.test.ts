import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { main } from '../../src/cli/main.ts';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { createLog } from '../../src/system/log.ts';
import { RecordedIo } from '../support/recorded-io.ts';

const REGISTER = { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' };

interface Line {
  readonly level: number;
  readonly time: number;
  readonly msg: string;
  readonly code?: string;
  readonly device?: string;
  readonly address?: string;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-log-'));
  await writeFile(
    join(folder, 'devices.yaml'),
    `server: { port: 0 }
devices:
  - { id: gone, link: "tcp:127.0.0.1:1", register: { appid: ${REGISTER.appid}, imei: "${REGISTER.imei}" } }
  - { id: psu-1, match: { imei: "${REGISTER.imei}" } }
listeners:
  - link: tcp-listen:127.0.0.1:0
`,
  );
});
afterAll(() => rm(folder, { recursive: true }));

describe('in a pipe, why run does not start', () => {
  it.each([
    ['a configuration that is wrong', 'devices: [', [], 2, 'config_syntax'],
    ['one that is not there', undefined, ['nowhere.yaml'], 2, 'config_unreadable'],
    ['an address that cannot be', 'server: { port: 0, host: 203.0.113.7 }', ['--host', '203.0.113.7'], 1, ''],
    ['a folder that is none', 'devices: []', ['--record', 'x.yaml'], 2, 'recording_failed'],
  ])('is told in JSON lines: %s', async (_, text, args, exit, code) => {
    await writeFile(join(folder, 'x.yaml'), `${text ?? ''}\naccess: { insecure: true }\n`);
    const io = new RecordedIo(folder);
    const file = text === undefined ? [] : ['x.yaml'];
    expect(await main(['run', ...file, '--no-watch', ...args], io)).toBe(exit);
    const lines = io.logged.trimEnd().split('\n');
    const codes = lines.map((line) => (JSON.parse(line) as Line).code ?? 'none');
    expect(codes).toEqual(codes.map(() => expect.stringMatching(/^[a-z_]+$/)));
    expect(codes.join(' ')).toContain(code);
    expect(io.printed).toBe('');
  });
});

describe('the log of run', () => {
  it('is one JSON object a line in a pipe, each with a code, and the device where it is about one', async () => {
    const io = new RecordedIo(folder);
    const code = main(['run', '--no-watch'], io);
    await expect.poll(() => io.printed).toMatch(/dial in at/);
    const url = /at (http:\S+)/.exec(io.printed)?.[1] ?? '';
    const device = connect(Number(/dial in at 127\.0\.0\.1:(\d+)/.exec(io.printed)?.[1]), '127.0.0.1');
    await once(device, 'connect');
    device.write(encodeFrame({ name: 'register', kind: 'request', fields: REGISTER }));
    await once(device, 'data');
    device.write('GET / HTTP/1.1\r\n\r\n');
    device.on('error', () => undefined);
    const subscriber = new WebSocket(`${url.replace('http', 'ws')}/ws/bench`);
    const [welcome] = await once(subscriber, 'message');
    const { session } = JSON.parse(String(welcome)).payload;
    subscriber.send(JSON.stringify({ type: 'auth', token: 'a-token-that-nobody-shall-read' }));
    subscriber.send(Uint8Array.of(1));
    await once(subscriber, 'close');
    await fetch(`${url}/api/devices?token=a-token-that-nobody-shall-read`);
    const lines = () =>
      io.logged
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Line);
    const about = (wanted: string) => () =>
      lines()
        .filter(({ device: of }) => of === wanted)
        .map((line) => line.code);
    await expect.poll(about('gone')).toContain('connect_refused');
    await expect.poll(about('psu-1')).toEqual(['online', 'bad_frame']);
    await expect.poll(() => lines().map((line) => line.code)).toContain('unsupported_data');
    for (const line of lines()) {
      expect(line).toMatchObject({
        level: expect.any(Number),
        time: expect.any(Number),
        msg: expect.stringMatching(/\S/),
        code: expect.stringMatching(/^[a-z_]+$/),
      });
      // About a device, or about whoever is at an address.
      expect(line.device ?? line.address).toBeDefined();
    }
    expect(session.length).toBeGreaterThan(20);
    expect(io.logged).not.toContain(session);
    expect(io.logged).not.toContain('nobody-shall-read');
    io.signal('SIGTERM');
    expect(await code).toBe(0);
  });
});

describe('a line of the log', () => {
  const written = (pretty: boolean) => {
    const lines: string[] = [];
    const log = createLog({ pretty, write: (line) => void lines.push(line) });
    log.warn({ device: 'psu-1', code: 'silent' }, 'no valid frame');
    return lines.join('');
  };

  it('is for people on a terminal: the device first, the code last, in colour', () => {
    expect(written(true)).toMatch(/psu-1: no valid frame \[silent\]/);
    expect(written(true)).toContain('\u001b[');
  });

  it('is for programs elsewhere', () => {
    expect(JSON.parse(written(false))).toMatchObject({ device: 'psu-1', code: 'silent', level: 40 });
  });
});
