import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import type { DeclaredProtocol } from '../../../src/protocol/declared/declared-protocol.ts';
import { payloadJudge } from '../../../src/protocol/declared/payload-judge.ts';
import { hexText } from '../../../src/protocol/describe.ts';
import { checkFraming } from '../../../src/protocol/framing/check-framing.ts';
import type { PayloadJudge } from '../../../src/protocol/framing/framing.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { readProjectFile } from '../../support/project-files.ts';
import { type Arrival, bytesOf, decoderOf } from './collecting-sink.ts';

const PROTOCOLS = {
  'checksum in the framing': `
protocol: { framing: { type: gap, max_frame: 100, checksum: { algorithm: crc-16/modbus, order: little } } }
messages:
  - name: flow
    from: host
    fields: [{ name: unit, type: u8, value: 9 }, { name: function, type: u8, value: 4 }, { name: start, type: u16 }]
    reply:
      fields:
        - { name: unit, type: u8, value: 9 }
        - { name: function, type: u8, value: 4 }
        - { name: size, type: u8 }
        - { name: values, type: bytes, length: { field: size } }
`,
  'checksum in the messages': `
protocol: { framing: { type: gap, max_frame: 102 } }
messages:
  - name: flow
    from: host
    fields:
      - { name: unit, type: u8, value: 9 }
      - { name: function, type: u8, value: 4 }
      - { name: start, type: u16 }
      - { name: crc, type: crc, algorithm: crc-16/modbus, byte_order: little }
    reply:
      fields:
        - { name: unit, type: u8, value: 9 }
        - { name: function, type: u8, value: 4 }
        - { name: size, type: u8 }
        - { name: values, type: bytes, length: { field: size } }
        - { name: crc, type: crc, algorithm: crc-16/modbus, byte_order: little }
`,
};

const sealed = makeFraming({
  type: 'gap',
  checksum: { algorithm: 'crc-16/modbus', order: 'little' },
  maxFrame: 250,
});
const frameOf = (...values: number[]) => sealed.encode(Uint8Array.of(9, 4, values.length, ...values));
const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

const protocols = new Map<string, DeclaredProtocol>();

function protocolOf(text: string): DeclaredProtocol {
  const known = protocols.get(text);
  if (known !== undefined) return known;
  const { protocol, problems } = loadMessages(`version: 1\n${text}`, 'messages.yaml');
  if (protocol === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  protocols.set(text, protocol);
  return protocol;
}

function decode(text: string, arrivals: readonly Arrival[], awaited?: string) {
  const protocol = protocolOf(text);
  const judge = payloadJudge(protocol, 'device');
  const { framing } = protocol.declaration;
  return decoderOf(framing, { line: 'serial', judge, awaited: () => awaited }).feed(...arrivals);
}

describe.each(Object.entries(PROTOCOLS))('%s', (name, text) => {
  const tail = name === 'checksum in the messages' ? 0 : 2;
  const payloadOf = (frame: Uint8Array) => hexText(frame, 0, frame.length - tail);
  const frames = (...arrivals: Arrival[]) => decode(text, arrivals).frames;
  const frame = frameOf(0x11, 0x22);

  test.each([
    ['in front', 'ff00aa55010203040506070809 0904', ''],
    ['behind', '', '00'],
    ['behind, more of it', '', '00000000'],
    ['behind, with a text', '', '"AT+PING" 0d0a'],
    ['on both sides', '00', '00'],
    ['on both sides, more of it', '"www.heartbeat.example"', '0000ff"x"'],
    ['that begins like a frame', '0904', '0904'],
  ])('noise %s is set aside', (_, front, behind) => {
    const { frames: found, discardedBytes } = decode(text, [
      joined(bytesOf(front), frame, bytesOf(behind)),
      'idle',
    ]);
    expect(found).toEqual([payloadOf(frame)]);
    expect(discardedBytes).toBe(bytesOf(front).length + bytesOf(behind).length);
  });

  test('noise that is longer than any frame hides none', () => {
    const noise = Uint8Array.from({ length: 900 }, (_, at) => (at * 37) % 251);
    const { frames: found, discardedBytes } = decode(text, [
      joined(noise, frame, noise, noise, frame, noise),
      'idle',
    ]);
    expect(found).toEqual([payloadOf(frame), payloadOf(frame)]);
    expect(discardedBytes).toBe(4 * noise.length);
  });

  test('a frame in the middle of a burst without an end is delivered before the silence', () => {
    const noise = Uint8Array.from({ length: 600 }, (_, at) => (at * 37) % 251);
    expect(frames(joined(noise, frame), noise)).toEqual([payloadOf(frame)]);
  });

  /** Values whose checksum ends in a zero byte. */
  function endingInZero(): Uint8Array {
    for (let value = 0; value < 65_536; value++) {
      const made = frameOf(value >> 8, value & 0xff);
      if (made.at(-1) === 0) return made;
    }
    throw new Error('there is none');
  }

  test('a frame whose checksum ends in a zero byte is whole, alone and with others in a burst', () => {
    const zero = endingInZero();
    expect(frames(zero, 'idle')).toEqual([payloadOf(zero)]);
    expect(frames(joined(zero, frame), 'idle')).toEqual([payloadOf(zero), payloadOf(frame)]);
    expect(frames(joined(zero, zero, frame), 'idle')).toEqual([zero, zero, frame].map(payloadOf));
    expect(frames(joined(bytesOf('00'), zero, bytesOf('00')), 'idle')).toEqual([payloadOf(zero)]);
  });

  test('a pause within a frame costs nothing, at whatever byte', () => {
    for (let cut = 1; cut < frame.length; cut++) {
      const { events } = decode(text, [frame.slice(0, cut), 'idle', frame.slice(cut), 'idle', frame, 'idle']);
      expect(events).toEqual([payloadOf(frame), payloadOf(frame)]);
    }
  });

  test('a frame that was cut off is set aside, and the next one is right', () => {
    for (let cut = 1; cut < frame.length; cut++) {
      const { frames: found, discardedBytes } = decode(text, [frame.slice(0, cut), 'idle', frame, 'idle']);
      expect(found).toEqual([payloadOf(frame)]);
      expect(discardedBytes).toBe(cut);
    }
  });

  test('what is kept over a silence is reported at the end of the link, and is no frame in progress', () => {
    const protocol = protocolOf(text);
    const { decoder, sink } = decoderOf(protocol.declaration.framing, {
      line: 'serial',
      judge: payloadJudge(protocol, 'device'),
    });
    decoder.push(frame.slice(0, 4));
    decoder.idle();
    expect(decoder.pending).toBe(0);
    decoder.close();
    expect(sink.events).toEqual(['discarded 4 truncated']);
  });

  test('a zero byte behind the last of two frames is none of it', () => {
    const [one, two] = [frameOf(0), frameOf(7)];
    expect(frames(joined(one, one, Uint8Array.of(0)), 'idle')).toEqual([payloadOf(one), payloadOf(one)]);
    expect(frames(joined(Uint8Array.of(0), two, one), 'idle')).toEqual([payloadOf(two), payloadOf(one)]);
  });

  test('law: frames among noise are delivered, whatever stands around them, and nothing else', () => {
    const noise = fc.uint8Array({ maxLength: 12 });
    const values = fc.uint8Array({ minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(noise, fc.array(fc.tuple(values, noise), { minLength: 1, maxLength: 3 }), (front, rest) => {
        const sent = rest.map(([value]) => frameOf(...value));
        const burst = joined(front, ...rest.flatMap(([, behind], at) => [sent[at] ?? front, behind]));
        expect(frames(burst, 'idle')).toEqual(sent.map(payloadOf));
      }),
    );
  });
});

describe('noise', () => {
  test('law: makes no frame', () => {
    const text = PROTOCOLS['checksum in the framing'];
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 300 }), (noise) => {
        expect(decode(text, [noise, 'idle', bytesOf('ff'), 'idle']).frames).toEqual([]);
      }),
      // A whole burst is right by chance now and then.
      { seed: 7, numRuns: 300 },
    );
  });
});

describe('which frame wins', () => {
  const open = `
protocol: { framing: { type: gap, max_frame: 60, checksum: { algorithm: crc-16/modbus, order: little } } }
messages:
  - { name: any, from: device, fields: [{ name: unit, type: u16, value: 0x0904 }, { name: rest, type: bytes, length: rest }] }
`;

  test('a single zero byte stays where the messages leave the length open, for every 256th checksum ends in one', () => {
    for (let value = 0; value < 600; value++) {
      const frame = frameOf(value >> 8, value & 0xff);
      expect(decode(open, [frame, 'idle']).frames).toEqual([hexText(frame, 0, frame.length - 2)]);
    }
  });

  test('more zero bytes are none of it', () => {
    const frame = frameOf(1, 2);
    for (const zeros of [2, 3, 7]) {
      expect(decode(open, [joined(frame, new Uint8Array(zeros)), 'idle']).events).toEqual([
        hexText(frame, 0, frame.length - 2),
        `discarded ${zeros} no_header`,
      ]);
    }
  });

  test('a right frame of no declared message counts where it is the whole burst', () => {
    const other = sealed.encode(bytesOf('0783 02'));
    expect(decode(open, [other, 'idle']).frames).toEqual(['078302']);
    expect(decode(open, [joined(bytesOf('01020304'), other), 'idle']).frames).toEqual([]);
  });

  test('frames one behind the other, of which one is of no declared message, are both delivered', () => {
    const other = sealed.encode(bytesOf('0783 02'));
    expect(decode(open, [joined(other, frameOf(5)), 'idle']).frames).toEqual(['078302', '09040105']);
  });

  test('two frames whose checksum begins at zero are not one', () => {
    const xmodem = open
      .replace('crc-16/modbus, order: little', 'crc-16/xmodem')
      .replace('length: rest', 'length: 2');
    const framing = makeFraming({ type: 'gap', checksum: { algorithm: 'crc-16/xmodem' }, maxFrame: 60 });
    const first = framing.encode(bytesOf('09040102'));
    const second = framing.encode(bytesOf('09040304'));
    expect(decode(xmodem, [joined(first, second), 'idle']).frames).toEqual(['09040102', '09040304']);
    expect(decode(xmodem, [joined(bytesOf('0000'), first), 'idle']).frames).toEqual(['09040102']);
  });

  test('an awaited reply wins over what overlaps it', () => {
    const text = `
protocol: { framing: { type: gap, max_frame: 60, checksum: { algorithm: crc-16/modbus, order: little } } }
messages:
  - { name: long, from: device, fields: [{ name: kind, type: u16, value: 0x0102 }, { name: inner, type: bytes, length: rest }] }
  - name: asked
    from: host
    fields: [{ name: kind, type: u16, value: 0x0505 }]
    reply: { fields: [{ name: kind, type: u16, value: 0x0506 }, { name: value, type: u8 }] }
`;
    const inner = sealed.encode(bytesOf('0506 07'));
    const outer = sealed.encode(joined(bytesOf('0102'), inner));
    const burst = joined(bytesOf('ee'), outer);
    expect(decode(text, [burst, 'idle'], 'asked').frames).toEqual(['050607']);
    expect(decode(text, [burst, 'idle']).frames).toEqual([hexText(outer, 0, outer.length - 2)]);
  });

  test('without any checksum, constants and lengths tell a frame', () => {
    const text = `
protocol: { framing: { type: gap, max_frame: 60 } }
messages:
  - name: level
    from: device
    fields: [{ name: head, type: u24, value: 0xa51234 }, { name: value, type: u16 }, { name: end, type: u8, value: 0x5a }]
`;
    const frame = bytesOf('a51234 0102 5a');
    const hex = hexText(frame);
    expect(decode(text, [joined(bytesOf('00ff'), frame, bytesOf('ee'), frame), 'idle']).frames).toEqual([
      hex,
      hex,
    ]);
    expect(decode(text, [frame.slice(0, 1), 'idle', frame.slice(1), 'idle']).events).toEqual([hex]);
  });
});

describe('examples/eastron-sdm', () => {
  const text = readProjectFile('examples/eastron-sdm/messages.yaml').replace('version: 1\n', '');
  const frame = sealed.encode(bytesOf('01 04 04 4366 3333'));

  test.each([
    ['00', '00'],
    ['', '00'],
    ['', '0000'],
    ['ff', ''],
    ['', '00000000'],
    ['"keepalive"', '"keepalive"'],
  ])('noise %s in front and %s behind costs no reply', (front, behind) => {
    const burst = joined(bytesOf(front), frame, bytesOf(behind));
    expect(decode(text, [burst, 'idle']).frames).toEqual([hexText(frame)]);
  });
});

describe('the cost of a search', () => {
  /** Bytes that the judge touches for one burst. */
  function touched(text: string, burst: Uint8Array): number {
    const protocol = protocolOf(text);
    expect(checkFraming(protocol.declaration.framing)).toEqual([]);
    const judge = payloadJudge(protocol, 'device');
    let sum = 0;
    const counting: PayloadJudge = {
      ...judge,
      proof(bytes, start, end, awaited) {
        const result = judge.proof?.(bytes, start, end, awaited) ?? { bits: -1, touched: 0 };
        sum += result.touched + 1;
        return result;
      },
    };
    decoderOf(protocol.declaration.framing, { line: 'serial', judge: counting }).feed(burst, 'idle');
    return sum;
  }

  test.each([
    ['zero bytes, of which every range is right', 'crc-16/xmodem', 0],
    ['bytes that all begin a message', 'crc-16/modbus', 9],
  ])('is linear in the bytes: %s', (_, algorithm, byte) => {
    const text = `
protocol: { framing: { type: gap, max_frame: 4000, checksum: { algorithm: ${algorithm} } } }
messages: [{ name: any, from: device, fields: [{ name: unit, type: u8, value: ${byte} }, { name: rest, type: bytes, length: rest }] }]
`;
    for (const length of [1000, 4000, 16_000]) {
      const burst = new Uint8Array(length).fill(byte);
      burst[length - 1] = 1;
      // A burst that goes on is searched in pieces that overlap by half.
      expect(touched(text, burst)).toBeLessThan(2 * (64 * length + 16_384) + 2 * 4002);
    }
  });
});
