import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadMessages } from '../../src/config/index.ts';
import { type Guess, guess, messagesText, receive } from '../../src/guess/index.ts';
import { type FramingDeclaration, findChecksum, hexText, makeFraming } from '../../src/protocol/index.ts';

/** Each frame behind a silence, or all in one burst. */
function seen(frames: readonly Uint8Array[], apart = true): Guess {
  return guess(receive(frames.map((bytes, index) => ({ bytes, begins: apart || index === 0 }))));
}

const payloadOf = (length: number, seed: number): Uint8Array => {
  let state = (seed * 2_654_435_761) >>> 0;
  return Uint8Array.from({ length }, () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
};

const framesOf = (framing: FramingDeclaration, count = 12): Uint8Array[] => {
  const made = makeFraming(framing);
  return Array.from({ length: count }, (_, index) =>
    made.encode(payloadOf(6 + ((index * 5) % 17), index + 1)).slice(),
  );
};

const SYNC = Uint8Array.of(0xaa, 0x55);

describe('guess finds', () => {
  it.each<[string, FramingDeclaration, string | undefined]>([
    ['a length without a checksum', { type: 'length', length: 'u16be' }, undefined],
    ['SLIP', { type: 'slip', checksum: { algorithm: 'crc-16/xmodem', order: 'big' } }, 'crc-16/xmodem'],
    [
      'COBS',
      { type: 'cobs', checksum: { algorithm: 'crc-32/iso-hdlc', order: 'little' } },
      'crc-32/iso-hdlc',
    ],
    [
      'HDLC',
      {
        type: 'delimiter',
        start: Uint8Array.of(0x7e),
        delimiter: Uint8Array.of(0x7e),
        escape: { byte: 0x7d, xor: 0x20 },
        checksum: { algorithm: 'crc-16/ibm-sdlc', order: 'little' },
      },
      'crc-16/ibm-sdlc',
    ],
    ['silence', { type: 'gap', checksum: { algorithm: 'crc-16/modbus', order: 'little' } }, 'crc-16/modbus'],
    [
      'a sync word and a length, with a checksum that few have',
      { type: 'sync', sync: SYNC, length: 'u8', checksum: { algorithm: 'crc-16/dect-x', order: 'big' } },
      'crc-16/dect-x',
    ],
  ])('%s', (_, framing, algorithm) => {
    const [kind] = seen(framesOf(framing)).kinds;
    expect(kind?.framing.type).toBe(framing.type);
    expect(kind?.checksum?.algorithm).toBe(algorithm);
    expect(kind?.frames).toHaveLength(12);
  });

  it.each(
    [
      'sum-8',
      'xor-8',
      'sum-16',
      'crc-8/maxim-dow',
      'crc-16/kermit',
      'crc-24/openpgp',
      'crc-32/iscsi',
      'crc-64/xz',
    ].flatMap((algorithm) => (['big', 'little'] as const).map((order) => [algorithm, order] as const)),
  )('%s, %s endian, behind frames without a pause between them', (algorithm, order) => {
    const framing: FramingDeclaration = {
      type: 'sync',
      sync: SYNC,
      length: 'u8',
      checksum: { algorithm, order },
    };
    const { kinds, unexplained } = seen(framesOf(framing, 24), false);
    expect(kinds[0]?.checksum?.algorithm).toBe(findChecksum(algorithm)?.name);
    expect(kinds[0]?.frames).toHaveLength(24);
    expect(unexplained).toBe(0);
  });

  it('two kinds of frames on one line', () => {
    const binary = framesOf({
      type: 'sync',
      sync: SYNC,
      length: 'u8',
      checksum: { algorithm: 'crc-16/modbus', order: 'little' },
    });
    const text = framesOf({ type: 'delimiter', delimiter: new TextEncoder().encode('\r\n') }).map(
      (_, index) => new TextEncoder().encode(`level=${index * 3},state=on\r\n`),
    );
    const both = binary.flatMap((frame, index) => [frame, text[index] ?? frame]);
    expect(seen(both).kinds.map(({ framing }) => framing.type)).toEqual(['sync', 'delimiter']);
  });

  it('a counter, a float, a text and a message id, and the file that says so', () => {
    const framing: FramingDeclaration = {
      type: 'sync',
      sync: SYNC,
      length: 'u8',
      checksum: { algorithm: 'sum-8' },
    };
    const made = makeFraming(framing);
    const frames = Array.from({ length: 20 }, (_, index) => {
      const payload = new Uint8Array(index % 2 === 0 ? 14 : 6);
      const view = new DataView(payload.buffer);
      view.setUint8(0, index % 2 === 0 ? 0x21 : 0x37);
      view.setUint16(1, 250 + index);
      if (index % 2 === 0) {
        view.setFloat32(3, 20 + Math.sin(index), true);
        payload.set(new TextEncoder().encode('pump-7'), 7);
      }
      return made.encode(payload).slice();
    });
    const found = seen(frames);
    const [first, second] = found.kinds[0]?.messages ?? [];
    expect(first?.selector).toEqual({ at: 0, value: 0x21 });
    expect(first?.fields.map(({ kind, type }) => [kind, type])).toEqual([
      ['selector', 'u8'],
      ['counter', 'u16be'],
      ['float', 'f32le'],
      ['text', undefined],
      ['constant', undefined],
    ]);
    expect(second?.selector).toEqual({ at: 0, value: 0x37 });
    const { protocol, problems } = loadMessages(
      messagesText(found, { source: 'a test', fields: true }),
      'messages.yaml',
    );
    expect(problems).toEqual([]);
    const payload = found.kinds[0]?.payloads[0] ?? new Uint8Array(0);
    expect(protocol?.decode(payload, 0, payload.length, 'device')).toMatchObject({
      message: 'message_21',
      fields: { counter: 250, value_3: 20, text_7: 'pump-7' },
    });
  });

  it('numbers in columns of text', () => {
    const lines = Array.from({ length: 6 }, (_, index) =>
      new TextEncoder().encode(`${index}.5;on;${index * 2}\n`),
    );
    expect(seen(lines).kinds[0]?.messages[0]?.columns).toEqual([
      '; separates 3 columns',
      'numbers in every line: column 1, 3',
    ]);
  });
});

describe('guess claims nothing', () => {
  it('of no bytes, of one byte, of zeros', () => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(1), new Uint8Array(5_000)])
      expect(seen([bytes]).kinds).toEqual([]);
  });

  it('of noise', () => {
    const found = Array.from({ length: 8 }, (_, seed) =>
      seen(Array.from({ length: 10 }, (_each, index) => payloadOf(31 + seed + index, 97 * seed + index + 5))),
    );
    expect(
      found.flatMap(({ kinds }) =>
        kinds.map(({ framing }) => hexText(new TextEncoder().encode(framing.type))),
      ),
    ).toEqual([]);
  });

  it('that a frame contradicts, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 }),
        fc.boolean(),
        (chunks, apart) => {
          const { kinds, bytes, unexplained } = seen(chunks, apart);
          expect(unexplained).toBeLessThanOrEqual(bytes);
          for (const { checksum, frames, wrong, messages, payloads } of kinds) {
            expect(frames.length).toBeGreaterThan(wrong.length);
            if (checksum !== undefined) expect(checksum.right.filter(Boolean)).toHaveLength(frames.length);
            for (const { selector, least, most } of messages) {
              const of = payloads.filter(
                (each) => selector === undefined || each[selector.at] === selector.value,
              );
              expect(of.every(({ length }) => length >= least && length <= most)).toBe(true);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('guess is bounded', () => {
  it.each([
    ['zeros', () => 0],
    ['flags', () => 0x7e],
    ['ends of lines', () => 0x0a],
    ['a sawtooth', (index: number) => index & 0xff],
    ['sync words', (index: number) => (index % 2 === 0 ? 0xaa : 0x55)],
  ])('by what it looks at: a megabyte of %s', (_, byte) => {
    const bytes = Uint8Array.from({ length: 1 << 20 }, (_each, index) => byte(index));
    const found = seen([bytes]);
    expect(found.bytes).toBe(16_384);
    expect(found.ignored).toBe((1 << 20) - 16_384);
  });

  it('with a silence in front of every byte', () => {
    const found = seen(Array.from({ length: 20_000 }, (_, index) => Uint8Array.of((index * 7) & 0xff)));
    expect(found.bytes).toBe(16_384);
  });
});
