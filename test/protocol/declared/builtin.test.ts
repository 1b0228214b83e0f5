import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtinProtocol } from '../../../src/protocol/builtin.ts';
import { decodePayload, encodeFrame } from '../../../src/protocol/codec.ts';
import { builtinDeclaration, withBuiltin } from '../../../src/protocol/declared/builtin.ts';
import { DeclaredProtocol } from '../../../src/protocol/declared/declared-protocol.ts';
import { anyMessage } from '../arbitraries.ts';
import { fromHex, invalidFixtures, messageFixtures } from '../fixtures.ts';

const definition = builtinProtocol();

/** The same protocol in a few lines that share nothing with the code: the message as text, or why it is none. */
function byRule(payload: Uint8Array): string {
  const [id = 0, second = 0] = payload;
  const error = (second << 24) >> 24;
  const text = Buffer.from(payload).toString('latin1');
  const name = ['register', 'heartbeat', 'datetime'][id];
  if (name === undefined) return `unknown ${(id << 24) >> 24}`;
  if (payload.length === 1 && name !== 'register') return `${name} request`;
  if (payload.length === 2) {
    return name === 'datetime' && error === 0 ? 'invalid datetime error' : `${name} reply ${error}`;
  }
  if (name === 'register' && payload.length === 52) {
    const appid = text.slice(1, 37);
    const imei = text.slice(37);
    if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(appid)) return 'invalid register appid';
    return /^\d{15}$/.test(imei) ? `register request ${appid} ${imei}` : 'invalid register imei';
  }
  if (name === 'datetime' && payload.length === 21) {
    if (error !== 0) return 'invalid datetime error';
    const shown = text.slice(2);
    const at = Date.parse(`${shown.replace(' ', 'T')}Z`);
    const real =
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(shown) && !shown.startsWith('0000') && !Number.isNaN(at);
    const same = real && new Date(at).toISOString().startsWith(shown.replace(' ', 'T'));
    return same ? `datetime reply 0 ${shown}` : 'invalid datetime datetime';
  }
  return `invalid ${name} length`;
}

/** What the product says of a payload, in the same words. */
function decoded(payload: Uint8Array): string {
  const message = decodePayload(definition, payload);
  switch (message.name) {
    case 'invalid':
      return `invalid ${message.message} ${message.field}`;
    case 'unknown':
      return `unknown ${message.id}`;
    case 'declared':
    case 'echo':
      return message.name;
    default: {
      const error = message.kind === 'reply' ? ` ${message.error}` : '';
      const fields = 'fields' in message ? Object.values(message.fields) : [];
      return [`${message.name} ${message.kind}${error}`, ...fields].join(' ');
    }
  }
}

describe('the built-in messages are what the protocol says', () => {
  test.each([...messageFixtures, ...invalidFixtures])('$name', ({ hex }) => {
    const payload = fromHex(hex).subarray(4);
    expect(decoded(payload)).toBe(byRule(payload));
  });

  test('any message, damaged or not', () => {
    const damage = fc.record({ at: fc.nat(60), byte: fc.integer({ min: -1, max: 255 }) });
    fc.assert(
      fc.property(anyMessage(fc.integer({ min: -128, max: 127 })), fc.option(damage), (message, harm) => {
        const payload = [...encodeFrame(message).subarray(4)];
        if (harm !== null && harm.at < payload.length) {
          payload.splice(harm.at, 1, ...(harm.byte < 0 ? [] : [harm.byte]));
        }
        fc.pre(payload.length > 0);
        expect(decoded(Uint8Array.from(payload))).toBe(byRule(Uint8Array.from(payload)));
      }),
      { numRuns: 2_000 },
    );
  });

  test('any bytes', () => {
    const id = fc.integer({ min: 0, max: 3 });
    const rest = fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 60 }));
    fc.assert(
      fc.property(id, rest, (first, bytes) => {
        const payload = Uint8Array.of(first, ...bytes);
        expect(decoded(payload)).toBe(byRule(payload));
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
