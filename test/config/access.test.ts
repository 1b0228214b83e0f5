import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';

const HASH = `sha256:${'ab'.repeat(32)}`;
const DEVICE =
  'devices:\n  - { id: x, link: "tcp:10.0.0.7:1", register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" } }\n';
const load = (text: string) => loadConfig(`${text}\n${DEVICE}`, 'lab/devices.yaml');
const problems = (text: string) =>
  load(text).problems.map(({ severity, path, code }) => `${severity} ${path} ${code}`);
const token = (more = '') => `{ name: panel, hash: "${HASH}", roles: read, topics: "devices/#"${more} }`;

describe('access', () => {
  it('is completed', () => {
    const text = `access:\n  tokens:\n    - { name: ops, hash: "${HASH}", roles: [read, admin], topics: ["#"], expires: 2027-01-31 }\n  jwt: { public_key_file: issuer.pem, algorithms: ES256 }`;
    expect(load(text).config?.access).toEqual({
      tokens: [
        {
          name: 'ops',
          hash: 'ab'.repeat(32),
          role: 'admin',
          topics: ['#'],
          expiresAtMs: Date.UTC(2027, 0, 31),
        },
      ],
      jwt: {
        key: { kind: 'pem', path: 'lab/issuer.pem' },
        algorithms: ['ES256'],
        rolesClaim: 'heartwire_roles',
        topicsClaim: 'heartwire_topics',
        clockToleranceMs: 5_000,
      },
      insecure: false,
    });
  });

  it.each([
    [
      'tokens: [{ name: a }]',
      ['hash', 'roles', 'topics'].map((key) => `error access.tokens[0].${key} config_missing_key`),
    ],
    [
      `tokens: [{ name: a, hash: "hw_secret", roles: read, topics: "#" }]`,
      ['error access.tokens[0].hash config_bad_value'],
    ],
    [
      `tokens: [${token().replace('roles: read', 'roles: [reed]')}]`,
      ['error access.tokens[0].roles[0] config_bad_value'],
    ],
    [
      `tokens: [${token().replace('devices/#', 'a/#/b')}]`,
      ['error access.tokens[0].topics config_bad_value'],
    ],
    [`tokens: [${token(', expires: soon')}]`, ['error access.tokens[0].expires config_bad_value']],
    [`tokens: [${token(', expires: 2027-02-30')}]`, ['error access.tokens[0].expires config_bad_value']],
    [
      `tokens: [${token()}, ${token()}]`,
      ['error access.tokens[1].name config_conflict', 'error access.tokens[1].hash config_conflict'],
    ],
    [`tokens: [${token()}]\n  insecure: true`, ['error access.insecure config_conflict']],
    ['jwt: {}', ['error access.jwt config_missing_key']],
    ['jwt: { secret_file: a, jwks_file: b }', ['error access.jwt config_conflict']],
    // The public key of a pair must never serve as a shared secret.
    ['jwt: { public_key_file: a, algorithms: HS256 }', ['error access.jwt.algorithms config_conflict']],
    ['jwt: { secret_file: a, algorithms: [RS256] }', ['error access.jwt.algorithms config_conflict']],
    ['jwt: { secret_file: a, algorithms: none }', ['error access.jwt.algorithms config_bad_value']],
  ])('%s', (text, expected) => {
    const { config } = load(`access:\n  ${text}`);
    expect(problems(`access:\n  ${text}`)).toEqual(expected);
    expect(config).toBeUndefined();
  });

  it.each([
    (secret: string) => `{ name: a, hash: "${secret}", roles: read, topics: "#" }`,
    (secret: string) => `{ name: a, token: "${secret}" }`,
    (secret: string) => `"${secret}"`,
  ])('never repeats a token that was pasted where it does not belong', (entry) => {
    const { problems: found } = load(`access: { tokens: [${entry(`hw_${'s'.repeat(43)}`)}] }`);
    expect(found.length).toBeGreaterThan(0);
    expect(JSON.stringify(found)).not.toContain('hw_ss');
  });
});

describe('a bridge that serves other machines', () => {
  const open = ['error server.host config_insecure'];
  it.each([
    ['server: { host: 0.0.0.0 }', open],
    ['server: { host: "::" }', open],
    ['server: { host: 10.0.0.7 }', open],
    ['server: { host: bench.example }', open],
    [
      'server: { host: 127.0.0.1, tcp: { host: 0.0.0.0, port: 1 } }',
      ['error server.tcp.host config_insecure'],
    ],
    [`server: { host: 0.0.0.0 }\naccess: { tokens: [] }`, open],
    [`server: { host: 0.0.0.0 }\naccess: { tokens: [${token()}] }`, []],
    ['server: { host: 0.0.0.0 }\naccess: { jwt: { jwks_file: a } }', []],
    ['server: { host: 0.0.0.0 }\naccess: { insecure: true }', ['warning server.host config_insecure']],
    ['server: { host: 127.0.0.1 }', []],
    ['server: { host: "::1", tcp: { host: localhost, port: 1 } }', []],
    ['server: { host: 127.8.8.8 }', []],
  ])('%s', (text, expected) => {
    expect(problems(text)).toEqual(expected);
    expect(load(text).config === undefined).toBe(expected.some((each) => each.startsWith('error')));
  });
});
