import { describe, expect, it } from 'vitest';
import { afterReload, diffConfig } from '../../src/config/diff-config.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { MessageFiles } from '../../src/config/message-files.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import type { BridgeConfig } from '../../src/config/model.ts';
import { serverShape } from '../../src/config/server.ts';

const REGISTER = 'register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }';
const DIALLED = (id: string, more = '') =>
  `  - { id: ${id}, link: "tcp:10.0.0.7:9089", ${REGISTER}${more} }\n`;
const DIAL_IN = (id: string, imei: string) => `  - { id: ${id}, match: { imei: "${imei}" } }\n`;
const TELEMETRY = (scale: string) => `version: 1
messages:
  - { name: telemetry, id: 0x10, from: device, fields: [{ name: t, type: i16, scale: ${scale} }] }
`;

function load(yaml: string, files: Readonly<Record<string, string>> = {}): BridgeConfig {
  const messages: MessageFiles = new Map(
    Object.entries(files).map(([name, text]) => [name, loadMessages(text, name)]),
  );
  const { config, problems } = loadConfig(yaml, 'devices.yaml', messages);
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return config;
}

/** Names of what is different, in few words. */
function summary(from: BridgeConfig, to: BridgeConfig) {
  const { devices, listeners, settings, needsRestart } = diffConfig(from, to);
  return {
    added: devices.added.map(({ id }) => id),
    changed: devices.changed.map((each) => each.to.id),
    removed: devices.removed.map(({ id }) => id),
    unchanged: devices.unchanged.map(({ id }) => id),
    listeners: [listeners.added, listeners.changed, listeners.removed].map(({ length }) => length),
    restarts: listeners.changed.map(({ restarts }) => restarts),
    settings,
    needsRestart,
  };
}

const NOTHING = { added: [], changed: [], removed: [], listeners: [0, 0, 0], restarts: [], settings: [] };
const QUIET = { ...NOTHING, needsRestart: [] };

describe('what is different between two configurations', () => {
  it('is nothing for one text loaded twice, whatever its devices speak', () => {
    const yaml = `messages: m.yaml\ndevices:\n${DIALLED('a')}${DIAL_IN('b', '356938035643809')}listeners: [{ link: "tcp-listen:127.0.0.1:0" }]\n`;
    const files = { 'm.yaml': TELEMETRY('0.1') };
    expect(summary(load(yaml, files), load(yaml, files))).toEqual({ ...QUIET, unchanged: ['a', 'b'] });
  });

  it('is a device that came, one that went and one with another setting', () => {
    const from = load(`devices:\n${DIALLED('a')}${DIALLED('b')}${DIALLED('c')}`);
    const to = load(
      `devices:\n${DIALLED('b', ', heartbeat: { interval: 1s }')}${DIALLED('a')}${DIALLED('d')}`,
    );
    expect(summary(from, to)).toEqual({
      ...QUIET,
      added: ['d'],
      changed: ['b'],
      removed: ['c'],
      unchanged: ['a'],
    });
  });

  it('is every device that speaks a file of messages that changed, and no other', () => {
    const yaml = `devices:\n${DIALLED('a', ', messages: m.yaml')}${DIALLED('b', ', messages: n.yaml')}${DIALLED('c')}`;
    const before = load(yaml, { 'm.yaml': TELEMETRY('0.1'), 'n.yaml': TELEMETRY('0.1') });
    const after = load(yaml, { 'm.yaml': TELEMETRY('0.01'), 'n.yaml': `# a remark\n${TELEMETRY('0.1')}` });
    expect(summary(before, after)).toEqual({ ...QUIET, changed: ['a'], unchanged: ['b', 'c'] });
  });

  it('is everybody who dials in, where the messages at the top of the file changed', () => {
    const yaml = `messages: m.yaml\ndevices:\n${DIAL_IN('b', '356938035643809')}${DIALLED('c', ', messages: n.yaml')}listeners: [{ link: "tcp-listen:127.0.0.1:9089" }]\n`;
    const before = load(yaml, { 'm.yaml': TELEMETRY('0.1'), 'n.yaml': TELEMETRY('1') });
    const after = load(yaml, { 'm.yaml': TELEMETRY('0.01'), 'n.yaml': TELEMETRY('1') });
    expect(summary(before, after)).toEqual({
      ...QUIET,
      changed: ['b'],
      unchanged: ['c'],
      listeners: [0, 1, 0],
      restarts: [true],
    });
  });

  it('is everybody whom a listener accepted, where the messages of that listener changed', () => {
    const yaml = `messages: m.yaml\ndevices:\n${DIAL_IN('b', '356938035643809')}listeners: [{ link: "tcp-listen:127.0.0.1:9089", messages: n.yaml }, { link: "tcp-listen:127.0.0.1:9090" }]\n`;
    const before = load(yaml, { 'm.yaml': TELEMETRY('0.1'), 'n.yaml': TELEMETRY('1') });
    const after = load(yaml, { 'm.yaml': TELEMETRY('0.1'), 'n.yaml': TELEMETRY('2') });
    expect(summary(before, after)).toEqual({
      ...QUIET,
      unchanged: ['b'],
      listeners: [0, 1, 0],
      restarts: [true],
    });
  });

  it('knows listeners by their address, and those at any free port by their order', () => {
    const listeners = (...each: string[]) => load(`listeners: [${each.join(', ')}]`);
    const a = '{ link: "tcp-listen:127.0.0.1:9001" }';
    const b = '{ link: "tcp-listen:127.0.0.1:9002" }';
    const any = (more = '') => `{ link: "tcp-listen:127.0.0.1:0"${more} }`;
    expect(summary(listeners(a, b), listeners(b))).toMatchObject({ listeners: [0, 0, 1] });
    expect(summary(listeners(a), listeners(b, a))).toMatchObject({ listeners: [1, 0, 0] });
    expect(summary(listeners(any(), any()), listeners(any(), any(', max_devices: 5')))).toMatchObject({
      listeners: [0, 1, 0],
      restarts: [false],
    });
    expect(summary(listeners(any()), listeners(any(', heartbeat: { interval: 9s }')))).toMatchObject({
      listeners: [0, 1, 0],
      restarts: [true],
    });
  });

  it('tells what holds at once from what needs a restart, in the words of the file', () => {
    const from = load('server: { origins: ["https://a.example"] }\ndevices: []');
    const to = load(
      'server: { port: 9000, flush_window: 20ms, tcp: { port: 8081 }, hosts: [b.example] }\nrecording: { dir: elsewhere }\nfiles: { dir: files }\ndevices: []',
    );
    expect(summary(from, to)).toMatchObject({
      settings: ['server.flush_window', 'server.hosts', 'server.origins'],
      needsRestart: ['files', 'recording', 'server.port', 'server.tcp'],
    });
  });
});

describe('every key of the server', () => {
  const CASES: ReadonlyArray<readonly [key: string, value: string, holds: 'at once' | 'after a restart']> = [
    ['host', '"0.0.0.0"', 'after a restart'],
    ['port', '9000', 'after a restart'],
    ['tls', '{ cert: cert.pem, key: key.pem }', 'after a restart'],
    ['tcp', '{ port: 8081 }', 'after a restart'],
    ['origins', '["https://a.example"]', 'at once'],
    ['hosts', '[b.example]', 'at once'],
    ['trusted_proxies', '[10.0.0.1]', 'at once'],
    ['max_connections_per_address', '5', 'at once'],
    ['max_connects_per_second', '5', 'at once'],
    ['max_new_subscribers_per_second', '5', 'at once'],
    ['max_requests_per_second', '5', 'at once'],
    ['max_message_bytes', '2048', 'at once'],
    ['max_messages_per_second', '5', 'at once'],
    ['max_patterns', '5', 'at once'],
    ['auth_timeout', '5s', 'at once'],
    ['flush_window', '20ms', 'at once'],
    ['native', 'false', 'after a restart'],
    ['workers', 'auto', 'after a restart'],
  ];
  const without = load('access: { insecure: true }\ndevices: []');

  it.each(CASES)('%s: %s holds %s, when it comes and when it goes', (key, value, holds) => {
    const given = load(`access: { insecure: true }\nserver: { ${key}: ${value} }\ndevices: []`);
    const [name, none] = [[`server.${key}`], []];
    const told =
      holds === 'at once' ? { settings: name, needsRestart: none } : { settings: none, needsRestart: name };
    for (const [from, to] of [
      [without, given],
      [given, without],
    ] as const) {
      expect(diffConfig(from, to)).toMatchObject(told);
      // What runs then is the new one exactly where it is said to be.
      expect(afterReload(from, to).server).toEqual(holds === 'at once' ? to.server : from.server);
    }
  });

  it('is among them', () => {
    expect(CASES.map(([key]) => key).sort()).toEqual(Object.keys(serverShape.shape).sort());
  });
});

describe('a key of a group that may be switched off', () => {
  const CASES: ReadonlyArray<
    readonly [from: string, to: string, at: readonly string[], later: readonly string[]]
  > = [
    ['', 'black_box: { before: 1m, after: 5s, max_kb: 64 }', ['after', 'before', 'max_kb'], []],
    ['', 'black_box: { budget_mb: 8, disk_mb: 8, max_files: 9 }', ['budget_mb', 'disk_mb', 'max_files'], []],
    ['', 'black_box: { dir: elsewhere, max_files: 9 }', ['max_files'], ['dir']],
    ['', 'black_box: { keep: false, max_files: 9 }', [], ['keep']],
    ['', 'history: { keep: 7d, budget_mb: 64 }', ['budget_mb', 'keep'], []],
    ['', 'history: { dir: elsewhere }', [], ['dir']],
    ['', 'history: false', [], ['']],
  ];

  it.each(CASES)(
    '"%s" and "%s": what holds at once, and what after a restart',
    (one, other, atOnce, later) => {
      const group = other.split(':')[0] ?? '';
      const keys = (names: readonly string[]) =>
        names.map((name) => (name === '' ? group : `${group}.${name}`));
      const [from, to] = [load(`${one}\ndevices: []`), load(`${other}\ndevices: []`)];
      for (const [before, after] of [
        [from, to],
        [to, from],
      ] as const) {
        expect(diffConfig(before, after)).toMatchObject({
          settings: keys(atOnce),
          needsRestart: keys(later),
        });
        const runs = afterReload(before, after);
        // What needs a restart is still said of it then, and nothing else is.
        expect(diffConfig(runs, after)).toMatchObject({ settings: [], needsRestart: keys(later) });
        expect(diffConfig(before, runs)).toMatchObject({ settings: keys(atOnce), needsRestart: [] });
      }
    },
  );
});

describe('what runs after a reload', () => {
  const running = load('server: { port: 8080 }\ndevices: []');
  const next = load(`server: { port: 9000, origins: ["https://a.example"] }\ndevices:\n${DIALLED('a')}`);

  it('is the new one, but for what needs a restart, which goes on being said until it is taken back', () => {
    const after = afterReload(running, next);
    expect(after.server).toMatchObject({ port: 8080, origins: ['https://a.example'] });
    expect(after.devices.map(({ id }) => id)).toEqual(['a']);
    expect(summary(after, next)).toMatchObject({ settings: [], needsRestart: ['server.port'] });
    expect(
      summary(
        after,
        load(`server: { port: 8080, origins: ["https://a.example"] }\ndevices:\n${DIALLED('a')}`),
      ),
    ).toEqual({
      ...QUIET,
      unchanged: ['a'],
    });
  });
});
