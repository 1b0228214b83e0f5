import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type Declaration } from '../../src/client/index.ts';
import type { MessageFiles } from '../../src/config/message-files.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { checkTopicDocument } from '../support/feed-contract.ts';
import { reload } from '../support/reload.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

/** Messages whose single value has this unit; `more` is a difference that describes nothing. */
const messages = (units: Readonly<Record<string, string>>, more = ''): MessageFiles =>
  new Map(
    Object.entries(units).map(([name, unit]) => [
      name,
      loadMessages(
        `version: 1\n${more}\nmessages:\n  - { name: rig, id: 0x10, from: device, fields: [{ name: load, type: f32, unit: ${unit} }] }\n`,
        name,
      ),
    ]),
  );

/** Nothing answers there; a state is published all the same. */
const devices = (file: string, ids: readonly string[]): string =>
  ids.map((id) => `  - { id: ${id}, link: "tcp:127.0.0.1:1", session: none, messages: ${file} }\n`).join('');
const QUIET = 'defaults: { reconnect: { initial: 1h, max: 1h } }\ndevices:\n';

const described = ({ bridge }: TestBridge): ReadonlyMap<string, unknown> =>
  new Map(bridge.store.documents('declarations/+').map(({ topic, document }) => [topic, document]));
const keyOf = ({ bridge }: TestBridge, id: string): unknown =>
  bridge.store.document(`devices/${id}/state`)?.declaration;

describe('the description of what devices speak', () => {
  it('stands once for all devices of the same messages, and their states name it', async () => {
    await using bridge = await startBridge('');
    const ids = Array.from({ length: 100 }, (_, index) => `a${index}`);
    const text = `${QUIET}${devices('a.yaml', ids)}${devices('b.yaml', ['b'])}`;
    await reload(bridge, text, messages({ 'a.yaml': 'kN', 'b.yaml': 'kN' }));
    await expect.poll(() => keyOf(bridge, 'b')).toBeDefined();
    const keys = new Set([...ids, 'b'].map((id) => keyOf(bridge, id)));
    expect(keys.size).toBe(1);
    const [key] = keys;
    const document = { fields: { 'rig.load': { unit: 'kN' } } };
    expect([...described(bridge)]).toEqual([[`declarations/${String(key)}`, document]]);
    checkTopicDocument(`declarations/${String(key)}`, document);
  });

  it('goes when no device speaks so any more, and stays where only the file is another', async () => {
    await using bridge = await startBridge('');
    const text = `${QUIET}${devices('a.yaml', ['a'])}${devices('b.yaml', ['b'])}`;
    await reload(bridge, text, messages({ 'a.yaml': 'kN', 'b.yaml': 'bar' }));
    await expect.poll(() => described(bridge).size).toBe(2);
    const [a, b] = [keyOf(bridge, 'a'), keyOf(bridge, 'b')];

    await reload(bridge, text, messages({ 'a.yaml': 'N', 'b.yaml': 'bar' }, '# in other words'));
    await expect.poll(() => keyOf(bridge, 'a')).not.toBe(a);
    expect(keyOf(bridge, 'b')).toBe(b);
    expect(new Set(described(bridge).keys())).toEqual(
      new Set([`declarations/${String(keyOf(bridge, 'a'))}`, `declarations/${String(b)}`]),
    );

    await reload(bridge, `${QUIET}${devices('b.yaml', ['b'])}`, messages({ 'b.yaml': 'bar' }));
    expect([...described(bridge).keys()]).toEqual([`declarations/${String(b)}`]);
  });

  it('is had by a client that asks for it by the key', async () => {
    await using bridge = await startBridge('');
    await reload(bridge, `${QUIET}${devices('a.yaml', ['a'])}`, messages({ 'a.yaml': 'kN' }));
    using client = connect(bridge.url, { WebSocket, topics: ['devices/+/state'] });
    await client.connected();
    const key = client.view.get('a')?.declaration;
    await client.subscribe(`declarations/${key}`).ready;
    // The bridge writes it, as its schema says.
    const declaration = client.view.document(`declarations/${key}`) as Declaration | undefined;
    expect(declaration?.fields['rig.load']?.unit).toBe('kN');
  });
});
