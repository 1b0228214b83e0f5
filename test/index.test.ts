import { describe, expect, it } from 'vitest';
import * as heartwire from '../src/index.ts';
import { readProjectFile } from './support/project-files.ts';
import { scanSource } from './support/source-text.ts';

describe('the public names', () => {
  it('are these, and a change of the list is a change for every user', () => {
    expect(Object.keys(heartwire).sort()).toEqual(
      [
        'Bridge',
        'CHECKSUM_NAMES',
        'ConfigReader',
        'DeclaredProtocol',
        'ERROR_CODES',
        'HeartwireError',
        'LineDecoder',
        'NameResolver',
        'StreamDecoder',
        'builtinProtocol',
        'bytesOf',
        'bytesValue',
        'createLog',
        'decodePayload',
        'encodeFrame',
        'findChecksum',
        'formatProblem',
        'loadConfig',
        'loadMessages',
        'makeFraming',
        'readConfig',
        'readMessages',
        'systemClock',
      ].sort(),
    );
  });

  it('are all that their file holds', () => {
    const { code } = scanSource(readProjectFile('src/index.ts'));
    const rest = code.replace(/export (?:type )?\{[^}]*\} from "§\d+";/g, '');
    expect(rest.trim()).toBe('');
  });
});

describe('the library', () => {
  const { builtinProtocol, decodePayload, encodeFrame, LineDecoder, StreamDecoder } = heartwire;

  it.each([
    ['a stream', StreamDecoder],
    ['a serial line', LineDecoder],
  ])('takes a message from frame to frame over %s', (_, Decoder) => {
    const register: heartwire.Message = {
      name: 'register',
      kind: 'request',
      fields: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' },
    };
    const protocol = builtinProtocol();
    const decoded: unknown[] = [];
    const decoder = new Decoder(protocol, {
      frame: (bytes, start, end) => void decoded.push(decodePayload(protocol, bytes, start, end)),
      discarded: (report) => void decoded.push(report),
      fault: (report) => void decoded.push(report),
    });
    const frame = encodeFrame(register);
    decoder.push(frame.slice(0, 20));
    decoder.push(frame.slice(20));
    decoder.close();
    expect(decoded).toEqual([register]);
  });

  it('frames payloads and finds them again', () => {
    const framing = heartwire.makeFraming({ type: 'slip', checksum: { algorithm: 'crc-32' } });
    const payloads: number[][] = [];
    const decoder = framing.makeDecoder(
      {
        frame: (bytes, start, end) => void payloads.push([...bytes.subarray(start, end)]),
        discarded: (report) => expect.unreachable(report.reason),
        fault: (report) => expect.unreachable(report.reason),
      },
      { line: 'serial' },
    );
    decoder.push(framing.encode(Uint8Array.of(0xc0, 1)));
    expect(payloads).toEqual([[0xc0, 1]]);
    expect(heartwire.findChecksum('crc-32')?.bytes).toBe(4);
  });

  it('decodes and encodes declared messages', () => {
    const text = 'messages: [{ name: hello, id: 5, fields: [{ name: data, type: bytes, length: u8 }] }]';
    const { protocol, problems } = heartwire.loadMessages(text, 'messages.yaml');
    expect(problems).toEqual([]);
    const data = heartwire.bytesValue(Uint8Array.of(1, 2));
    const payload = protocol?.encode('hello', { data });
    expect(payload).toEqual(Uint8Array.of(5, 2, 1, 2));
    const message = protocol?.decode(payload ?? new Uint8Array(0));
    expect(message).toMatchObject({ name: 'declared', message: 'hello', fields: { data } });
    expect(heartwire.bytesOf(data)).toEqual(Uint8Array.of(1, 2));
  });

  it('checks a configuration', () => {
    const { config, problems } = heartwire.loadConfig('devices: [{ id: 1 }]', 'devices.yaml');
    expect(config?.devices ?? []).toEqual([]);
    expect(problems.map(heartwire.formatProblem).join('\n')).toMatch(/^devices\.yaml:1:\d+/);
  });

  it('runs a bridge', async () => {
    const { config } = heartwire.loadConfig(
      'server: { port: 0 }\nlisteners: [{ link: tcp-listen:127.0.0.1:0 }]',
      'devices.yaml',
    );
    if (config === undefined) throw new Error('the configuration was refused');
    const lines: string[] = [];
    const log = heartwire.createLog({ pretty: false, write: (line) => void lines.push(line) });
    const { Bridge, systemClock: clock } = heartwire;
    await using bridge = new Bridge({ config, clock, log, version: '1.2.3' });
    const { url, listeners } = await bridge.start();
    expect(listeners).toHaveLength(1);
    const answer = await fetch(new URL('/healthz', url));
    expect(await answer.json()).toMatchObject({ status: 'ok', version: '1.2.3' });
    expect(lines.filter((line) => /"level":(?:40|50)/.test(line))).toEqual([]);
  });
});
