import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import { payloadJudge } from '../../../src/protocol/declared/payload-judge.ts';
import { hexText } from '../../../src/protocol/describe.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { type Arrival, bytesOf, CollectingSink } from './collecting-sink.ts';

const CRC = '{ name: crc, type: crc, algorithm: crc-16/modbus, byte_order: little }';
const request =
  '{ name: unit, type: u8, value: 9 }, { name: function, type: u8, value: 4 }, { name: start, type: u16 }';
const REPLY = '{ name: unit, type: u8, value: 9 }, { name: function, type: u8, value: 4 }';

/** Says its length; the same without a length; a request and its reply are the same bytes. */
const { protocol, problems } = loadMessages(
  `version: 1
protocol: { framing: { type: gap, max_frame: 300 } }
messages:
  - name: flow
    from: host
    fields: [${request}, ${CRC}]
    reply: { fields: [${REPLY}, { name: size, type: u8 }, { name: values, type: bytes, length: { field: size } }, ${CRC}] }
  - name: open
    from: host
    fields: [${request.replace('value: 4', 'value: 5')}, ${CRC}]
    reply: { fields: [${REPLY.replace('value: 4', 'value: 5')}, { name: values, type: bytes, length: rest }, ${CRC}] }
`,
  'messages.yaml',
);
if (protocol === undefined) throw new Error(JSON.stringify(problems));
const judge = payloadJudge(protocol, 'device');
const sealed = makeFraming({
  type: 'gap',
  checksum: { algorithm: 'crc-16/modbus', order: 'little' },
  maxFrame: 290,
});
const frameOf = (...values: readonly number[]) =>
  sealed.encode(Uint8Array.of(9, 4, values.length, ...values));
const joined = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

/** The reply to `first` is awaited; once a frame came, the next of these names. */
function reading(...awaited: readonly (string | undefined)[]) {
  const sink = new CollectingSink();
  const { framing } = protocol?.declaration ?? { framing: { type: 'gap' } };
  const decoder = makeFraming(framing).makeDecoder(sink, {
    line: 'serial',
    judge,
    awaited: () => awaited[sink.frames.length],
  });
  const feed = (...arrivals: readonly Arrival[]): CollectingSink => {
    for (const each of arrivals) {
      if (each === 'idle') decoder.idle();
      else decoder.push(each);
    }
    return sink;
  };
  return { sink, decoder, feed };
}

const frame = frameOf(0x11, 0x22);
const hex = (bytes: Uint8Array): string => hexText(bytes, 0, bytes.length);

describe('a reply that is awaited, on a line where silence ends frames', () => {
  test('is delivered with its last byte, however it is cut, and leaves nothing behind', () => {
    for (let cut = 1; cut < frame.length; cut++) {
      const { sink, decoder, feed } = reading('flow');
      feed(frame.slice(0, cut));
      expect(sink.events).toEqual([]);
      feed(frame.slice(cut));
      expect(sink.events).toEqual([hex(frame)]);
      expect(decoder.pending).toBe(0);
      expect(feed('idle').events).toEqual([hex(frame)]);
    }
  });

  test.each([undefined, 'open'])('waits for the silence where %s is awaited', (awaited) => {
    const { sink, feed } = reading(awaited);
    feed(frame);
    expect(sink.events).toEqual([]);
    expect(feed('idle').events).toEqual([hex(frame)]);
  });

  test('waits for the silence where nothing but that says where it ends', () => {
    const open = sealed.encode(Uint8Array.of(9, 5, 1, 2, 3));
    const { sink, feed } = reading('open');
    feed(open);
    expect(sink.events).toEqual([]);
    expect(feed('idle').events).toEqual([hex(open)]);
  });

  test('is found at once behind four bytes of noise, and with the silence behind more', () => {
    for (let noise = 0; noise <= 12; noise++) {
      const { sink, feed } = reading('flow');
      feed(joined(new Uint8Array(noise).fill(0xaa), frame));
      expect(sink.frames).toEqual(noise <= 4 ? [hex(frame)] : []);
      expect(feed('idle').frames).toEqual([hex(frame)]);
      expect(sink.discardedBytes).toBe(noise);
    }
  });

  test('is followed by noise that is noise, and by a frame that is one', () => {
    for (const behind of ['00', '09', '0904', '00000000', '"AT+PING" 0d0a']) {
      const { sink, feed } = reading('flow');
      feed(frame, bytesOf(behind), 'idle');
      expect(sink.events).toEqual([hex(frame), `discarded ${bytesOf(behind).length} no_header`]);
    }
    const { feed } = reading('flow');
    expect(feed(frame, bytesOf('00'), frameOf(5), 'idle').frames).toEqual([hex(frame), hex(frameOf(5))]);
  });

  test('is read where the line is never silent between exchanges', () => {
    const { sink, feed } = reading('flow', 'flow', 'flow', 'flow');
    feed(frameOf(1), bytesOf('00'), frameOf(2), frameOf(3));
    expect(sink.frames).toEqual([1, 2, 3].map((value) => hex(frameOf(value))));
    // A damaged one is told from noise behind the one before.
    const damaged = frameOf(4).with(3, 9);
    feed(damaged, 'idle', frameOf(5));
    expect(sink.frames).toEqual([frameOf(1), frameOf(2), frameOf(3), damaged].map(hex));
  });

  test('the end of one whose checksum ends in zero is not taken for it', () => {
    let tried = 0;
    for (let value = 0; value < 65_536 && tried < 20; value++) {
      const zero = frameOf(value >> 8, value & 0xff);
      if (zero.at(-1) !== 0) continue;
      tried++;
      const { sink, feed } = reading('flow');
      for (const byte of zero) feed(Uint8Array.of(byte));
      expect(sink.events).toEqual([hex(zero)]);
    }
    expect(tried).toBe(20);
  });

  test('law: in any burst the awaited reply is found once, and nothing that was not sent', () => {
    const noise = fc.uint8Array({ maxLength: 12 });
    const values = fc.array(fc.constantFrom(0, 1, 4, 9, 0xff), { maxLength: 20 });
    fc.assert(
      fc.property(
        noise,
        values,
        noise,
        fc.array(fc.nat(60), { maxLength: 4 }),
        (front, sent, behind, cuts) => {
          const reply = frameOf(...sent);
          const burst = joined(front, reply, behind);
          const places = [...new Set(cuts.filter((at) => at < burst.length))].toSorted((a, b) => a - b);
          const { sink, feed } = reading('flow');
          for (const [index, at] of [0, ...places].entries())
            feed(burst.slice(at, places[index] ?? burst.length));
          feed('idle');
          expect(sink.frames).toEqual([hex(reply)]);
          expect(sink.discardedBytes).toBe(front.length + behind.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('costs no more than the bytes that come, also one by one and without an end', () => {
    let touched = 0;
    const proof: NonNullable<typeof judge.proof> = (bytes, start, end, awaited) => {
      const found = judge.proof?.(bytes, start, end, awaited) ?? { bits: -1, touched: 0 };
      touched += found.touched;
      return found;
    };
    const sink = new CollectingSink();
    const decoder = makeFraming({ type: 'gap', maxFrame: 300 }).makeDecoder(sink, {
      line: 'serial',
      judge: { ...judge, proof },
      awaited: () => 'flow',
    });
    const count = 20_000;
    for (let index = 0; index < count; index++) decoder.push(Uint8Array.of([9, 4, 40][index % 3] ?? 0));
    expect(touched).toBeLessThan(200 * count);
  });
});
