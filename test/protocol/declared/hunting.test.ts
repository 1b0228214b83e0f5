import { describe, expect, test } from 'vitest';
import type { FieldDeclaration } from '../../../src/protocol/declared/declaration.ts';
import { ProtocolDefinition } from '../../../src/protocol/definition.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { LineDecoder } from '../../../src/protocol/line-decoder.ts';
import { declaredProtocol } from '../../support/declared.ts';

const checksum: FieldDeclaration = { type: 'crc', algorithm: 'crc-16/modbus' };
const LONGEST = 4_000;
const MESSAGES: Readonly<Record<string, readonly FieldDeclaration[]>> = {
  'a checksum over all of it': [
    { name: 'data', type: 'bytes', length: 'rest' },
    { name: 'crc', ...checksum },
  ],
  'three checksums': [
    { name: 'data', type: 'bytes', length: 'rest' },
    { name: 'crc', ...checksum },
    { name: 'crc_2', ...checksum },
    { name: 'crc_3', ...checksum },
  ],
  'a checksum in every element over all in front': [
    {
      name: 'list',
      type: 'array',
      count: 'rest',
      of: {
        type: 'struct',
        fields: [
          { name: 'flag', type: 'u8' },
          { name: 'crc', type: 'crc', algorithm: 'sum-8' },
        ],
      },
    },
  ],
  'text up to its end': [{ name: 'text', type: 'text', length: 'rest' }],
};
const HEADER = [0, 0, LONGEST >> 8, LONGEST & 0xff, 0x10];

/** What garbage costs: headers back to back, each of which claims the 4,000 bytes that follow. */
const hostile = (header: readonly number[]): Uint8Array =>
  Uint8Array.from({ length: 200_000 }, (_, at) => header[at % header.length] ?? 0);

describe.each(Object.entries(MESSAGES))('a frame with %s', (_, fields) => {
  const protocol = declaredProtocol([{ name: 'long', id: 0x10, fields }]);

  test('is searched within 16 bytes for every byte received', () => {
    let touched = 0;
    let checks = 0;
    const { messages, maxFrame } = protocol.definition();
    const counting = messages.map((message) => ({
      ...message,
      shapes: message.shapes.map((shape) => ({
        ...shape,
        check(bytes: Uint8Array, start: number, end: number) {
          const result = shape.check(bytes, start, end);
          touched += result < 0 ? ~result : result;
          checks++;
          return result;
        },
      })),
    }));
    let seen = 0;
    const decoder = new LineDecoder(new ProtocolDefinition(counting, maxFrame), {
      frame: (_bytes, start, end) => {
        seen += 4 + end - start;
      },
      discarded: ({ count }) => {
        seen += count;
      },
      fault: () => undefined,
    });
    const bytes = hostile(HEADER);
    decoder.push(Uint8Array.of(0xff));
    for (let at = 0; at < bytes.length; at += 256) {
      decoder.push(bytes.subarray(at, at + 256));
      expect(touched).toBeLessThanOrEqual(16 * (1 + at + 256));
    }
    decoder.close();
    expect(seen).toBe(1 + bytes.length);
    expect(checks).toBeGreaterThan(0);
  });

  test('is searched within them in a framing that leaves nothing else to look at', () => {
    let touched = 0;
    let checks = 0;
    const decoder = makeFraming({ type: 'length', length: 'u32be', maxFrame: 65_536 }).makeDecoder(
      { frame: () => undefined, discarded: () => undefined, fault: () => undefined },
      {
        line: 'serial',
        judge: {
          passes: protocol.passes,
          possible: () => true,
          check(bytes, start, end) {
            const result = protocol.check(bytes, start, end);
            touched += result < 0 ? ~result : result;
            checks++;
            return result;
          },
        },
      },
    );
    const bytes = hostile(HEADER);
    for (let at = 0; at < bytes.length; at += 256) {
      decoder.push(bytes.subarray(at, at + 256));
      expect(touched).toBeLessThanOrEqual(16 * (at + 256));
    }
    expect(checks).toBeGreaterThan(0);
  });
});

test('a check makes no values, whatever it looks at', () => {
  const text = 'é'.repeat(2_000);
  const protocol = declaredProtocol([
    {
      name: 'long',
      id: 0x10,
      fields: [
        { name: 'label', type: 'text', length: 'u16' },
        { name: 'image', type: 'bytes', length: 'u16' },
        { name: 'list', type: 'array', count: 'u16', of: { type: 'i16', scale: 0.01 } },
        { name: 'crc', type: 'crc', algorithm: 'crc-32' },
      ],
    },
  ]);
  const list = Array.from({ length: 2_000 }, (_, at) => at / 100);
  const payload = protocol.encode('long', { label: text, image: `0x${'a5'.repeat(4_000)}`, list });
  payload[payload.length - 1] = (payload.at(-1) ?? 0) ^ 1;
  const grownBy = (work: () => void): number => {
    let least = Number.POSITIVE_INFINITY;
    // A collection in between makes one round say nothing, never all of them.
    for (let round = 0; round < 5; round++) {
      const before = process.memoryUsage().heapUsed;
      for (let index = 0; index < 50; index++) work();
      const grown = process.memoryUsage().heapUsed - before;
      if (grown >= 0) least = Math.min(least, grown);
    }
    return least;
  };
  const check = () => expect(protocol.check(payload, 0, payload.length) < 0).toBe(true);
  const checked = grownBy(() => void protocol.check(payload, 0, payload.length));
  check();
  expect(checked).toBeLessThan(200_000);
  expect(grownBy(() => void protocol.decode(payload))).toBeGreaterThan(10 * Math.max(checked, 10_000));
});
