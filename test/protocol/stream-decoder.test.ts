import { describe, expect, test } from 'vitest';
import { builtinProtocol } from '../../src/protocol/builtin.ts';
import { encodeFrame } from '../../src/protocol/codec.ts';
import type { FrameSink } from '../../src/protocol/decoder.ts';
import { ProtocolDefinition } from '../../src/protocol/definition.ts';
import { hexText } from '../../src/protocol/describe.ts';
import { recogniseForeignProtocol } from '../../src/protocol/foreign-protocol.ts';
import { StreamDecoder } from '../../src/protocol/stream-decoder.ts';
import { declaredProtocol } from '../support/declared.ts';
import { fromHex } from './fixtures.ts';
import { RecordingSink } from './recording-sink.ts';

const definition = builtinProtocol();
const HEARTBEAT = '0000000101';
const ascii = (text: string) => new TextEncoder().encode(text);

function recording() {
  const sink = new RecordingSink(definition);
  return { sink, decoder: new StreamDecoder(definition, sink) };
}

describe('a fault says what was expected and what was seen', () => {
  test.each<readonly [string, Uint8Array, object]>([
    [
      'length 0',
      fromHex('0000000001'),
      { reason: 'zero_length', length: 0, expected: 'a length of 1 to 1048576 bytes' },
    ],
    [
      'one beyond the bound',
      fromHex('00100001'),
      { reason: 'too_long', length: 1_048_577, seen: expect.stringContaining('00100001') },
    ],
    ['the greatest length', fromHex('ffffffff'), { reason: 'too_long', length: 4_294_967_295 }],
    [
      'a register of 51 bytes',
      fromHex('0000003300'),
      { reason: 'impossible_length', length: 51, expected: '2 or 52 bytes for register' },
    ],
    [
      'a known id with a long length',
      fromHex('0000012c01'),
      { reason: 'impossible_length', length: 300, expected: '1 or 2 bytes for heartbeat' },
    ],
    [
      'a browser',
      ascii('GET / HTTP/1.1\r\nHost: a\r\n'),
      { reason: 'intruder', seen: 'an HTTP request: GET / HTTP/1.1' },
    ],
    [
      'a web server',
      ascii('HTTP/1.1 400 Bad\r\n'),
      { reason: 'intruder', seen: 'an HTTP response: HTTP/1.1 400 Bad' },
    ],
    ['HTTP/2', ascii('PRI * HTTP/2.0\r\n'), { reason: 'intruder', seen: 'an HTTP request: PRI * HTTP/2.0' }],
    ['TLS', fromHex('160301020001fc'), { reason: 'intruder', seen: 'a TLS handshake' }],
    ['SSH', ascii('SSH-2.0-OpenSSH_9\r\n'), { reason: 'intruder', seen: 'an SSH peer: SSH-2.0-OpenSSH_9' }],
    ['telnet', fromHex('fffd18'), { reason: 'intruder', seen: 'a telnet negotiation: IAC DO 24' }],
    [
      'RFC 2217',
      fromHex('fffb2c'),
      { reason: 'intruder', seen: 'a telnet negotiation: IAC WILL 44 (RFC 2217 serial port control)' },
    ],
  ])('%s', (_, bytes, report) => {
    const { sink, decoder } = recording();
    decoder.push(bytes);
    decoder.push(fromHex(HEARTBEAT));
    decoder.close();
    expect(sink.faults).toEqual([expect.objectContaining(report)]);
    expect(sink.events).toHaveLength(1);
    expect(decoder.pending).toBe(0);
  });

  test('as soon as the bytes can tell, and not before', () => {
    for (const [hex, before] of [
      ['00000000', 3],
      ['00100001', 3],
      ['0000003300', 4],
      ['fffd18', 2],
      ['47455420', 3],
    ] as const) {
      const { sink, decoder } = recording();
      const bytes = fromHex(hex);
      decoder.push(bytes.subarray(0, before));
      expect(sink.faults, hex).toHaveLength(0);
      decoder.push(bytes.subarray(before));
      expect(sink.faults, hex).toHaveLength(1);
    }
  });

  test('a plausible header is no foreignProtocol', () => {
    expect(recogniseForeignProtocol(fromHex('0000000101'), 0, 5)).toBeUndefined();
    expect(recogniseForeignProtocol(ascii('GE'), 0, 2)).toBeUndefined();
  });
});

describe('large chunks', () => {
  const unknown = encodeFrame({
    name: 'unknown',
    kind: 'unknown',
    id: 0x10,
    payload: new Uint8Array(5000).fill(0x10),
  });
  const bytes = Buffer.concat([fromHex(HEARTBEAT), unknown, fromHex(HEARTBEAT), unknown, unknown]);

  test.each([1025, 2048, 5006, 10_000, 20_000])('of %d bytes give the same frames', (size) => {
    const { sink, decoder } = recording();
    for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
    expect(sink.events.map((event) => event.slice(0, 20))).toEqual([
      'heartbeat request',
      'unknown 16 101010101',
      'heartbeat request',
      'unknown 16 101010101',
      'unknown 16 101010101',
    ]);
    expect(decoder.pending).toBe(0);
  });

  test('whole frames in them are not copied', () => {
    const seen: Uint8Array[] = [];
    const decoder = new StreamDecoder(definition, {
      frame: (frameBytes) => void seen.push(frameBytes),
      discarded: () => {},
      fault: () => {},
    });
    decoder.push(bytes);
    expect(seen.length).toBe(5);
    expect(seen.every((each) => each === bytes)).toBe(true);
  });
});

test('the bound can be raised while frames arrive', () => {
  const { sink, decoder } = recording();
  const bound = (bytes: number) => new ProtocolDefinition(definition.messages, bytes);
  decoder.define(bound(60));
  const long = encodeFrame({
    name: 'unknown',
    kind: 'unknown',
    id: 0x10,
    payload: new Uint8Array(61).fill(0x10),
  });
  decoder.define(bound(61));
  decoder.push(long);
  decoder.define(bound(60));
  decoder.push(long);
  expect(sink.events.map((event) => event.split(' ')[0])).toEqual(['unknown', 'fault']);
});

describe('other messages from the next frame on', () => {
  // The same id: one byte in the one, three in the other.
  const short = declaredProtocol([{ name: 'short', id: 0x10, fields: [] }]).definition();
  const long = declaredProtocol([
    { name: 'long', id: 0x10, fields: [{ name: 'value', type: 'u16' }] },
  ]).definition();
  const bytes = fromHex('0000000110' + '00000003100001' + '00000003100002');

  test.each(Array.from({ length: bytes.length + 1 }, (_, at) => at))('cut at %d', (cut) => {
    const frames: string[] = [];
    const decoder = new StreamDecoder(short, {
      frame(chunk, start, end) {
        frames.push(hexText(chunk.subarray(start, end)));
        decoder.define(long);
      },
      discarded: () => undefined,
      fault: ({ seen }) => void frames.push(`fault ${seen}`),
    });
    decoder.push(bytes.subarray(0, cut));
    decoder.push(bytes.subarray(cut));
    expect(frames).toEqual(['10', '100001', '100002']);
  });

  test('a half frame that is held already is read as one of them', () => {
    const strict = new ProtocolDefinition(short.messages.map((each) => ({ ...each, anyLength: false })));
    const frames: string[] = [];
    const decoder = new StreamDecoder(new ProtocolDefinition([], 100), {
      frame: (chunk, start, end) => void frames.push(hexText(chunk.subarray(start, end))),
      discarded: () => undefined,
      fault: ({ expected }) => void frames.push(`fault: ${expected}`),
    });
    decoder.push(fromHex('0000000310'));
    decoder.define(long);
    decoder.push(fromHex('0001 00000003 10'));
    decoder.define(strict);
    decoder.push(fromHex('0002'));
    expect(frames).toEqual(['100001', 'fault: 1 byte for short']);
  });
});

test('a claimed length takes no memory: only what arrived is held', () => {
  const { decoder } = recording();
  decoder.push(fromHex('0010000010'));
  expect(decoder.pending).toBe(5);
});

describe('the sink', () => {
  function closingIn(event: keyof FrameSink, bytes: Uint8Array): string[] {
    const events: string[] = [];
    const on = (name: keyof FrameSink) => () => {
      events.push(name);
      if (name === event) decoder.close();
    };
    const sink: FrameSink = { frame: on('frame'), discarded: on('discarded'), fault: on('fault') };
    const decoder = new StreamDecoder(definition, sink);
    decoder.push(bytes);
    decoder.push(bytes);
    decoder.close();
    return events;
  }

  test('may close the decoder, and hears nothing more', () => {
    expect(closingIn('frame', fromHex(`${HEARTBEAT}${HEARTBEAT}0000`))).toEqual(['frame']);
    expect(closingIn('fault', fromHex('0000000001'))).toEqual(['fault']);
  });

  test('must not push', () => {
    let thrown: unknown;
    const sink: FrameSink = {
      frame: () => {
        try {
          decoder.push(fromHex(HEARTBEAT));
        } catch (error) {
          thrown = error;
        }
      },
      discarded: () => {},
      fault: () => {},
    };
    const decoder = new StreamDecoder(definition, sink);
    decoder.push(fromHex(HEARTBEAT));
    expect(thrown).toMatchObject({ code: 'decoder_reentered' });
  });

  test('that throws ends the decoder', () => {
    let calls = 0;
    const decoder = new StreamDecoder(definition, {
      frame: () => {
        calls++;
        throw new Error('sink');
      },
      discarded: () => {},
      fault: () => {},
    });
    expect(() => decoder.push(fromHex(HEARTBEAT))).toThrow('sink');
    decoder.push(fromHex(HEARTBEAT));
    expect(calls).toBe(1);
  });
});
