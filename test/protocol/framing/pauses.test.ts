import { describe, expect, test } from 'vitest';
import { hexText } from '../../../src/protocol/describe.ts';
import type { FramingDeclaration } from '../../../src/protocol/framing/declaration.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { bytesOf, decoderOf } from './collecting-sink.ts';

const FRAMINGS: readonly FramingDeclaration[] = [
  { type: 'sync', sync: bytesOf('c3'), length: 'u8', maxFrame: 32 },
  {
    type: 'sync',
    sync: bytesOf('c33c'),
    length: 'u16le',
    maxFrame: 32,
    checksum: { algorithm: 'crc-16/xmodem' },
  },
  { type: 'length', length: 'u8', maxFrame: 32, checksum: { algorithm: 'crc-16/modbus' } },
  { type: 'fixed', length: 7, sync: bytesOf('c3') },
  { type: 'fixed', length: 7, checksum: { algorithm: 'crc-16/modbus' } },
  { type: 'fixed', length: 7, sync: bytesOf('c3'), trailer: bytesOf('3c') },
];

const PAYLOAD = { sync: '41420143', length: '41420143', fixed: '' } as const;

describe.each(FRAMINGS)('a silence within a frame: %o', (framing) => {
  const { encode, maxPayload } = makeFraming(framing);
  const payload =
    framing.type === 'fixed'
      ? new Uint8Array(maxPayload).fill(0x51)
      : bytesOf(PAYLOAD[framing.type as 'sync']);
  const frame = encode(payload);
  const [hex] = decoderOf(framing).feed(frame, 'idle').frames;

  test('costs nothing, at whatever byte', () => {
    for (let cut = 1; cut < frame.length; cut++) {
      const { events } = decoderOf(framing).feed(
        frame,
        'idle',
        frame.slice(0, cut),
        'idle',
        frame.slice(cut),
        frame,
      );
      expect(events).toEqual([hex, hex, hex]);
    }
  });

  test('that ends it leaves the next frame as it is, and delivers it at once', () => {
    for (let cut = 1; cut < frame.length; cut++) {
      const { sink, feed, decoder } = decoderOf(framing);
      feed(frame.slice(0, cut), 'idle');
      expect(decoder.pending).toBe(0);
      feed(frame);
      expect(sink.events).toEqual([`discarded ${cut} truncated`, hex]);
    }
  });

  test('does not keep what came out of step, nor what a second silence follows', () => {
    for (let cut = 1; cut < frame.length; cut++) {
      const { events } = decoderOf(framing).feed(frame.slice(0, cut), 'idle', 'idle', frame);
      expect(events).toEqual([`discarded ${cut} truncated`, hex]);
    }
  });

  test('and the end of the link report the half frame', () => {
    const { decoder, sink } = decoderOf(framing);
    decoder.push(frame.slice(0, 3));
    decoder.idle();
    decoder.close();
    expect(sink.events).toEqual(['discarded 3 truncated']);
    expect(hexText(sink.discards[0]?.sample ?? new Uint8Array(0))).toBe(hexText(frame, 0, 3));
  });
});
