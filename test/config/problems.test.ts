import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { problem, problems, REGISTER } from './example.ts';

/** One device, with these keys beside what it needs. */
const withKeys = (keys: string) => `devices:\n  - { id: x, link: "tcp:a:1", ${REGISTER}, ${keys} }`;
const listening = 'listeners:\n  - link: tcp-listen:127.0.0.1:0\n';

describe('what a file quotes', () => {
  it.each([
    ['[2J', 'a key', '"\\e[2J": 1'],
    ['[31m', 'a host', 'reconnect: 1, link: "tcp:\\e[31m:1"'],
    ['31m', 'a byte that begins a sequence by itself', '"\\x9b31m": 1'],
    ['moc', 'writing from right to left', '"\\u202emoc": 1'],
  ])('is shown on a terminal, not obeyed: %s, %s', (left, _, keys) => {
    const { problems: found } = loadConfig(`devices:\n  - { id: x, ${REGISTER}, ${keys} }`, 'devices.yaml');
    const text = found.map(formatProblem).join('');
    expect(text).toContain(left);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });
});

describe('a single mistake', () => {
  it.each([
    [
      'heartbeat: { interval: 3 }',
      'heartbeat.interval',
      'config_bad_duration',
      'Write 3s if seconds are meant',
    ],
    ['heartbeat: { interval: 3 s }', 'heartbeat.interval', 'config_bad_duration', 'Write 3s.'],
    ['heartbeat: { interval: 3S }', 'heartbeat.interval', 'config_bad_duration', 'Write 3s.'],
    ['heartbeat: { interval: 1ms }', 'heartbeat.interval', 'config_bad_duration', 'Write 100ms to 24h.'],
    ['heartbeat: { interval: soon }', 'heartbeat.interval', 'config_bad_duration', '250ms'],
    ['heartbeat: { interval: }', 'heartbeat.interval', 'config_bad_type', '250ms'],
    ['heartbeat: { missed: 1.5 }', 'heartbeat.missed', 'config_bad_value', 'from 1 to 1000'],
    ['heartbeat: { missed: "3" }', 'heartbeat.missed', 'config_bad_type', 'whole number'],
    ['data_bits: 9', 'data_bits', 'config_bad_value', 'Write 5, 6, 7 or 8.'],
    ['heartbeat: { from: clint }', 'heartbeat.from', 'config_bad_value', 'Did you mean client?'],
    ['heartbeat: { intervall: 3s }', 'heartbeat.intervall', 'config_unknown_key', 'Did you mean `interval`?'],
    ['heartbeat: 3s', 'heartbeat', 'config_bad_type', '`interval:`'],
    ['connectTimeout: 3s', 'connectTimeout', 'config_unknown_key', '`connect_timeout`'],
    ['time_zone: UTC', 'time_zone', 'config_unknown_key', 'below `clock:`'],
    ['max_nameless: 3', 'max_nameless', 'config_unknown_key', 'below an entry of `listeners:`'],
    ['frobnicate: 3', 'frobnicate', 'config_unknown_key', 'docs/reference/devices-yaml.md'],
    ['__proto__: { polluted: 1 }', '__proto__', 'config_unknown_key', 'Remove it'],
    ['constructor: 1', 'constructor', 'config_unknown_key', 'Remove it'],
    [
      'clock: { time_zone: Asia/Shangai }',
      'clock.time_zone',
      'config_bad_value',
      'Did you mean Asia/Shanghai?',
    ],
    ['clock: { time_zone: 8 }', 'clock.time_zone', 'config_unquoted', 'Quote it: "8".'],
    ['clock: 60s', 'clock', 'config_bad_type', 'false to switch it off'],
    ['presence: { }', 'presence.every', 'config_missing_key', '15m'],
    ['reconnect: { initial: 1m, max: 30s }', 'reconnect', 'config_conflict', 'at least `initial`'],
    ['reconnect: { multiplier: 0 }', 'reconnect.multiplier', 'config_bad_value', 'from 1 to 10'],
    ['max_frame: 4', 'max_frame', 'config_bad_value', 'from 52 to'],
    ['max_frame: .nan', 'max_frame', 'config_bad_value', 'from 52 to'],
    ['role: master', 'role', 'config_bad_value', 'client or server'],
    ['messages: messages.yaml', 'messages', 'config_unreadable', 'Name a file'],
    ['session: nothing', 'session', 'config_bad_value', 'none'],
    ['poll: [{ message: a, every: 1 }]', 'poll[0].every', 'config_bad_duration', 'Write 1s'],
    ['silence: 5', 'silence', 'config_bad_duration', 'Write 5s'],
    ['match: { imei: "490154203237518" }', 'match', 'config_conflict', 'one of the two'],
  ])('%s', (keys, path, code, fix) => {
    const found = problem(withKeys(keys));
    expect(found).toMatchObject({ path: `devices[0].${path}`, code, device: 'x', severity: 'error' });
    expect(found.fix).toContain(fix);
  });

  it.each([
    ['id: 7, link: "tcp:a:1"', 'id', 'config_unquoted', 'Quote it: "7".'],
    ['id: a b, link: "tcp:a:1"', 'id', 'config_bad_value', 'for example a-b'],
    [`id: ${'a'.repeat(65)}, link: "tcp:a:1"`, 'id', 'config_bad_value', 'letters'],
    ['link: "tcp:a:1"', 'id', 'config_missing_key', 'psu-1'],
    ['id: x', 'link', 'config_missing_key', 'match:'],
    ['id: x, link: 10.0.0.7:9089', 'link', 'config_bad_link', 'Write tcp:10.0.0.7:9089.'],
    ['id: x, link: "tcp:a:99999"', 'link', 'config_bad_link', '65535'],
    ['id: x, link: []', 'link', 'config_bad_value', 'tcp:'],
    ['id: x, link: ["tcp:a:1", 7]', 'link[1]', 'config_unquoted', 'Quote it: "7".'],
    ['id: x, link: ["tcp:a:1", COM3]', 'link', 'config_conflict', 'two devices'],
    ['id: x, link: COM3, baud: fast', 'baud', 'config_bad_value', '115200'],
    ['id: x, link: COM3, baud: [1]', 'baud', 'config_bad_type', '115200'],
    ['id: x, link: COM3, data_bits: 9', 'data_bits', 'config_bad_value', '5, 6, 7 or 8'],
    ['id: x, link: COM3, xon: yes', 'xon', 'config_bad_type', 'true or false'],
    ['id: x, link: COM3, gap: 10ms', 'gap', 'config_bad_duration', '50ms to 1m'],
  ])('{ %s }', (keys, path, code, fix) => {
    const found = problem(`devices:\n  - { ${keys}, ${REGISTER} }`);
    expect(found).toMatchObject({ path: `devices[0].${path}`, code });
    expect(found.fix).toContain(fix);
  });

  it.each([
    [
      'appid: 996da38da7be4947aa4cf8208b5f4ade, imei: "490154203237518"',
      'appid',
      '996da38d-a7be-4947-aa4c-f8208b5f4ade',
    ],
    ['appid: me, imei: "490154203237518"', 'appid', '8-4-4-4-12'],
    ['appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "49015420323751"', 'imei', '15 digits'],
    [
      'appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: 49-015420-323751-8',
      'imei',
      'Write "490154203237518".',
    ],
    ['appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade', 'imei', 'Add `imei:`'],
  ])('register: { %s }', (register, key, fix) => {
    const found = problem(`devices:\n  - { id: x, link: "tcp:a:1", register: { ${register} } }`);
    expect(found.path).toBe(`devices[0].register.${key}`);
    expect(found.fix).toContain(fix);
  });

  it('tells an unquoted IMEI to be quoted, as it stands in the file', () => {
    const found = problem(
      'devices:\n  - id: x\n    link: tcp:a:1\n    register:\n      appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade\n      imei: 012345678901237\n',
    );
    expect(found).toMatchObject({
      line: 6,
      column: 13,
      code: 'config_unquoted',
      seen: '012345678901237',
      fix: 'Quote it: "012345678901237".',
    });
  });

  it('says what to add where a client has nothing to register with', () => {
    const found = problem('devices:\n  - { id: x, link: "tcp:a:1" }');
    expect(found).toMatchObject({
      path: 'devices[0].register',
      code: 'config_not_registered',
      line: 2,
      column: 5,
    });
    expect(found.fix).toMatch(/register: \{ appid: .*imei: "\d{15}" \}.*role: server/);
  });

  it('only warns of a wrong check digit', () => {
    const { config, problems: found } = loadConfig(
      `${listening}devices:\n  - { id: x, match: { imei: "490154203237519" } }`,
      'f',
    );
    expect(found).toMatchObject([
      { severity: 'warning', code: 'config_unlikely', path: 'devices[0].match.imei' },
    ]);
    expect(config?.devices).toHaveLength(1);
  });

  it('checks text of `identity: any` against its field', () => {
    const keys = 'identity: any, register: { appid: short, imei: "ä23456789012345" }';
    const found = loadConfig(`devices:\n  - { id: x, link: "tcp:a:1", ${keys} }`, 'f').problems;
    expect(found.map((each) => each.message)).toEqual([
      'The text has 5 characters, and its field in the frame has 36.',
      'The text holds characters that are not ASCII.',
    ]);
  });

  it.each([
    ['server: { port: 65536 }', 'server.port'],
    ['server: { host: "*" }', 'server.host'],
    ['server: { host: "[::1]:80" }', 'server.host'],
    ['server: { origins: ["*"] }', 'server.origins[0]'],
    ['server: { origins: [panel.example] }', 'server.origins[0]'],
    ['server: { origins: ["https://panel.example/"] }', 'server.origins[0]'],
    ['server: { origins: https://panel.example }', 'server.origins'],
    ['server: { hosts: ["bench:80"] }', 'server.hosts[0]'],
    ['server: { tcp: 8081 }', 'server.tcp'],
    ['server: { tcp: {} }', 'server.tcp.port'],
    ['server: { tcp: { port: 8081, host: "*" } }', 'server.tcp.host'],
    ['server: { tcp: { port: 8080 } }', 'server.tcp.port'],
    ['server: 8080', 'server'],
    ['record: traces', 'record'],
    ['device: []', 'device'],
    ['defaults: { id: x }', 'defaults.id'],
    ['defaults: { reconnect: { initial: 1h, max: 1s } }', 'defaults.reconnect'],
    ['devices: { psu-1: {} }', 'devices'],
    ['devices: tcp:a:1', 'devices'],
  ])('%s makes the file unusable', (text, path) => {
    const { config, problems: found } = loadConfig(`${listening}${text}`, 'f');
    expect(found.map((each) => each.path)).toEqual([path]);
    expect(config).toBeUndefined();
  });

  it.each([
    ['tcp: { port: 8081 }', 'tcp', 'It belongs below `server:` or below an entry of `expose:`.'],
    ['interval: 3s', 'interval', 'It belongs below `defaults.heartbeat:` or below `heartbeat:`.'],
    [
      'heartbeat: { interval: 3s }',
      'heartbeat',
      'It belongs below `defaults:`, below an entry of `devices:` or below an entry of `listeners:`.',
    ],
    ['unknown: accept', 'unknown', 'It belongs below an entry of `listeners:`.'],
    ['tokens: []', 'tokens', 'It belongs below `access:`.'],
    ['server: { devices: [] }', 'server.devices', 'It belongs at the top of the file.'],
    [
      'server: { jitter: none }',
      'server.jitter',
      'It belongs below `defaults.reconnect:` or below `reconnect:`.',
    ],
    // No place for it, or so many that to name them says nothing.
    ['nonsense: 1', 'nonsense', 'Remove it; docs/reference/devices-yaml.md lists the keys that exist.'],
  ])('%s stands in the wrong place, and the fix says where it belongs', (text, path, fix) => {
    const { problems: found } = loadConfig(`${listening}${text}`, 'f');
    expect(found).toMatchObject([{ path, code: 'config_unknown_key', fix }]);
  });

  it('says both where a key is nearly right here and right elsewhere', () => {
    const found = problem(withKeys('dir: x'));
    expect(found).toMatchObject({ path: 'devices[0].dir', code: 'config_unknown_key' });
    expect(found.fix).toMatch(
      /^Did you mean `dtr`\? `dir` itself belongs below `recording:`, below `black_box:`, below `\w+:` or below `\w+:`\.$/,
    );
  });

  it('names the place of every key of the file, wherever else it stands, with no word of versions', () => {
    for (const key of ['port', 'origins', 'max_patterns', 'imei', 'baud', 'match', 'jitter', 'budget_mb']) {
      const { problems: found } = loadConfig(`${listening}${key}: 1`, 'f');
      expect(found.map(({ fix }) => fix)).toEqual([expect.stringMatching(/belongs below/)]);
    }
  });

  it('prints as one line with the fix', () => {
    expect(formatProblem(problem(withKeys('heartbeat: { missed: 0 }')))).toBe(
      'devices.yaml:2:136: error: devices[0].heartbeat.missed: The number is out of range (seen: 0). Write a whole number from 1 to 1000.',
    );
  });
});

describe('many mistakes', () => {
  it('are all reported, in the order of the file, without those that merely follow from others', () => {
    const text = `server: { port: 99999 }
devices:
  - id: one
    lnik: tcp:a:1
    register: { imei: 490154203237518 }
    heartbeat: { interval: 3 }
  - id: one
    id: one
    link: udp:1
  -
  - clock: { every: 1 }
listeners:
  - link: tcp:a:1
    forget: 7w
`;
    expect(problems(text)).toEqual([
      '1:17 error server.port config_bad_value',
      '4:5 error devices[0].lnik config_unknown_key',
      '5:15 error devices[0].register.appid config_not_registered',
      '5:23 error devices[0].register.imei config_unquoted',
      '6:28 error devices[0].heartbeat.interval config_bad_duration',
      '7:5 error devices[1].register config_not_registered',
      '8:5 error devices[1].id config_duplicate_key',
      '9:11 error devices[1].link config_bad_link',
      '10:4 error devices[2] config_bad_type',
      '11:5 error devices[3].id config_missing_key',
      '11:5 error devices[3].link config_missing_key',
      '11:21 error devices[3].clock.every config_bad_duration',
      '13:11 error listeners[0].link config_bad_link',
      '14:13 error listeners[0].forget config_bad_duration',
    ]);
  });
});
