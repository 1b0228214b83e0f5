import { describe, expect, test } from 'vitest';
import type { FramingDeclaration } from '../../src/protocol/framing/declaration.ts';
import { makeFraming } from '../../src/protocol/framing/make-framing.ts';
import { TelnetWatch } from '../../src/protocol/telnet-watch.ts';
import { bytesOf } from './framing/collecting-sink.ts';

const checksum = { algorithm: 'crc-16/modbus', order: 'little' } as const;
const FRAMINGS: readonly FramingDeclaration[] = [
  { type: 'length', length: 'u8', maxFrame: 60, checksum },
  { type: 'sync', sync: bytesOf('aa55'), length: 'u8', maxFrame: 60, checksum },
  { type: 'fixed', length: 8, checksum },
  { type: 'slip', maxFrame: 60, checksum },
  { type: 'cobs', maxFrame: 60, checksum },
  { type: 'delimiter', delimiter: bytesOf('0d0a'), maxFrame: 60, checksum },
  { type: 'gap', maxFrame: 60, checksum },
];

/** What telnet makes of data. */
const doubled = (bytes: Uint8Array) =>
  Uint8Array.from([...bytes].flatMap((byte) => (byte === 0xff ? [byte, byte] : [byte])));

/** A watch over a line of this framing, and what it says of chunks between two silences. */
function watching(framing: FramingDeclaration) {
  const made = makeFraming(framing);
  const watch = new TelnetWatch((sink) => made.makeDecoder(sink, { line: 'serial' }));
  const remarks: string[] = [];
  const decoder = made.makeDecoder(
    {
      frame() {},
      discarded: ({ sample }) => void remarks.push(watch.discarded(sample)?.detail ?? ''),
      fault() {},
    },
    { line: 'serial' },
  );
  const feed = (bytes: Uint8Array) => {
    remarks.push(watch.received(bytes)?.detail ?? '');
    decoder.push(bytes);
    decoder.idle();
  };
  return { feed, encode: made.encode, said: () => remarks.filter((text) => text !== '') };
}

describe.each(FRAMINGS)('a serial server in telnet mode: $type', (framing) => {
  test('is recognised by its negotiation, once', () => {
    const { feed, said } = watching(framing);
    feed(bytesOf('fffd03 fffb01'));
    feed(bytesOf('fffd00'));
    expect(said()).toHaveLength(1);
    expect(said()[0]).toMatch(
      /^a telnet negotiation: IAC DO 3; set the port of the serial server to raw TCP/,
    );
  });

  test('is recognised by doubled ff bytes, once', () => {
    const { feed, encode, said } = watching(framing);
    for (let value = 0; value < 4; value++) {
      feed(doubled(encode(Uint8Array.of(1, 2, 3, value, 0x20, 0x21))));
      feed(doubled(encode(Uint8Array.of(1, 0xff, 3, value, 0xff, 4))));
    }
    expect(said()).toHaveLength(1);
    expect(said()[0]).toMatch(/^telnet, which doubles every ff byte; set the port/);
  });

  test('is not suspected where ff bytes belong to the frames', () => {
    const { feed, encode, said } = watching(framing);
    feed(encode(bytesOf('fffb03 fffb01')));
    for (let value = 0; value < 4; value++) {
      feed(encode(Uint8Array.of(0xff, 0xff, 3, value, 0xff, 0xff)));
      feed(Uint8Array.from([...encode(Uint8Array.of(1, 2, 3, value, 0xff, 0xff)), 0xff, 0xff]));
    }
    feed(bytesOf('fffffffffe'));
    expect(said().filter((text) => !/negotiation/.test(text))).toEqual([]);
  });
});

test('a single negotiation counts where it is all that comes', () => {
  const { feed, said } = watching({ type: 'delimiter', delimiter: bytesOf('0a') });
  feed(bytesOf('fffd2c'));
  expect(said()[0]).toContain('IAC DO 44 (RFC 2217 serial port control)');
});

test('text that begins like one is none', () => {
  const { feed, said } = watching({ type: 'delimiter', delimiter: bytesOf('0a'), first: 'take' });
  feed(bytesOf('fffd01 41420a'));
  feed(bytesOf('41420a'));
  expect(said()).toEqual([]);
});
