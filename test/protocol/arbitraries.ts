import fc from 'fast-check';
import type { Message } from '../../src/protocol/message.ts';

const digits = (count: number) =>
  fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: count, maxLength: count })
    .map((each) => each.join(''));

const datetimeText = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 19).replace('T', ' '));

/** Any message of the built-in protocol, with error codes out of the given ones. */
export function anyMessage(errors: fc.Arbitrary<number>): fc.Arbitrary<Message> {
  const datetimeReply = (error: number): fc.Arbitrary<Message> =>
    error === 0
      ? datetimeText.map((datetime) => ({ name: 'datetime', kind: 'reply', error, fields: { datetime } }))
      : fc.constant({ name: 'datetime', kind: 'reply', error, fields: {} });
  return fc.oneof(
    fc
      .record({ appid: fc.uuid(), imei: digits(15) })
      .map((fields): Message => ({ name: 'register', kind: 'request', fields })),
    errors.map((error): Message => ({ name: 'register', kind: 'reply', error })),
    fc.constant<Message>({ name: 'heartbeat', kind: 'request' }),
    errors.map((error): Message => ({ name: 'heartbeat', kind: 'reply', error })),
    fc.constant<Message>({ name: 'datetime', kind: 'request' }),
    errors.chain(datetimeReply),
  );
}

/** Bytes that look like our protocol more often than chance would have it. */
export const hostileBytes: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc.constantFrom(0, 0, 0, 1, 2, 0x15, 0x34, 0xff).map((byte) => [byte]),
      fc.constantFrom(
        [0, 0, 0, 1, 1],
        [0, 0, 0, 2, 1, 0],
        [0, 0, 0, 0x34, 0],
        [0, 0, 0, 0x15, 2, 0],
        [0, 0, 0, 2, 0],
      ),
      fc.integer({ min: 0, max: 255 }).map((byte) => [byte]),
    ),
    { maxLength: 150, size: 'max' },
  )
  .map((parts) => Uint8Array.from(parts.flat()));

/** The same bytes, cut anyhow. */
export function cutAnyhow(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const to = Math.min(bytes.length, at + (cuts[turn % cuts.length] ?? 1));
    chunks.push(bytes.slice(at, to));
    at = to;
  }
  return chunks;
}

export const anyCuts: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 1, max: 40 }), {
  minLength: 1,
  maxLength: 8,
});
