import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openSecrets, type SecretProblem } from '../../src/client/secret.ts';
import type { ServerMessage } from '../../src/contract/feed/server-messages.ts';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import { Encryptor } from '../../src/encryption/encryptor.ts';

const TOPIC = 'devices/psu-1/state';
const key = new Uint8Array(randomBytes(32));
const text = Buffer.from(key).toString('base64');
const encryptor = new Encryptor({ rules: [{ pattern: 'devices/#', key: 'k' }], keys: new Map([['k', key]]) });
const version = { topic: TOPIC, epoch: 'e', rev: 5, seq: 3 };
const envelope = { id: 'm', timestamp: 1 };

function opening(keys: Record<string, string | Uint8Array> = { k: text }) {
  const problems: SecretProblem[] = [];
  return { problems, open: openSecrets({ keys, onProblem: (problem) => void problems.push(problem) }) };
}

const update = (payload: object): ServerMessage =>
  // The tests write some payloads that a bridge would not.
  ({ ...envelope, type: 'update', payload: { ...version, ...payload } }) as ServerMessage;

describe('opening what the bridge encrypted', () => {
  it.each([
    ['base64 text', text],
    ['base64url text without padding', Buffer.from(key).toString('base64url')],
    ['bytes', key],
  ])('takes a key as %s', async (_, given) => {
    const { open } = opening({ k: given });
    const state = await encryptor.encrypt(TOPIC, { status: 'online' });
    const message = await open(update({ full: true, state }));
    expect(message.payload).toEqual({ ...version, full: true, state: { status: 'online' } });
  });

  it('makes a whole document of a patch', async () => {
    const { open } = opening();
    const patch = await encryptor.encrypt(TOPIC, { status: 'stale' });
    const message = await open(update({ prev: 2, patch: { ...patch, status: null, values: null } }));
    expect(message.payload).toEqual({ ...version, full: true, state: { status: 'stale' } });
  });

  it('makes a whole document of the patch after which a topic is no secret any more', async () => {
    const message = await opening().open(update({ prev: 2, patch: { $jwe: null, status: 'online' } }));
    expect(message.payload).toEqual({ ...version, full: true, state: { status: 'online' } });
  });

  it('opens the items of a snapshot, events and replies', async () => {
    const { open } = opening();
    const items = [
      { ...version, state: await encryptor.encrypt(TOPIC, { n: 1 }) },
      { ...version, topic: 'devices/open/state', state: { n: 2 } },
    ];
    const snapshot = await open({ ...envelope, type: 'snapshot', payload: { items, removed: [] } });
    expect(snapshot).toMatchObject({ payload: { items: [{ state: { n: 1 } }, { state: { n: 2 } }] } });
    const data = await encryptor.encrypt(TOPIC, { n: 3 });
    expect(await open({ ...envelope, type: 'event', payload: { ...version, data } })).toMatchObject({
      payload: { data: { n: 3 } },
    });
    const fields = await encryptor.encrypt('devices/psu-1/messages', { n: 4 });
    const result = { error: 0, fields };
    expect(await open({ ...envelope, type: 'response', payload: { result } })).toMatchObject({
      payload: { result: { error: 0, fields: { n: 4 } } },
    });
  });

  it('leaves alone, and at once, what is not encrypted', () => {
    const { open, problems } = opening();
    const message: ServerMessage = { ...envelope, type: 'event', payload: { ...version, data: { n: 1 } } };
    expect(open(message)).toBe(message);
    expect(problems).toEqual([]);
  });

  it('passes on what a newer bridge says beside it', () => {
    // No message of this version.
    const message = { ...envelope, type: 'novelty', payload: {} } as unknown as ServerMessage;
    expect(opening().open(message)).toBe(message);
  });
});

describe('what cannot be opened', () => {
  const opened = async (state: JsonObject, keys?: Record<string, string | Uint8Array>) => {
    const { open, problems } = opening(keys);
    const message = await open(update({ full: true, state }));
    return { state: (message.payload as { readonly state: JsonObject }).state, problems };
  };
  const sealed = () => encryptor.encrypt(TOPIC, { status: 'online' });

  it.each<[string, (jwe: string) => Promise<string> | string, SecretProblem['reason']]>([
    [
      'a changed byte',
      (jwe) => jwe.replace(/\.([^.])([^.]*)\.([^.]+)$/, (_, a, b, c) => `.${a === 'A' ? 'B' : 'A'}${b}.${c}`),
      'unreadable',
    ],
    ['a changed tag', (jwe) => `${jwe.slice(0, -4)}AAAA`, 'unreadable'],
    [
      'another topic',
      async () => String((await encryptor.encrypt('devices/other/state', {})).$jwe),
      'unreadable',
    ],
    [
      'another header',
      (jwe) =>
        jwe.replace(
          /^[^.]+/,
          Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid: 'k', topic: TOPIC, x: 1 })).toString(
            'base64url',
          ),
        ),
      'unreadable',
    ],
    [
      'another algorithm',
      (jwe) =>
        jwe.replace(
          /^[^.]+/,
          Buffer.from(JSON.stringify({ alg: 'none', kid: 'k', topic: TOPIC })).toString('base64url'),
        ),
      'unreadable',
    ],
    ['no JWE at all', () => 'hello', 'unreadable'],
    ['a part too many', (jwe) => `${jwe}.AAAA`, 'unreadable'],
  ])('stays as it came: %s', async (_, damage, reason) => {
    const $jwe = await damage(String((await sealed()).$jwe));
    const { state, problems } = await opened({ $jwe });
    expect(state).toEqual({ $jwe });
    expect(problems.map((each) => each.reason)).toEqual([reason]);
  });

  it('is told of a key that does not fit in words', async () => {
    const { problems } = await opened(await sealed(), { k: new Uint8Array(32) });
    expect(problems[0]?.message).toBe('A payload could not be opened: the key does not fit.');
  });

  it.each<[string, Record<string, string | Uint8Array>, SecretProblem['reason']]>([
    ['no key', {}, 'key_unknown'],
    ['a key of that name that fits not', { k: new Uint8Array(32) }, 'unreadable'],
    ['a key of another length', { k: 'c2hvcnQ=' }, 'unreadable'],
  ])('stays as it came: %s', async (_, keys, reason) => {
    const state = await sealed();
    const result = await opened(state, keys);
    expect(result.state).toEqual(state);
    expect(result.problems).toMatchObject([{ reason, topic: TOPIC, keyId: 'k' }]);
  });

  it('does not take a key from the prototype', async () => {
    const strange = new Encryptor({
      rules: [{ pattern: 'devices/#', key: '__proto__' }],
      keys: new Map([['__proto__', key]]),
    });
    const { problems } = await opened(await strange.encrypt(TOPIC, {}), { k: text });
    expect(problems).toMatchObject([{ reason: 'key_unknown', keyId: '__proto__' }]);
  });

  it('asks again for a key that was not there, and not again for one that was', async () => {
    const asked: string[] = [];
    let there = false;
    const open = openSecrets({
      keys: (id) => {
        asked.push(id);
        return there ? key : undefined;
      },
    });
    const message = update({ full: true, state: await sealed() });
    await open(message);
    there = true;
    expect(await open(message)).toMatchObject({ payload: { state: { status: 'online' } } });
    await open(message);
    expect(asked).toEqual(['k', 'k']);
  });
});
