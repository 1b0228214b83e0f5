import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hexText } from '../../../src/protocol/describe.ts';
import type { FramingDeclaration, SeveralFramings } from '../../../src/protocol/framing/declaration.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { bytesOf, CollectingSink } from './collecting-sink.ts';

/** Writes down frames with their kind. */
class KindSink extends CollectingSink {
  override frame(bytes: Uint8Array, start: number, end: number, kind?: string): void {
    super.frame(bytes, start, end);
    this.events[this.events.length - 1] = `${kind} ${hexText(bytes, start, end)}`;
  }
}

function feed(
  framing: FramingDeclaration,
  line: 'serial' | 'stream',
  ...arrivals: readonly (Uint8Array | 'idle' | 'close')[]
): string[] {
  const sink = new KindSink();
  const decoder = makeFraming(framing).makeDecoder(sink, { line });
  for (const each of arrivals) {
    if (each === 'idle') decoder.idle();
    else if (each === 'close') decoder.close();
    else decoder.push(each);
  }
  return sink.events;
}

const receiver: SeveralFramings = {
  type: 'several',
  kinds: [
    {
      name: 'ubx',
      framing: {
        type: 'sync',
        sync: bytesOf('b562'),
        length: 'u16le',
        at: 4,
        checksum: { algorithm: 'fletcher-8-ubx' },
        maxFrame: 1024,
      },
    },
    {
      name: 'rtcm3',
      framing: {
        type: 'sync',
        sync: bytesOf('d3'),
        length: 'u16be',
        mask: 0x3ff,
        checksum: { algorithm: 'crc-24/lte-a', covers: [{ from: 0 }] },
        maxFrame: 1023,
      },
    },
    {
      name: 'nmea',
      framing: {
        type: 'delimiter',
        start: bytesOf('"$"'),
        delimiter: bytesOf('0d0a'),
        checksum: { algorithm: 'xor-8', encoding: 'hex', separator: bytesOf('"*"') },
        maxFrame: 100,
      },
    },
  ],
};
const made = makeFraming(receiver);
const ubx = bytesOf('06 01 0300 f0 00 00');
const gll = bytesOf('"GPGLL,4916.45,N,12311.12,W,225444,A"');
const sent = [
  ['ubx', ubx],
  ['nmea', gll],
  ['rtcm3', bytesOf('3ed7d30202980edeef34b4bd62ac0941986f33')],
  ['nmea', gll],
] as const;
const wires = sent.map(([kind, payload]) => made.encode(payload, kind));
const expected = sent.map(([kind, payload]) => `${kind} ${hexText(payload)}`);
const join = (...parts: readonly Uint8Array[]): Uint8Array =>
  bytesOf(parts.map((part) => hexText(part)).join(''));

describe.each(['serial', 'stream'] as const)('UBX, RTCM 3 and NMEA on one %s', (line) => {
  const wire = join(...wires);

  test('each frame has its kind, cut at every byte', () => {
    for (let cut = 0; cut <= wire.length; cut++) {
      expect(feed(receiver, line, wire.subarray(0, cut), wire.subarray(cut))).toEqual(expected);
    }
    expect(feed(receiver, line, ...[...wire].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  test('a false header costs no frame of another kind', () => {
    const [first = ubx, ...others] = wires;
    // The length of a UBX frame that never was covers the frames behind it.
    const events = feed(
      receiver,
      line,
      join(bytesOf('b562 0107 4000'), first, ...others),
      'idle',
      'idle',
      'close',
    );
    expect(events.filter((event) => !event.startsWith('discarded'))).toEqual(expected);
    expect(events[0]).toMatch(/^discarded 6 /);
  });

  test('a false header waits for one silence at most', () => {
    const events = feed(receiver, line, join(bytesOf('b562 0107 0004'), ...wires), 'idle');
    expect(events.filter((event) => !event.startsWith('discarded'))).toEqual(expected);
  });

  test('damage costs the frame that it hits', () => {
    for (let at = 0; at < wire.length; at++) {
      const damaged = wire.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x41;
      let end = 0;
      const hit = wires.findIndex((each) => {
        end += each.length;
        return at < end;
      });
      const events = feed(receiver, line, damaged, 'idle', 'idle', 'close');
      const frames = events.filter((event) => !event.startsWith('discarded'));
      // A line whose end is damaged may be right all the same.
      expect([expected, expected.filter((_, index) => index !== hit)], `byte ${at}`).toContainEqual(frames);
    }
  });

  test('a lost byte too', () => {
    for (let at = 0; at < wire.length; at++) {
      const events = feed(
        receiver,
        line,
        wire.subarray(0, at),
        wire.subarray(at + 1),
        'idle',
        'idle',
        'close',
      );
      let end = 0;
      const hit = wires.findIndex((each) => {
        end += each.length;
        return at < end;
      });
      const frames = events.filter((event) => !event.startsWith('discarded'));
      for (const [index, frame] of expected.entries())
        if (index !== hit) expect(frames, `byte ${at}`).toContain(frame);
    }
  });

  test('every byte is in a frame or in a report', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...wires), fc.uint8Array({ maxLength: 30 })), { maxLength: 8 }),
        (parts) => {
          const sink = new KindSink();
          const decoder = made.makeDecoder(sink, { line });
          const bytes = join(...parts);
          for (const part of parts) decoder.push(part);
          decoder.close();
          const framed = sink.events
            .filter((event) => !event.startsWith('discarded'))
            .reduce((sum, event) => {
              const [kind, hex = ''] = event.split(' ');
              return sum + made.encode(bytesOf(hex), kind).length;
            }, 0);
          expect(framed + sink.discardedBytes).toBe(bytes.length);
        },
      ),
      { numRuns: 200 },
    );
  });
});

test('hostile bytes are looked at a fixed number of times', () => {
  const count = 60_000;
  const patterns = ['b562 ff03', 'd303ff', '"$"', 'b562 0000 ff03 d3 03ff 24', '"$A*"'];
  for (const pattern of patterns) {
    const unit = bytesOf(pattern);
    const bytes = new Uint8Array(count).map((_, at) => unit[at % unit.length] ?? 0);
    const began = performance.now();
    const sink = new KindSink();
    const decoder = made.makeDecoder(sink, { line: 'serial' });
    for (let at = 0; at < count; at += 500) decoder.push(bytes.subarray(at, at + 500));
    decoder.idle();
    decoder.close();
    expect(sink.discardedBytes).toBe(count);
    expect(performance.now() - began, pattern).toBeLessThan(3000);
  }
});

describe('GT06: 7878 with one byte of length, 7979 with two', () => {
  const tail = {
    checksum: { algorithm: 'crc-16/x-25', covers: [{ from: 2 }] },
    trailer: bytesOf('0d0a'),
    maxFrame: 1024,
  } as const;
  const framing: SeveralFramings = {
    type: 'several',
    kinds: [
      { name: 'short', framing: { type: 'sync', sync: bytesOf('7878'), length: 'u8', adjust: -2, ...tail } },
      {
        name: 'long',
        framing: { type: 'sync', sync: bytesOf('7979'), length: 'u16be', adjust: -2, ...tail },
      },
    ],
  };

  test('both come, and each is answered in its own', () => {
    const ack = bytesOf('7878 05 13 0053 9866 0d0a');
    expect(hexText(makeFraming(framing).encode(bytesOf('13 0053'), 'short'))).toBe(hexText(ack));
    const info = makeFraming(framing).encode(bytesOf('94 00 0001'), 'long');
    expect(feed(framing, 'stream', ack, info, ack)).toEqual([
      'short 130053',
      'long 94000001',
      'short 130053',
    ]);
    expect(() => makeFraming(framing).encode(ack, 'middle')).toThrow('no framing "middle"');
  });
});

describe('VE.Direct: HEX between and within the lines of text', () => {
  const framing: SeveralFramings = {
    type: 'several',
    kinds: [
      {
        name: 'hex',
        framing: {
          type: 'delimiter',
          start: bytesOf('":"'),
          delimiter: bytesOf('0a'),
          encoding: 'nibble_hex',
          checksum: { algorithm: 'sum-8-twos', extra: bytesOf('ab') },
          maxFrame: 64,
        },
      },
      {
        name: 'text',
        resumes: true,
        framing: { type: 'delimiter', delimiter: bytesOf('0d0a'), maxFrame: 64 },
      },
    ],
  };
  const wire = bytesOf(
    '"PID" 09 "0xA053" 0d0a "V" 09 "12:7F0ED0071" 0a "800" 0d0a ":7F0ED0071" 0a "I" 09 "-5:00" 0d0a',
  );

  test('a line goes on behind a frame, cut at every byte', () => {
    const lines = [
      `text ${hexText(bytesOf('"V" 09 "12800"'))}`,
      'hex 07f0ed00',
      `text ${hexText(bytesOf('"I" 09 "-5:00"'))}`,
    ];
    for (let cut = 0; cut <= wire.length; cut++) {
      const events = feed(framing, 'serial', wire.subarray(0, cut), wire.subarray(cut));
      expect(events, `cut ${cut}`).toEqual(['discarded 12 no_header', 'hex 07f0ed00', ...lines]);
    }
  });

  test('a half line in front of a silence is no part of the next', () => {
    const events = feed(
      framing,
      'serial',
      bytesOf('"A" 0d0a "V" 09 "1"'),
      'idle',
      bytesOf('"V" 09 "2" 0d0a'),
    );
    expect(events).toEqual([
      'discarded 3 no_header',
      'discarded 3 truncated',
      `text ${hexText(bytesOf('"V" 09 "2"'))}`,
    ]);
  });

  test('a line without an end is given up', () => {
    const events = feed(framing, 'serial', new Uint8Array(300).fill(0x41), bytesOf('0d0a "B" 0d0a'));
    expect(events.at(-1)).toBe('text 42');
  });
});

test.each<[string, SeveralFramings['kinds'], string]>([
  ['one kind', receiver.kinds.slice(0, 1), 'not several'],
  ['two of one name', [...receiver.kinds, ...receiver.kinds.slice(0, 1)], 'is there already'],
  ['SLIP', [...receiver.kinds, { name: 'slip', framing: { type: 'slip' } }], 'cannot be told from others'],
  [
    'a length with nothing to prove it',
    [...receiver.kinds, { name: 'l', framing: { type: 'length', length: 'u8' } }],
    'tells its frames',
  ],
  [
    'lines that are not the last',
    [{ name: 'l', framing: { type: 'delimiter', delimiter: bytesOf('0a') } }, ...receiver.kinds],
    'begin anywhere',
  ],
])('%s is refused', (_, kinds, words) => {
  expect(() => makeFraming({ type: 'several', kinds })).toThrow(words);
});

test('a number is taken off the bytes of one kind, and off no other', () => {
  const framing: SeveralFramings = {
    type: 'several',
    kinds: [
      {
        name: 'meter',
        framing: {
          type: 'sync',
          sync: bytesOf('68'),
          length: 'u8',
          add: { byte: 0x33, from: 2 },
          checksum: { algorithm: 'sum-8' },
        },
      },
      { name: 'ack', framing: { type: 'fixed', length: 2, sync: bytesOf('e5') } },
    ],
  };
  const wire = makeFraming(framing).encode(bytesOf('01 ff'), 'meter');
  expect(hexText(wire)).toBe('6802343268');
  for (let cut = 1; cut < wire.length; cut++) {
    const parts = [wire.slice(0, cut), wire.slice(cut), bytesOf('e5 33'), wire] as const;
    expect(feed(framing, 'serial', ...parts)).toEqual(['meter 01ff', 'ack 33', 'meter 01ff']);
  }
});
