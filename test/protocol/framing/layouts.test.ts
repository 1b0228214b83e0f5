import { describe, expect, test } from 'vitest';
import type { FixedFraming } from '../../../src/protocol/framing/fixed.ts';
import type { PayloadJudge } from '../../../src/protocol/framing/framing.ts';
import type { LengthFraming } from '../../../src/protocol/framing/length.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import type { SyncFraming } from '../../../src/protocol/framing/sync.ts';
import { bytesOf, decoderOf } from './collecting-sink.ts';

const stream = { line: 'stream' } as const;

describe('length on a stream', () => {
  const framing: LengthFraming = { type: 'length', length: 'u16be', maxFrame: 100 };

  test.each([
    ['0000 01', 'fault zero_length', '0'],
    ['0065 01', 'fault too_long', '101'],
    ['ffff 01', 'fault too_long', '65535'],
    ['"GET / HTTP/1.1" 0d0a', 'fault intruder', 'an HTTP request: GET / HTTP/1.1'],
    ['"SSH-2.0-x" 0d0a', 'fault intruder', 'SSH'],
  ])('%s ends it: %s', (text, event, seen) => {
    const { sink, decoder, feed } = decoderOf(framing, stream);
    feed(bytesOf('0001 aa'), bytesOf(text), bytesOf('0001 bb'));
    decoder.close();
    expect(sink.events).toEqual(['aa', event]);
    expect(sink.faults[0]?.seen).toContain(seen);
    expect(decoder.pending).toBe(0);
  });

  test('a frame with a wrong checksum is set aside whole', () => {
    const summed: LengthFraming = { ...framing, checksum: { algorithm: 'sum-8' } };
    const sink = decoderOf(summed, stream).feed(bytesOf('0001aaab 0001bb00 0001cccd'));
    expect(sink.events).toEqual(['aa', 'discarded 4 bad_checksum', 'cc']);
    expect(sink.discards[0]).toMatchObject({ expected: 'a frame with sum-8', seen: '0001bb00' });
  });

  test('a frame without its trailer ends it', () => {
    const { events } = decoderOf({ ...framing, trailer: bytesOf('0d') }, stream).feed(
      bytesOf('0001aa0d 0001aa0e'),
    );
    expect(events).toEqual(['aa', 'fault impossible_length']);
  });
});

describe('length on a serial line', () => {
  const framing: LengthFraming = { type: 'length', length: 'u16be', maxFrame: 20 };

  test('with nothing to prove a frame, silence brings it into step', () => {
    const { sink, feed } = decoderOf(framing);
    feed(bytesOf('0001aa ffff 0001bb 0001bb'), 'idle', bytesOf('0001cc 0002'), 'idle', bytesOf('0001dd'));
    expect(sink.events).toEqual(['aa', 'discarded 8 no_header', 'cc', 'discarded 2 truncated', 'dd']);
  });

  test('a judge of payloads proves frames, and the search slides', () => {
    // Messages of two bytes that begin with 10, the second of which is 1 to 3.
    const judge: PayloadJudge = {
      possible: (bytes, start, held, length) => length === 2 && (held === 0 || bytes[start] === 0x10),
      check: (bytes, start) => ([1, 2, 3].includes(bytes[start + 1] ?? 0) ? 2 : ~2),
    };
    const { sink, feed } = decoderOf(framing, { line: 'serial', judge });
    feed(bytesOf('0002 1001 000210 0002 1002 00021077 ff 0002'), bytesOf('1003'));
    expect(sink.events).toEqual([
      '1001',
      'discarded 3 bad_content',
      '1002',
      'discarded 5 bad_content',
      '1003',
    ]);
  });
});

describe('lengths', () => {
  test.each([
    ['u8', '03'],
    ['u16be', '0003'],
    ['u16le', '0300'],
    ['u24be', '000003'],
    ['u24le', '030000'],
    ['u32be', '00000003'],
    ['u32le', '03000000'],
  ] as const)('%s', (length, prefix) => {
    const framing: LengthFraming = { type: 'length', length };
    const wire = bytesOf(`${prefix} aabbcc`);
    expect(makeFraming(framing).encode(bytesOf('aabbcc'))).toEqual(wire);
    expect(decoderOf(framing, stream).feed(wire).events).toEqual(['aabbcc']);
  });

  test('the greatest length is no reason to allocate', () => {
    const framing: SyncFraming = {
      type: 'sync',
      sync: bytesOf('aa'),
      length: 'u32be',
      maxFrame: 0x1000_0000,
    };
    const { sink, decoder, feed } = decoderOf(framing, stream);
    feed(bytesOf('aa 0fffffff 01'));
    expect(decoder.pending).toBe(6);
    feed(bytesOf('02'), 'idle');
    expect(sink.events).toEqual([]);
    feed('idle');
    expect(sink.events).toEqual(['discarded 7 truncated']);
  });

  test.each([
    ['a length that is too small for its counting', { type: 'length', length: 'u8', adjust: 5 }, '01'],
    ['a length that cannot hold it', { type: 'length', length: 'u8' }, '00'.repeat(256)],
    ['too long a payload', { type: 'length', length: 'u16be', maxFrame: 3 }, '01020304'],
    ['an empty payload', { type: 'length', length: 'u16be' }, ''],
    ['a payload without the length in it', { type: 'length', length: 'u16be', at: 4 }, '01020304'],
    ['another length than the fixed one', { type: 'fixed', length: 4 }, '010203'],
  ] as const)('%s is refused', (_, framing, payload) => {
    expect(() => makeFraming(framing).encode(bytesOf(payload))).toThrow(
      expect.objectContaining({ code: 'bad_argument' }),
    );
  });
});

describe('sync', () => {
  const framing: SyncFraming = {
    type: 'sync',
    sync: bytesOf('b562'),
    length: 'u8',
    checksum: { algorithm: 'crc-8' },
    maxFrame: 32,
  };
  const { encode } = makeFraming(framing);
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

  test('what was taken for a frame is searched for the next', () => {
    const inner = hex(encode(bytesOf('01')));
    const { events } = decoderOf(framing).feed(
      bytesOf(`b562 20 ${inner}`),
      bytesOf(hex(encode(bytesOf('02')))),
      'idle',
    );
    expect(events).toEqual(['discarded 3 truncated', '01', '02']);
  });

  test('bytes between frames make one report with the reason of the first', () => {
    const frame = hex(encode(bytesOf('01')));
    const { events } = decoderOf(framing).feed(bytesOf(`0102 b5 b562 01 ff 00 b5 ${frame}`));
    expect(events).toEqual(['discarded 9 no_header', '01']);
  });

  test('endless garbage is told now and then', () => {
    const { sink, decoder } = decoderOf(framing);
    for (let turn = 0; turn < 200; turn++) decoder.push(new Uint8Array(1024).fill(0x11));
    expect(sink.discards.length).toBe(3);
    decoder.close();
    expect(sink.discardedBytes).toBe(200 * 1024);
  });
});

describe('fixed', () => {
  test('counts off a stream, and comes into step on a line with silence', () => {
    const framing: FixedFraming = { type: 'fixed', length: 3 };
    expect(decoderOf(framing, stream).feed(bytesOf('010203 04'), bytesOf('0506')).events).toEqual([
      '010203',
      '040506',
    ]);
    expect(decoderOf(framing).feed(bytesOf('010203 04'), 'idle', bytesOf('050607')).events).toEqual([
      '010203',
      'discarded 1 truncated',
      '050607',
    ]);
  });

  test('a trailer brings it into step', () => {
    const framing: FixedFraming = { type: 'fixed', length: 4, sync: bytesOf('02'), trailer: bytesOf('03') };
    const { events } = decoderOf(framing).feed(bytesOf('02aa 02bbbb03 02cc0203 02'), 'idle', 'idle');
    expect(events).toEqual(['discarded 2 bad_checksum', 'bbbb', 'cc02', 'discarded 1 truncated']);
  });
});

describe('the budget', () => {
  test('past it, whole candidates are skipped, and frames behind are found again', () => {
    const framing: SyncFraming = {
      type: 'sync',
      sync: bytesOf('aa'),
      length: 'u16be',
      checksum: { algorithm: 'crc-16/modbus' },
      maxFrame: 4000,
    };
    // Back to back, each of them claims the 4,000 bytes that follow.
    const hostile = Uint8Array.from({ length: 60_000 }, (_, index) => [0xaa, 0x0f, 0xa0][index % 3] ?? 0);
    const { sink, decoder, feed } = decoderOf(framing);
    feed(hostile, 'idle');
    expect(sink.discards.map((each) => each.reason)).toContain('budget');
    expect(sink.discardedBytes).toBe(hostile.length);
    feed(makeFraming(framing).encode(bytesOf('0102')));
    expect(sink.frames).toEqual(['0102']);
    expect(decoder.pending).toBe(0);
  });
});
