import { randomBytes } from 'node:crypto';
import { compactDecrypt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/publisher.ts';
import { EncryptingPublisher } from '../../src/encryption/encrypting-publisher.ts';
import { Encryptor } from '../../src/encryption/encryptor.ts';
import { FeedStore } from '../../src/feed/core/store.ts';

const STATE = 'devices/psu-1/state';
const MESSAGES = 'devices/psu-1/messages';
const OPEN = 'devices/psu-2/state';

const OLD = new Uint8Array(randomBytes(32));
const NEW = new Uint8Array(randomBytes(32));
const encryptorWith = (key: string) =>
  new Encryptor({
    rules: [{ pattern: 'devices/psu-1/#', key }],
    keys: new Map([
      ['old', OLD],
      ['new', NEW],
    ]),
  });

/** A feed behind an encrypting publisher, and everything that it said. */
function feed(encryptor: Encryptor | undefined) {
  const store = new FeedStore({ epoch: 'e' });
  const events: JsonObject[] = [];
  const states: Array<JsonObject | undefined> = [];
  store.listen((change) => {
    if (change.kind === 'event') events.push(change.data);
    if (change.kind === 'state') states.push(change.document);
    if (change.kind === 'removal') states.push(undefined);
  });
  const warnings: object[] = [];
  const note = (fields: object) => void warnings.push(fields);
  const publisher = new EncryptingPublisher({
    publisher: store,
    retained: () => store.documents('devices/#'),
    log: { info: note, warn: note, error: note },
  });
  publisher.replace(encryptor);
  return { store, publisher, events, states, warnings };
}

/** Opens with the library that encrypted, which is not the code of our client. */
async function opened(payload: JsonObject | undefined, key: Uint8Array): Promise<unknown> {
  const { plaintext } = await compactDecrypt(String(payload?.$jwe), key);
  return JSON.parse(new TextDecoder().decode(plaintext));
}

const kidOf = (payload: JsonObject | undefined) => decodeProtectedHeader(String(payload?.$jwe)).kid;

describe('a publisher that encrypts', () => {
  it('hands on at once what it does not cover', () => {
    const { store, publisher } = feed(encryptorWith('old'));
    publisher.publishState(OPEN, { status: 'online' });
    expect(store.document(OPEN)).toEqual({ status: 'online' });
  });

  it('retains nothing but the encrypted document, bound to its topic and naming its key', async () => {
    const { store, publisher } = feed(encryptorWith('old'));
    publisher.publishState(STATE, { status: 'online', values: { secret: 4711 } });
    await expect.poll(() => store.document(STATE)).toBeDefined();
    const document = store.document(STATE);
    expect(JSON.stringify(document)).not.toMatch(/4711|online/);
    expect(Object.keys(document ?? {})).toEqual(['$jwe']);
    expect(decodeProtectedHeader(String(document?.$jwe))).toEqual({
      alg: 'dir',
      enc: 'A256GCM',
      kid: 'old',
      topic: STATE,
    });
    expect(await opened(document, OLD)).toEqual({ status: 'online', values: { secret: 4711 } });
  });

  it('says the last of several states, and the same one not again', async () => {
    const { publisher, states, store } = feed(encryptorWith('old'));
    for (let count = 0; count <= 100; count++) publisher.publishState(STATE, { count });
    await expect
      .poll(async () => opened(store.document(STATE), OLD).catch(() => undefined))
      .toEqual({
        count: 100,
      });
    expect(states.length).toBeLessThanOrEqual(3);
    const { rev } = store;
    publisher.publishState(STATE, { count: 100 });
    publisher.publishState(STATE, { count: 101 });
    await expect.poll(() => store.rev).toBe(rev + 1);
  });

  it('says every event in its order', async () => {
    const { publisher, events } = feed(encryptorWith('old'));
    for (let n = 0; n < 500; n++) publisher.publishEvent(MESSAGES, { n });
    await expect.poll(() => events.length).toBe(500);
    const numbers = await Promise.all(events.map(async (each) => opened(each, OLD)));
    expect(numbers).toEqual(Array.from({ length: 500 }, (_, n) => ({ n })));
  });

  it('tells how many events were lost where they came too fast', async () => {
    const { publisher, events, warnings } = feed(encryptorWith('old'));
    for (let n = 0; n < 3_000; n++) publisher.publishEvent(MESSAGES, { n });
    await expect.poll(() => events.length).toBeGreaterThan(1_000);
    const lost = events.filter(({ reason }) => reason === 'seal_overrun');
    const kept = events.filter(({ $jwe }) => typeof $jwe === 'string');
    const total = lost.reduce((sum, each) => sum + Number(each.lost), 0);
    await expect.poll(() => kept.length + total).toBe(3_000);
    expect(total).toBeGreaterThan(0);
    expect(warnings).toContainEqual({ code: 'seal_overrun', topic: MESSAGES, lost: total });
    expect(await opened(kept.at(-1), OLD)).toEqual({ n: 2_999 });
  });

  it('never brings back what was removed while it was being encrypted', async () => {
    const { publisher, store, states } = feed(encryptorWith('old'));
    publisher.publishState(STATE, { count: 1 });
    publisher.removeState(STATE);
    publisher.publishEvent(MESSAGES, { n: 1 });
    publisher.publishState(STATE, { count: 2 });
    publisher.removeState(STATE);
    publisher.publishState(STATE, { count: 3 });
    await expect
      .poll(async () => opened(store.document(STATE), OLD).catch(() => undefined))
      .toEqual({
        count: 3,
      });
    expect(states).toHaveLength(1);
  });
});

describe('other keys', () => {
  it('are used at once, for what was said before too', async () => {
    const { publisher, store } = feed(encryptorWith('old'));
    publisher.publishState(STATE, { count: 1 });
    await expect.poll(() => kidOf(store.document(STATE) ?? { $jwe: 'e30.' })).toBe('old');
    publisher.replace(encryptorWith('new'));
    await expect.poll(() => kidOf(store.document(STATE))).toBe('new');
    expect(await opened(store.document(STATE), NEW)).toEqual({ count: 1 });
  });

  it('encrypt what was open, and open what is encrypted no longer', async () => {
    const { publisher, store } = feed(undefined);
    publisher.publishState(STATE, { count: 1 });
    publisher.publishState(OPEN, { count: 2 });
    publisher.replace(encryptorWith('new'));
    await expect.poll(() => typeof store.document(STATE)?.$jwe).toBe('string');
    expect(store.document(OPEN)).toEqual({ count: 2 });
    publisher.replace(undefined);
    expect(store.document(STATE)).toEqual({ count: 1 });
    publisher.publishState(STATE, { count: 3 });
    expect(store.document(STATE)).toEqual({ count: 3 });
  });

  it('are used with turns of the loop between, and never bring back what was changed meanwhile', async () => {
    const { publisher, store } = feed(undefined);
    const topics = Array.from({ length: 4_000 }, (_, at) => `${STATE}/${at}`);
    // So many that only to begin with each of them takes several slices, also on a fast machine.
    const text = 'x'.repeat(20_000);
    for (const topic of topics) publisher.publishState(topic, { count: 1, text });
    let turns = 0;
    let next = setImmediate(function again() {
      turns++;
      next = setImmediate(again);
    });
    const replaced = publisher.replace(encryptorWith('new'));
    const [changed = '', removed = ''] = topics.slice(-2);
    publisher.publishState(changed, { count: 2 });
    publisher.removeState(removed);
    await replaced;
    clearImmediate(next);
    expect(turns).toBeGreaterThan(0);
    await expect
      .poll(() => topics.filter((topic) => '$jwe' in (store.document(topic) ?? {})).length)
      .toBe(3_999);
    expect(await opened(store.document(changed), NEW)).toEqual({ count: 2 });
    expect(store.document(removed)).toBeUndefined();
  });
});
