import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { type KeyFiles, keyOf } from '../../src/config/secrecy.ts';

const FIRST = Buffer.alloc(32, 1).toString('base64');
const SECOND = Buffer.alloc(32, 2).toString('base64url');
const FILES: KeyFiles = new Map([
  ['keys/k1.key', { text: `${FIRST}\n` }],
  ['keys/k2.key', { text: SECOND }],
  ['a', { text: FIRST }],
  ['b', { text: SECOND }],
  ['short', { text: 'c2VjcmV0' }],
  ['odd', { text: 'top secret!' }],
  ['half', { text: FIRST.slice(0, 5) }],
  ['gone', { unreadable: 'There is no such file: gone.' }],
]);

const loaded = (secrecy: string) =>
  loadConfig(`secrecy:\n${secrecy}\ndevices: []`, 'devices.yaml', new Map(), FILES);

const KEYS = '  keys: [{ id: k1, file: keys/k1.key }, { id: k2, file: keys/k2.key }]';

describe('secrecy', () => {
  it('names keys by their files, and topics by patterns of which the first counts', () => {
    const { config } = loaded(`${KEYS}
  topics:
    - { pattern: devices/psu-1/#, key: k2 }
    - { pattern: devices/+/messages, key: k1 }`);
    const rules = config?.secrecy?.rules ?? [];
    expect(config?.secrecy?.keys).toEqual(
      new Map([
        ['k1', new Uint8Array(32).fill(1)],
        ['k2', new Uint8Array(32).fill(2)],
      ]),
    );
    expect(
      ['psu-1/messages', 'psu-1/bytes', 'a/messages', 'a/bytes', 'a/state'].map((topic) =>
        keyOf(rules, `devices/${topic}`),
      ),
    ).toEqual(['k2', 'k2', 'k1', undefined, undefined]);
  });

  it.each<[string, string, string]>([
    [
      'a key that is not there',
      `${KEYS}\n  topics: [{ pattern: devices/#, key: k3 }]`,
      'secrecy.topics[0].key',
    ],
    [
      'two keys of one id',
      '  keys: [{ id: k1, file: a }, { id: k1, file: b }]\n  topics: []',
      'secrecy.keys[1].id',
    ],
    [
      'topics that are not of devices',
      `${KEYS}\n  topics: [{ pattern: "#", key: k1 }]`,
      'secrecy.topics[0].pattern',
    ],
    [
      'what is no pattern',
      `${KEYS}\n  topics: [{ pattern: devices/#/x, key: k1 }]`,
      'secrecy.topics[0].pattern',
    ],
    [
      'a pattern that matches no topic',
      `${KEYS}\n  topics: [{ pattern: devices/psu-1, key: k1 }]`,
      'secrecy.topics[0].pattern',
    ],
    [
      'a kind of topic that is not',
      `${KEYS}\n  topics: [{ pattern: devices/+/status, key: k1 }]`,
      'secrecy.topics[0].pattern',
    ],
    [
      'levels that no topic has',
      `${KEYS}\n  topics: [{ pattern: devices/a/state/x, key: k1 }]`,
      'secrecy.topics[0].pattern',
    ],
    [
      'an id that no header should carry',
      '  keys: [{ id: "a b", file: a }]\n  topics: []',
      'secrecy.keys[0].id',
    ],
    ['a file that is not there', '  keys: [{ id: k, file: gone }]\n  topics: []', 'secrecy.keys[0].file'],
    ['a file that holds less', '  keys: [{ id: k, file: short }]\n  topics: []', 'secrecy.keys[0].file'],
    ['a file that is half written', '  keys: [{ id: k, file: half }]\n  topics: []', 'secrecy.keys[0].file'],
    ['a file that holds no base64', '  keys: [{ id: k, file: odd }]\n  topics: []', 'secrecy.keys[0].file'],
    ['no topics', KEYS, 'secrecy.topics'],
  ])('leaves nothing to be run in the open where it is wrong: %s', (_, text, path) => {
    const { config, problems } = loaded(text);
    expect(config).toBeUndefined();
    expect(problems.filter(({ severity }) => severity === 'error')).toMatchObject([{ path }]);
    expect(JSON.stringify(problems)).not.toMatch(/c2VjcmV0|top secret/);
  });

  it('warns of a device that is not in the file, but for those that may dial in unannounced', () => {
    const warned = (id: string) =>
      loadConfig(
        `secrecy:\n${KEYS}\n  topics: [{ pattern: "devices/${id}/#", key: k1 }]\ndevices: [{ id: psu-1, link: 7 }]`,
        'devices.yaml',
        new Map(),
        FILES,
      ).problems.filter(({ path }) => path.startsWith('secrecy'));
    expect(warned('psu1')).toMatchObject([{ severity: 'warning', code: 'config_no_effect' }]);
    for (const id of ['psu-1', '490154203237518', 'addr-10.0.0.7', '+']) expect(warned(id)).toEqual([]);
  });

  it('warns of a pattern that comes too late', () => {
    const { config, problems } = loaded(`${KEYS}
  topics: [{ pattern: devices/#, key: k1 }, { pattern: devices/psu-1/state, key: k2 }]`);
    expect(config?.secrecy?.rules).toHaveLength(2);
    expect(problems).toContainEqual(
      expect.objectContaining({ code: 'config_no_effect', path: 'secrecy.topics[1].pattern' }),
    );
  });
});
