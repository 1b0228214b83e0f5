import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeclaredProtocol } from '../../../src/protocol/declared/declared-protocol.ts';
import { generatedMessage } from './arbitraries.ts';

test('what is encoded by any declaration comes back the same, and so do its bytes', () => {
  fc.assert(
    fc.property(generatedMessage, ({ declaration, values }) => {
      const protocol = new DeclaredProtocol(declaration);
      const payload = protocol.encode('any', values);
      const message = protocol.decode(payload);
      if (message.name !== 'declared')
        throw new Error(`${JSON.stringify(message)} of ${JSON.stringify(values)}`);
      expect(message.fields).toEqual(values);
      expect(protocol.encode('any', message.fields)).toEqual(payload);
      // JSON carries all of it.
      expect(JSON.parse(JSON.stringify(message.fields))).toEqual(message.fields);
      expect(protocol.inspect(payload).message).toEqual(message);
    }),
    { numRuns: 1_000 },
  );
});

test('any bytes are a message or a report, and never an exception', () => {
  fc.assert(
    fc.property(generatedMessage, fc.uint8Array({ maxLength: 80 }), ({ declaration }, bytes) => {
      const protocol = new DeclaredProtocol(declaration);
      const id = declaration.id?.at ?? 0;
      // Half of the time the id is right.
      if (bytes.length > id && bytes.length % 2 === 0) bytes[id] = 0x10;
      const message = protocol.decode(bytes);
      expect(['declared', 'invalid', 'unknown']).toContain(message.name);
      if (message.name === 'invalid') {
        expect(message.offset).toBeGreaterThanOrEqual(0);
        expect(message.offset).toBeLessThanOrEqual(bytes.length);
        expect(message.expected).not.toBe('');
        expect(message.payload).toEqual(bytes);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a payload that is cut says which field lacks how many bytes; one with a byte more is refused', () => {
  fc.assert(
    fc.property(generatedMessage, fc.nat(), ({ declaration, values }, cut) => {
      const protocol = new DeclaredProtocol(declaration);
      const payload = protocol.encode('any', values);
      const rest = declaration.messages[0]?.fields?.some(({ length }) => length === 'rest') === true;
      const shorter = protocol.decode(payload.subarray(0, cut % payload.length));
      expect(shorter.name).toBe('invalid');
      if (shorter.name === 'invalid' && shorter.reason === 'too_short' && shorter.needed !== undefined) {
        expect(shorter.available).toBeLessThan(shorter.needed);
      }
      const longer = protocol.decode(Uint8Array.of(...payload, 0));
      expect(longer).toMatchObject({ name: 'invalid', reason: rest ? 'bad_checksum' : 'too_long' });
    }),
    { numRuns: 500 },
  );
});

test('a check says what decoding would, and looks at no byte more often than it may', () => {
  fc.assert(
    fc.property(generatedMessage, fc.nat(), fc.nat({ max: 255 }), ({ declaration, values }, at, byte) => {
      const protocol = new DeclaredProtocol(declaration);
      const payload = protocol.encode('any', values);
      const damaged = payload.with(at % payload.length, byte);
      const cut = payload.subarray(0, at % payload.length);
      for (const bytes of [payload, damaged, cut, Uint8Array.of(...payload, byte)]) {
        const touched = protocol.check(bytes, 0, bytes.length);
        const message = protocol.decode(bytes);
        // Text may be broken in a message; where a frame is searched, it may be in one character only.
        const broken =
          message.name === 'declared' && message.issues.some(({ reason }) => reason === 'bad_text');
        if (touched >= 0 || !broken) expect(touched >= 0).toBe(message.name === 'declared');
        const looked = touched < 0 ? ~touched : touched;
        expect(looked).toBeLessThanOrEqual(protocol.passes * bytes.length);
      }
    }),
    { numRuns: 1_000 },
  );
});
