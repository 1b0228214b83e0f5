import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openPayloads } from '../../src/cli/bridge-keys.ts';
import type { ServerMessage } from '../../src/client/index.ts';
import { Encryptor } from '../../src/encryption/encryptor.ts';

const keys = [randomBytes(32), randomBytes(32), randomBytes(32)].map((each) => new Uint8Array(each));
const encryptor = new Encryptor({
  keys: new Map(keys.map((each, index) => [`k${index}`, each])),
  rules: keys.map((_, index) => ({ pattern: `devices/d${index}/#`, key: `k${index}` })),
});
const topics = keys.map((_, index) => `devices/d${index}/state`);

async function snapshot(): Promise<ServerMessage> {
  const items = topics.map(async (topic) => {
    return { topic, epoch: 'e', rev: 1, seq: 1, state: await encryptor.encrypt(topic, { topic }) };
  });
  return {
    type: 'snapshot',
    id: 'm',
    timestamp: 1,
    payload: { items: await Promise.all(items), removed: [] },
  };
}

/** Which of the topics are opened with some of the keys, and what is told of the others. */
async function opened(...indexes: number[]) {
  const told: string[] = [];
  const given = keys.filter((_, index) => indexes.includes(index));
  const open = openPayloads(given, (text) => void told.push(text));
  const message = await open(await snapshot());
  await open(await snapshot());
  const items = message.type === 'snapshot' ? message.payload.items : [];
  return { opened: items.flatMap(({ state }, index) => (state.$jwe === undefined ? [index] : [])), told };
}

describe('opening with several keys that have no names', () => {
  it.each([
    [[0, 1, 2], []],
    [[2, 0], ['k1']],
    [[1], ['k0', 'k2']],
    [[], ['k0', 'k1', 'k2']],
  ])(
    'with the keys %j all is opened that they fit, and %j are told to be missing, once each',
    async (given, missing) => {
      const { opened: found, told } = await opened(...given);
      expect(found).toEqual(given.toSorted());
      expect(told.map((text) => /the key "(\w+)"/.exec(text)?.[1])).toEqual(missing);
    },
  );

  it('names no more missing keys than somebody reads, and nothing that a terminal obeys', async () => {
    const told: string[] = [];
    const open = openPayloads([], (text) => void told.push(text));
    const topic = 'devices/d0/state';
    for (let n = 0; n < 20; n++) {
      const kid = `\u001b[2J${n}${'x'.repeat(1_000)}`;
      const head = Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid, topic })).toString(
        'base64url',
      );
      const data = { $jwe: `${head}..AAAA.AAAA.AAAA` };
      const payload = { topic, epoch: 'e', rev: n, seq: n, data };
      expect(await open({ type: 'event', id: 'm', timestamp: 1, payload })).toMatchObject({
        payload: { data },
      });
    }
    expect(told).toHaveLength(8);
    expect(told.join('')).not.toContain('\u001b');
    expect(Math.max(...told.map(({ length }) => length))).toBeLessThan(300);
  });

  it('says that a payload was moved, and asks for no key then', async () => {
    const told: string[] = [];
    const open = openPayloads(keys, (text) => void told.push(text));
    const data = await encryptor.encrypt('devices/d0/state', {});
    const payload = { topic: 'devices/d1/state', epoch: 'e', rev: 1, seq: 1, data };
    await open({ type: 'event', id: 'm', timestamp: 1, payload });
    expect(told).toEqual([
      'devices/d1/state is shown as it came. A payload could not be opened: it was said under another topic.',
    ]);
  });
});
