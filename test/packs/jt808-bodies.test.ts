import { describe, expect, it } from 'vitest';
import { readShippedPacks } from '../../src/config/packs/tables.ts';

const packs = (await readShippedPacks()).filter(({ name }) => name.startsWith('jt808'));

/** Bytes in front of the body. */
const HEADER = { 'jt808-2013': 12, 'jt808-2019': 17 } as const;
const ENCRYPTED = 0x04;
const SPLIT = 0x20;

describe.each(packs.map((pack) => [pack.name as keyof typeof HEADER, pack] as const))('%s', (name, pack) => {
  const { protocol, frames } = pack;
  /** Payloads of terminals that have a body. */
  const payloads = frames
    .filter(({ from }) => from === 'device')
    .map(({ message, fields }) => ({
      message,
      // Frames of packs are checked against their messages.
      payload: protocol.encode(message, fields as Parameters<typeof protocol.encode>[1]),
    }))
    .filter(({ payload }) => payload.length > HEADER[name]);

  const changed = (payload: Uint8Array, bit: number, inserted: readonly number[] = []): Uint8Array => {
    const header = payload.slice(0, HEADER[name]);
    header[2] = (header[2] ?? 0) | bit;
    return Uint8Array.from([...header, ...inserted, ...payload.subarray(HEADER[name])]);
  };

  it('has messages with a body', () => {
    expect(new Set(payloads.map(({ message }) => message)).size).toBeGreaterThan(2);
  });

  it.each(payloads.map(({ message, payload }) => [message, payload] as const))(
    'reads no values from a %s whose body is encrypted, or one of several parts',
    (message, payload) => {
      expect(protocol.decode(payload, 0, payload.length, 'device')).toMatchObject({
        name: 'declared',
        message,
      });
      for (const each of [changed(payload, ENCRYPTED), changed(payload, SPLIT, [0, 2, 0, 2])])
        expect(protocol.decode(each, 0, each.length, 'device')).toMatchObject({ name: 'invalid', message });
    },
  );
});
