import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtinMessages } from '../../src/protocol/builtin.ts';
import { ProtocolDefinition } from '../../src/protocol/definition.ts';
import { LineDecoder } from '../../src/protocol/line-decoder.ts';
import { anyCuts, cutAnyhow } from './arbitraries.ts';
import { fromHex } from './fixtures.ts';
import { RecordingSink } from './recording-sink.ts';

const LONGEST = 2000;

/** A protocol with a message whose content is dear to check, and never right; counts what its checks touch. */
function dearProtocol(): { definition: ProtocolDefinition; touched: () => number } {
  let touched = 0;
  const definition = new ProtocolDefinition([
    ...builtinMessages(),
    {
      name: 'dear',
      id: 0x10,
      shapes: [
        {
          message: 'dear',
          kind: 'request',
          minLength: 1,
          maxLength: LONGEST,
          content: 'a checksum',
          weak: false,
          check(_bytes, start, end) {
            touched += end - start;
            return ~(end - start);
          },
        },
      ],
      decode: () => ({ name: 'heartbeat', kind: 'request' }),
    },
  ]);
  return { definition, touched: () => touched };
}

const dearHeader = fc
  .integer({ min: 1, max: LONGEST })
  .map((length) => [0, 0, length >> 8, length & 0xff, 0x10]);
const hostile = fc
  .array(fc.oneof({ weight: 20, arbitrary: dearHeader }, fc.constantFrom([0], [0, 0, 0, 1, 1], [0xff])), {
    minLength: 300,
    maxLength: 3000,
  })
  .map((parts) => Uint8Array.from(parts.flat()));

test('content checks touch at most 16 bytes for every byte received, at any time', () => {
  fc.assert(
    fc.property(hostile, anyCuts, (bytes, cuts) => {
      const { definition, touched } = dearProtocol();
      const sink = new RecordingSink(definition);
      const decoder = new LineDecoder(definition, sink);
      let received = 0;
      for (const chunk of cutAnyhow(bytes, cuts)) {
        decoder.push(chunk);
        received += chunk.length;
        if (touched() > 16 * received) throw new Error(`${touched()} bytes touched for ${received} received`);
      }
      decoder.close();
      expect(touched()).toBeLessThanOrEqual(16 * received);
      expect(sink.bytes).toBe(bytes.length);
    }),
    { numRuns: 25 },
  );
});

describe('past the budget', () => {
  // Back to back, each of them claims the 2,000 bytes that follow; checking them all would touch 400 bytes a byte.
  const headers = fromHex('000007d010'.repeat(2000));

  test('whole candidates are skipped, and the report says so', () => {
    const { definition, touched } = dearProtocol();
    const sink = new RecordingSink(definition);
    const decoder = new LineDecoder(definition, sink);
    decoder.push(fromHex('ff'));
    decoder.push(headers);
    decoder.close();
    expect(touched()).toBeGreaterThan(10 * headers.length);
    expect(touched()).toBeLessThanOrEqual(16 * (headers.length + 1));
    expect(sink.discards.map((each) => each.reason)).toEqual(['budget', 'truncated']);
    expect(sink.bytes).toBe(headers.length + 1);
  });

  test('frames behind are found as soon as it suffices again', () => {
    const { definition } = dearProtocol();
    const sink = new RecordingSink(definition);
    const decoder = new LineDecoder(definition, sink);
    decoder.push(fromHex('ff'));
    decoder.push(headers);
    decoder.idle();
    decoder.push(fromHex('0000000101'));
    expect(sink.events.at(-1)).toBe('heartbeat request');
  });
});
