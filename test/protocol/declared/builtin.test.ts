import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodePayload, encodeFrame } from '../../../src/protocol/codec.ts';
import { builtinDeclaration, withBuiltin } from '../../../src/protocol/declared/builtin.ts';
import { DeclaredProtocol } from '../../../src/protocol/declared/declared-protocol.ts';
import type { BuiltinMessage } from '../../../src/protocol/message.ts';
import { builtinProtocol } from '../../../src/protocol/messages/registry.ts';
import { anyMessage } from '../arbitraries.ts';
import { fromHex, invalidFixtures, messageFixtures } from '../fixtures.ts';

const declared = new DeclaredProtocol(builtinDeclaration());
const byHand = builtinProtocol();

function encodeDeclared(message: BuiltinMessage): Uint8Array {
  const fields = 'fields' in message ? { ...message.fields } : {};
  return message.kind === 'reply'
    ? declared.encodeReply(message.name, message.error, fields)
    : declared.encode(message.name, fields);
}

/** What both ways of decoding have in common. */
function common(bytes: Uint8Array, decode: 'declared' | 'by hand') {
  const message = decode === 'declared' ? declared.decode(bytes) : decodePayload(byHand, bytes);
  switch (message.name) {
    case 'declared': {
      const { message: name, kind, fields } = message;
      return {
        name,
        kind,
        ...(message.kind === 'reply' ? { error: message.error } : {}),
        fields: { ...fields },
      };
    }
    case 'invalid':
      return { name: 'invalid', message: message.message };
    case 'unknown':
      return { name: 'unknown', id: message.id };
    default:
      return {
        name: message.name,
        kind: message.kind,
        ...(message.kind === 'reply' ? { error: message.error } : {}),
        fields: 'fields' in message ? { ...message.fields } : {},
      };
  }
}

describe('the built-in messages, declared', () => {
  const known = messageFixtures.filter(({ message }) => message.kind !== 'unknown');

  test.each(known)('$name: the golden bytes', ({ hex, message }) => {
    const payload = fromHex(hex).subarray(4);
    expect(common(payload, 'declared')).toEqual(common(payload, 'by hand'));
    expect(encodeDeclared(message as BuiltinMessage)).toEqual(payload); // the fixtures hold none else
  });

  test.each(invalidFixtures)('$name: refused by both', ({ hex }) => {
    const payload = fromHex(hex).subarray(4);
    expect(common(payload, 'declared')).toEqual(common(payload, 'by hand'));
  });

  test('any message has the same bytes, and comes back the same', () => {
    fc.assert(
      fc.property(anyMessage(fc.integer({ min: -128, max: 127 })), (message) => {
        const payload = encodeFrame(message).subarray(4);
        expect(encodeDeclared(message as BuiltinMessage)).toEqual(payload); // nor does this arbitrary make others
        expect(common(payload, 'declared')).toEqual(common(payload, 'by hand'));
      }),
    );
  });

  test('any bytes are judged alike', () => {
    const id = fc.integer({ min: 0, max: 3 });
    const rest = fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 60 }));
    fc.assert(
      fc.property(id, rest, (first, bytes) => {
        const payload = Uint8Array.of(first, ...bytes);
        expect(common(payload, 'declared')).toEqual(common(payload, 'by hand'));
      }),
      { numRuns: 2_000 },
    );
  });
});

test.each([
  ['an id', { name: 'level', id: 0 }],
  ['a name', { name: 'heartbeat', id: 0x12 }],
])('they are not added to messages that take %s of theirs', (_, message) => {
  const declaration = { ...builtinDeclaration(), messages: [message] };
  expect(new DeclaredProtocol(withBuiltin(declaration)).messages.map(({ name }) => name)).toEqual([
    message.name,
  ]);
});
