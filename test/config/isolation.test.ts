import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { problems, REGISTER } from './example.ts';

const outcome = (text: string) => {
  const { config, failed } = loadConfig(text, 'devices.yaml');
  return {
    devices: config?.devices.map((each) => each.id),
    listeners: config?.listeners.length,
    failed: failed.map((each) => each.id),
  };
};

describe('a bad entry', () => {
  it('fails by itself, and the others run', () => {
    const text = `devices:
  - { id: good, link: "tcp:a:1", ${REGISTER} }
  - { id: bad, link: "tcp:b:1", heartbeat: { interval: 3 } }
  - { id: also-good, link: "tcp:c:1", ${REGISTER} }
listeners:
  - { link: nowhere }
  - { link: "tcp-listen:127.0.0.1:0" }`;
    expect(outcome(text)).toEqual({ devices: ['good', 'also-good'], listeners: 1, failed: ['bad'] });
    const [bad] = loadConfig(text, 'f').failed;
    expect(bad?.problems.map((each) => each.code)).toEqual(['config_not_registered', 'config_bad_duration']);
  });

  it('is not listed as failed where its id belongs to another, or is none', () => {
    const text = `devices:
  - { id: a, link: "tcp:a:1", ${REGISTER} }
  - { id: a, link: "tcp:b:1", ${REGISTER} }
  - { id: a b, link: "tcp:c:1", ${REGISTER} }
  - { link: "tcp:d:1", ${REGISTER} }`;
    expect(outcome(text)).toEqual({ devices: ['a'], listeners: 0, failed: [] });
    expect(loadConfig(text, 'f').problems.map((each) => each.device)).toEqual([
      'a',
      'devices[2]',
      'devices[3]',
    ]);
  });

  it('is told that its id is taken, too, and takes none from a right one', () => {
    const text = `devices:
  - { id: a, link: "tcp:a:1", heartbeat: { interval: 3 }, ${REGISTER} }
  - { id: a, link: "tcp:b:1", ${REGISTER} }
  - { id: b, link: "tcp:c:1" }
  - { id: b, link: "tcp:d:1" }`;
    expect(outcome(text)).toEqual({ devices: ['a'], listeners: 0, failed: ['b'] });
    const told = loadConfig(text, 'f').problems.map(({ path, code }) => [path, code]);
    expect(told).toEqual([
      ['devices[0].id', 'config_duplicate_id'],
      ['devices[0].heartbeat.interval', 'config_bad_duration'],
      ['devices[2].register', 'config_not_registered'],
      ['devices[3].register', 'config_not_registered'],
      ['devices[3].id', 'config_duplicate_id'],
    ]);
  });

  it('leaves nothing to run where it is not in one entry', () => {
    const good = `devices:\n  - { id: a, link: "tcp:a:1", ${REGISTER} }\n`;
    const nothing = { devices: undefined, listeners: undefined, failed: [] };
    expect(outcome(`${good}server: { port: -1 }`)).toEqual(nothing);
    expect(outcome(`${good}defaults: { heartbeat: { missed: 0 } }`)).toEqual(nothing);
    expect(outcome(`${good}listners: []`)).toEqual(nothing);
    expect(outcome(`${good}\tserver: {}`)).toEqual(nothing);
    expect(outcome(`${good}devices: []`)).toEqual(nothing);
  });
});

describe('entries that collide', () => {
  const two = (first: string, second: string) =>
    `devices:\n  - { id: a, ${first} }\n  - { id: b, ${second} }\nlisteners:\n  - link: tcp-listen:127.0.0.1:0\n`;

  it.each([
    ['imei: "490154203237518"', 'imei: "490154203237518"', 'error'],
    ['from: 10.0.0.0/8', 'from: [10.1.0.0/16, 10.2.3.4]', 'error'],
    ['appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade', 'appid: 996DA38D-A7BE-4947-AA4C-F8208B5F4ADE', 'error'],
    ['from: 10.0.0.0/8', 'imei: "490154203237518", from: 10.1.0.0/16', 'error'],
    ['from: 10.1.0.0/16', 'from: 10.0.0.0/8', 'warning'],
    ['imei: "490154203237518"', 'from: 10.0.0.0/8', 'warning'],
    ['from: 10.0.0.0/8', 'imei: "490154203237518"', 'warning'],
    ['from: 10.0.0.0/8', 'from: 11.0.0.0/8', undefined],
    ['from: 10.0.0.0/9', 'from: 10.128.0.0/9', undefined],
    ['from: 10.0.0.0/9', 'from: 10.127.255.255', 'error'],
    ['from: 0.0.0.0/0', 'from: 10.0.0.7', 'error'],
    ['from: 10.0.0.0/8', 'from: fd00::/8', undefined],
    ['imei: "490154203237518"', 'imei: "356938035643809"', undefined],
    ['imei: "490154203237518", from: 10.0.0.0/8', 'imei: "490154203237518", from: 11.0.0.0/8', undefined],
  ])('match { %s } then { %s }: %s', (first, second, severity) => {
    const found = problems(two(`match: { ${first} }`, `match: { ${second} }`));
    expect(found).toEqual(severity === undefined ? [] : [`3:14 ${severity} devices[1].match config_overlap`]);
  });

  it('warns where there is no listener for a device that dials in', () => {
    expect(problems('devices:\n  - { id: a, match: { imei: "490154203237518" } }')).toEqual([
      '2:14 warning devices[0].match config_no_effect',
    ]);
  });

  it('gives a serial port one owner, and only warns of a shared TCP address', () => {
    const shared = (link: string) =>
      problems(two(`link: "${link}", ${REGISTER}`, `link: "${link}", ${REGISTER}`));
    expect(shared('/dev/ttyUSB0')).toEqual(['3:20 error devices[1].link config_conflict']);
    expect(shared('tcp:a:1')).toEqual(['3:20 warning devices[1].link config_conflict']);
  });

  it('gives a port one listener', () => {
    const text = (host: string) =>
      `server: { host: 127.0.0.1, port: 8080 }\nlisteners:\n  - link: tcp-listen:${host}:8080\n  - link: tcp-listen:127.0.0.2:8080`;
    expect(problems(text('127.0.0.1'))).toEqual(['3:11 error listeners[0].link config_conflict']);
    expect(problems(text('0.0.0.0'))).toEqual([
      '3:11 error listeners[0].link config_conflict',
      '4:11 error listeners[1].link config_conflict',
    ]);
    expect(problems(text('127.0.0.3'))).toEqual([]);
  });

  it('warns of keys without effect where they stand', () => {
    expect(
      problems(
        `${two(`link: "tcp:a:1", baud: 9600, gap: 75ms, ${REGISTER}`, 'match: { imei: "490154203237518" }, reconnect: { initial: 1s }, baud: 9600')}`,
      ),
    ).toEqual([
      '2:31 warning devices[0].baud config_no_effect',
      '2:43 warning devices[0].gap config_no_effect',
      '3:50 warning devices[1].reconnect config_no_effect',
      '3:78 warning devices[1].baud config_no_effect',
    ]);
    expect(problems(`listeners:\n  - { link: "tcp-listen:127.0.0.1:0", ${REGISTER} }`)).toEqual([
      '2:39 warning listeners[0].register config_no_effect',
    ]);
  });

  it('warns of a default that is wrong once, where it stands', () => {
    const text = `defaults: { register: { imei: "490154203237519", appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade } }\n${two('link: "tcp:a:1"', 'link: "tcp:b:1"')}`;
    expect(problems(text)).toEqual(['1:31 warning defaults.register.imei config_unlikely']);
  });
});
