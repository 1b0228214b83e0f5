import { describe, expect, it } from 'vitest';
import { locateFrame, surroundings } from '../../src/inspection/frame-parts.ts';
import { hexText } from '../../src/protocol/describe.ts';
import { makeFraming } from '../../src/protocol/framing/make-framing.ts';
import { catalogue } from '../protocol/framing/catalogue.ts';
import { bytesOf } from '../protocol/framing/collecting-sink.ts';

describe.each(catalogue)('a payload in a frame of $name', ({ framing, frames }) => {
  it.each(frames)('%s has a place for each byte', (payloadText, wireText) => {
    const payload = bytesOf(payloadText);
    const wire = bytesOf(wireText);
    const { starts } = locateFrame(wire, payload, framing) ?? { starts: [] };
    expect(starts).toHaveLength(payload.length + 1);
    const ordered = starts.every((start, index) => index === 0 || start > (starts[index - 1] ?? 0));
    expect([ordered, (starts.at(-1) ?? 0) <= wire.length]).toEqual([true, true]);
  });

  it.each(frames)(
    '%s has names for all that surrounds it, and nothing lies twice',
    (payloadText, wireText) => {
      const payload = bytesOf(payloadText);
      const wire = bytesOf(wireText);
      const place = locateFrame(wire, payload, framing) ?? { starts: [], parts: [] };
      const { starts } = place;
      const parts = surroundings(place, wire);
      const covered = new Uint8Array(wire.length);
      for (const { start, end } of parts)
        for (let at = start; at < end; at++) covered[at] = (covered[at] ?? 0) + 1;
      const from = starts[0] ?? 0;
      const to = starts.at(-1) ?? 0;
      for (let at = from; at < to; at++) covered[at] = (covered[at] ?? 0) + 1;
      expect(hexText(covered)).toBe('01'.repeat(wire.length));
    },
  );

  it.each(frames)('%s is where a changed byte shows on the wire', (payloadText) => {
    const payload = bytesOf(payloadText);
    const made = makeFraming(framing);
    const encoded = (bytes: Uint8Array): Uint8Array | undefined => {
      try {
        return made.encode(bytes);
      } catch {
        return undefined;
      }
    };
    const wire = encoded(payload);
    if (wire === undefined) return;
    const { starts } = locateFrame(wire, payload, framing) ?? { starts: [] };
    for (let index = 0; index < payload.length; index++) {
      const changed = Uint8Array.from(payload);
      changed[index] = (changed[index] ?? 0) ^ 1;
      const other = encoded(changed);
      // Other lengths come of escapes: the places behind them moved. A zero is the structure of COBS.
      if (other === undefined || other.length !== wire.length) continue;
      if (framing.type === 'cobs' && (payload[index] === 0 || changed[index] === 0)) continue;
      const differing = Array.from(wire, (byte, at) => (byte === other[at] ? -1 : at)).filter(
        (at) => at >= (starts[0] ?? 0) && at < (starts.at(-1) ?? 0),
      );
      const elsewhere = differing.filter((at) => at < (starts[index] ?? 0) || at >= (starts[index + 1] ?? 0));
      expect([index, elsewhere]).toEqual([index, []]);
    }
  });
});

describe('places that need a look', () => {
  it('are found behind prompts and rests of line ends', () => {
    const framing = { type: 'delimiter', delimiter: bytesOf('0d') } as const;
    expect(locateFrame(bytesOf('"\n> 12" 0d'), bytesOf('"12"'), framing)?.starts).toEqual([3, 4, 5]);
  });

  it('cover both bytes of an escape', () => {
    const framing = { type: 'slip' } as const;
    expect(locateFrame(bytesOf('c0 01 db dc 02 c0'), bytesOf('01 c0 02'), framing)?.starts).toEqual([
      1, 2, 4, 5,
    ]);
  });

  it('cover two digits of a byte in hex', () => {
    const framing = {
      type: 'delimiter',
      delimiter: bytesOf('0d0a'),
      start: bytesOf('3a'),
      encoding: 'hex',
    } as const;
    expect(locateFrame(bytesOf('":1103" 0d0a'), bytesOf('11 03'), framing)?.starts).toEqual([1, 3, 5]);
  });

  it('are the code byte for a zero of COBS', () => {
    const framing = { type: 'cobs' } as const;
    expect(locateFrame(bytesOf('02 11 02 22 00'), bytesOf('11 00 22'), framing)?.starts).toEqual([
      1, 2, 3, 4,
    ]);
  });

  it('are none where the payload is not in the frame', () => {
    const framing = { type: 'delimiter', delimiter: bytesOf('0d') } as const;
    expect(locateFrame(bytesOf('"ab" 0d'), bytesOf('"xy"'), framing)).toBeUndefined();
  });

  it('are looked for in linear time in a frame that nearly fits everywhere', () => {
    const wire = new Uint8Array(200_000).fill(0x61);
    const payload = Uint8Array.from([...new Uint8Array(100_000).fill(0x61), 0x62]);
    const framing = { type: 'delimiter', delimiter: bytesOf('0d') } as const;
    expect(locateFrame(wire, payload, framing)).toBeUndefined();
  });
});
