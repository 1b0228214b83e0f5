import fc from 'fast-check';
import { expect, test } from 'vitest';
import { builtinProtocol } from '../../src/protocol/builtin.ts';
import { decodePayload, encodeFrame } from '../../src/protocol/codec.ts';
import { LineDecoder } from '../../src/protocol/line-decoder.ts';
import type { Message } from '../../src/protocol/message.ts';
import { StreamDecoder } from '../../src/protocol/stream-decoder.ts';
import { anyCuts, anyMessage, cutAnyhow, hostileBytes } from './arbitraries.ts';
import { RecordingSink } from './recording-sink.ts';

const definition = builtinProtocol();
const anyError = fc.integer({ min: -128, max: 127 });
/** Those that a line out of step believes. */
const plainError = fc.constantFrom(0, -1);

function onLine(chunks: readonly Uint8Array[], idleAfterEach = false): RecordingSink {
  const sink = new RecordingSink(definition);
  const decoder = new LineDecoder(definition, sink);
  for (const chunk of chunks) {
    decoder.push(chunk);
    if (idleAfterEach) decoder.idle();
  }
  decoder.close();
  return sink;
}

function onStream(chunks: readonly Uint8Array[]): RecordingSink {
  const sink = new RecordingSink(definition);
  const decoder = new StreamDecoder(definition, sink);
  for (const chunk of chunks) decoder.push(chunk);
  decoder.close();
  return sink;
}

test('what is encoded decodes to itself', () => {
  fc.assert(
    fc.property(anyMessage(anyError), (message) => {
      expect(decodePayload(definition, encodeFrame(message), 4)).toEqual(message);
    }),
  );
});

test('messages come out of a stream as they went in, cut anyhow', () => {
  fc.assert(
    fc.property(fc.array(anyMessage(anyError)), anyCuts, (messages, cuts) => {
      const bytes = Buffer.concat(messages.map(encodeFrame));
      expect(onStream(cutAnyhow(bytes, cuts)).messages).toEqual(messages);
    }),
  );
});

test('messages come out of a line as they went in, cut anyhow', () => {
  fc.assert(
    fc.property(fc.array(anyMessage(plainError)), anyCuts, (messages, cuts) => {
      const bytes = Buffer.concat(messages.map(encodeFrame));
      expect(onLine(cutAnyhow(bytes, cuts)).messages).toEqual(messages);
    }),
  );
});

test('hostile bytes never throw, and how they are cut changes nothing', () => {
  fc.assert(
    fc.property(hostileBytes, anyCuts, (bytes, cuts) => {
      const stream = onStream([bytes]);
      const chopped = onStream(cutAnyhow(bytes, cuts));
      expect(chopped.events).toEqual(stream.events);
      expect(chopped.faults.length).toBeLessThanOrEqual(1);
      expect(onLine(cutAnyhow(bytes, cuts)).events).toEqual(onLine([bytes]).events);
    }),
    { numRuns: 500 },
  );
});

test('on a line every byte is in exactly one frame or report', () => {
  fc.assert(
    fc.property(hostileBytes, anyCuts, fc.boolean(), (bytes, cuts, idle) => {
      expect(onLine(cutAnyhow(bytes, cuts), idle).bytes).toBe(bytes.length);
    }),
    { numRuns: 500 },
  );
});

test('on a line garbage costs no frame that silence divides it from', () => {
  const burst = fc.record({ garbage: hostileBytes, message: anyMessage(plainError) });
  fc.assert(
    fc.property(fc.array(burst, { maxLength: 10 }), (bursts) => {
      const sink = new RecordingSink(definition);
      const decoder = new LineDecoder(definition, sink);
      for (const { garbage, message } of bursts) {
        decoder.push(garbage);
        decoder.idle();
        sink.messages.length = 0;
        decoder.push(encodeFrame(message));
        decoder.idle();
        expect(sink.messages).toEqual([message]);
      }
    }),
  );
});

test('on a line garbage around frames costs only bare replies between garbage and garbage', () => {
  // Without zeros garbage can be no part of a header, so that what must be found is known exactly.
  const noise = fc.oneof(
    fc.constant(new Uint8Array(0)),
    fc.uint8Array({ min: 1, minLength: 1, maxLength: 30 }),
  );
  const part = fc.record({ noise, message: anyMessage(plainError) });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), noise, anyCuts, (parts, end, cuts) => {
      const expected: Message[] = [];
      let inStep = true;
      parts.forEach(({ noise: before, message }, index) => {
        if (before.length > 0) inStep = false;
        const after = parts[index + 1]?.noise ?? end;
        const bare = message.kind === 'reply' && encodeFrame(message).length === 6;
        if (!inStep && bare && after.length > 0) return;
        inStep = true;
        expected.push(message);
      });
      const bytes = Buffer.concat([...parts.flatMap((each) => [each.noise, encodeFrame(each.message)]), end]);
      expect(onLine(cutAnyhow(bytes, cuts)).messages).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});
