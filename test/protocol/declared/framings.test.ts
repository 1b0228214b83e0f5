import { describe, expect, test } from 'vitest';
import { luaDissector } from '../../../src/capture/dissector.ts';
import { FrameSplitter, frameReading } from '../../../src/capture/frames.ts';
import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import { payloadJudge } from '../../../src/protocol/declared/payload-judge.ts';
import { hexText } from '../../../src/protocol/describe.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { bytesOf } from '../framing/collecting-sink.ts';

const MBUS = `
protocol:
  framings:
    - { name: ack, type: fixed, length: 1 }
    - { name: short, type: fixed, sync: 0x10, length: 5, checksum: { algorithm: sum-8 }, trailer: 0x16 }
    - name: long
      type: sync
      sync: [0x68, any, any, 0x68]
      length: u8
      at: 1
      again: 2
      adjust: 2
      checksum: { algorithm: sum-8, covers: [{ from: 4 }] }
      trailer: 0x16
      id: { type: u8, at: 2 }
messages:
  - { name: ack, framing: ack, from: device, fields: [{ name: e5, type: u8, value: 0xe5 }] }
  - { name: select, framing: short, from: host, fields: [{ name: control, type: u8 }, { name: address, type: u8 }] }
  - { name: set, framing: long, id: 0xbd, fields: [{ name: control, type: u8 }, { name: address, type: u8 }] }
`;

function load(yaml: string) {
  const { protocol, problems } = loadMessages(yaml, 'messages.yaml');
  expect(problems).toEqual([]);
  if (protocol === undefined) throw new Error('no protocol');
  return protocol;
}

describe('M-Bus: long and short frames, and a single character', () => {
  const protocol = load(MBUS);
  const framing = makeFraming(protocol.declaration.framing);

  test.each([
    ['ack', {}, 'e5'],
    ['select', { control: 0x40, address: 0xfe }, '1040fe3e16'],
    ['set', { control: 0x53, address: 0xfe }, '6803036853febd0e16'],
  ])('%s goes out in a frame of its own', (name, fields, wire) => {
    expect(hexText(framing.encode(protocol.encode(name, fields), protocol.kindOf(name)))).toBe(wire);
  });

  test('what comes is the message of its frame, cut at every byte', () => {
    const wire = bytesOf('e5 00 6803036853febd0e16 e5 1040fe3e16');
    for (let cut = 0; cut <= wire.length; cut++) {
      const found: string[] = [];
      const decoder = framing.makeDecoder(
        {
          frame(bytes, start, end, kind) {
            const message = protocol.decode(bytes, start, end, undefined, undefined, kind);
            found.push(message.name === 'declared' ? message.message : message.name);
          },
          discarded: ({ count }) => found.push(`-${count}`),
          fault: () => found.push('fault'),
        },
        { line: 'serial', judge: payloadJudge(protocol) },
      );
      decoder.push(wire.subarray(0, cut));
      decoder.push(wire.subarray(cut));
      expect(found).toEqual(['ack', '-1', 'set', 'ack', 'select']);
    }
  });

  test('a payload is never a message of another kind', () => {
    expect(protocol.decode(bytesOf('53fe'), 0, 2, undefined, undefined, 'short')).toMatchObject({
      message: 'select',
    });
    expect(protocol.decode(bytesOf('53fe'), 0, 2, undefined, undefined, 'long').name).toBe('invalid');
    expect(protocol.decode(bytesOf('e5'), 0, 1, undefined, undefined, 'short').name).toBe('invalid');
  });

  test('a trace is cut into frames, each whole', () => {
    const head = { meta: { session: 'none' } } as never;
    const splitter = new FrameSplitter(frameReading(head, protocol, 'in'));
    const frames = [...splitter.push(bytesOf('e5 00 6803036853febd0e16')), ...splitter.close()];
    expect(frames.map(({ kind, bytes }) => `${kind} ${hexText(bytes)}`)).toEqual([
      'frame e5',
      'discarded 00',
      'frame 6803036853febd0e16',
    ]);
  });

  test('the dissector knows each kind', () => {
    const lua = luaDissector([protocol.declaration]);
    expect(lua.match(/unwrap = function/g)).toHaveLength(3);
  });
});

test.each<[string, string, string, string]>([
  [
    'a framing that is not there',
    'framings: [{ name: a, type: sync, sync: 1, length: u8 }, { name: b, type: sync, sync: 2, length: u8 }]',
    'framing: c, ',
    'There is no framing `c`.',
  ],
  [
    'a name where there is one framing',
    'framing: { type: sync, sync: 1, length: u8 }',
    'framing: c, ',
    'There is one framing only, without a name.',
  ],
  [
    'both keys',
    'framing: { type: slip }, framings: [{ name: a, type: sync, sync: 1, length: u8 }, { name: b, type: sync, sync: 2, length: u8 }]',
    '',
    'There are `framings` as well.',
  ],
  [
    'one of several',
    'framings: [{ name: a, type: sync, sync: 1, length: u8 }]',
    '',
    'These are not several.',
  ],
  [
    'no name',
    'framings: [{ type: sync, sync: 1, length: u8 }, { name: b, type: sync, sync: 2, length: u8 }]',
    '',
    'A name is missing.',
  ],
  [
    'a wrong key in one',
    'framings: [{ name: a, type: sync, sync: 1, length: u8, adress: 1 }, { name: b, type: sync, sync: 2, length: u8 }]',
    '',
    'There is no key `adress` here.',
  ],
])('check says of %s where it is wrong', (_, protocol, framing, message) => {
  const { problems } = loadMessages(
    `protocol: { ${protocol} }\nmessages: [{ name: m, ${framing}fields: [{ name: a, type: u8 }] }]\n`,
    'messages.yaml',
  );
  expect(problems.map((problem) => problem.message)).toContain(message);
});

test('the same id in two framings is two messages', () => {
  const protocol = load(`
protocol:
  id: u8
  framings:
    - { name: short, type: sync, sync: [0x78, 0x78], length: u8, checksum: { algorithm: crc-16/x-25 } }
    - { name: long, type: sync, sync: [0x79, 0x79], length: u16, checksum: { algorithm: crc-16/x-25 } }
messages:
  - { name: a, id: 1, fields: [{ name: x, type: u8 }] }
  - { name: b, id: 1, framing: long, fields: [{ name: y, type: u8 }] }
`);
  const payload = bytesOf('01 07');
  expect(protocol.decode(payload, 0, 2, 'device', undefined, 'short')).toMatchObject({
    message: 'a',
    fields: { x: 7 },
  });
  expect(protocol.decode(payload, 0, 2, 'device', undefined, 'long')).toMatchObject({
    message: 'b',
    fields: { y: 7 },
  });
});
