import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';

const REGISTER = 'register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "490154203237518" }';

function load(expose: string, keys = `link: "tcp:10.0.0.7:9089", ${REGISTER}`) {
  const { config, problems } = loadConfig(
    `server: { port: 8080 }\ndevices:\n  - { id: meter, ${keys}, expose: ${expose} }\n`,
    'devices.yaml',
  );
  const [device] = config?.devices ?? [];
  return {
    expose: device?.kind === 'dialled' ? device.expose : undefined,
    problems: problems.map(({ severity, code, message }) => `${severity} ${code} ${message}`),
  };
}

describe('expose', () => {
  it('names places by what they are', () => {
    const { expose, problems } = load(
      '[{ pty: /run/heartwire/meter }, { tcp: "127.0.0.1:4001", read_only: true }, { rfc2217: "[::1]:2217" }]',
    );
    expect(problems).toEqual([]);
    expect(expose).toEqual([
      { kind: 'pty', path: '/run/heartwire/meter', readOnly: false },
      { kind: 'tcp', host: '127.0.0.1', port: 4001, readOnly: true },
      { kind: 'rfc2217', host: '::1', port: 2217, readOnly: false },
    ]);
  });

  it.each([
    ['[{ read_only: true }]', /error config_missing_key .*one of `pty`/],
    ['[{ pty: /run/heartwire/a, tcp: "127.0.0.1:1" }]', /error config_conflict .*one of `pty`/],
    ['[{ tcp: 4001 }]', /error config_unquoted/],
    ['[{ tcp: "4001" }]', /error config_bad_value The host is missing/],
    ['[{ pty: /run/heartwire/ }]', /error config_bad_value .*no path of a file/],
    ['[{ pty: /run/heartwire/a }, { pty: /run/heartwire/a }]', /error config_conflict .*twice/],
    ['[{ tcp: "127.0.0.1:8080" }]', /error config_conflict .*`server` listens on port 8080 too/],
    ['[{ tcp: "0.0.0.0:4001" }]', /warning config_insecure .*can use the port/],
    ['[{ tcp: "0.0.0.0:4001", read_only: true }]', /warning config_insecure .*can read the port/],
    ['[{ unix: /run/heartwire/a }]', /config_unknown_key/],
  ])('%s is reported', (expose, words) => {
    expect(load(expose).problems[0]).toMatch(words);
  });

  it('is for devices and buses that dial in, too', () => {
    const { config, problems } = loadConfig(
      `listeners: [{ link: "tcp-listen:127.0.0.1:9089" }]
buses: [{ id: line, match: { from: 10.0.0.8 }, expose: [{ tcp: "127.0.0.1:4002" }] }]
devices:
  - { id: meter, match: { imei: "490154203237518" }, expose: [{ pty: /run/heartwire/a }] }
`,
      'devices.yaml',
    );
    expect(problems.filter(({ path }) => path?.includes('expose'))).toEqual([]);
    expect(config?.devices[0]).toMatchObject({ expose: [{ kind: 'pty', path: '/run/heartwire/a' }] });
    expect(config?.buses?.[0]).toMatchObject({ expose: [{ kind: 'tcp', port: 4002 }] });
  });

  it('is reported where two devices have one path', () => {
    const { problems } = loadConfig(
      ['a', 'b']
        .map(
          (id) =>
            `  - { id: ${id}, match: { imei: "49015420323751${id === 'a' ? 8 : 9}" }, expose: [{ pty: /run/heartwire/a }] }\n`,
        )
        .reduce(
          (text, line) => text + line,
          'listeners: [{ link: "tcp-listen:127.0.0.1:9089" }]\ndevices:\n',
        ),
      'devices.yaml',
    );
    expect(problems.map(({ message }) => message)).toContain('devices[0] has the pty /run/heartwire/a too.');
  });

  it('is a key of a bus, not of the devices on it; a passive one is read only', () => {
    const bus = (keys: string, device = '') =>
      loadConfig(
        `buses:\n  - { id: line, link: /dev/ttyUSB0, ${keys} }\ndevices:\n  - { id: meter, bus: line, address: 1${device} }\n`,
        'devices.yaml',
      ).problems.map(({ code, message }) => `${code} ${message}`);
    expect(bus('expose: [{ pty: /run/heartwire/a }]').join()).not.toMatch(/expose|passive/);
    expect(bus('passive: true, expose: [{ pty: /run/heartwire/a }]').join()).toMatch(
      /config_conflict Nothing is sent/,
    );
    expect(bus('passive: true, expose: [{ pty: /run/heartwire/a, read_only: true }]').join()).not.toMatch(
      /Nothing is sent/,
    );
    expect(bus('baud: 9600', ', expose: [{ pty: /run/heartwire/a }]').join()).toMatch(
      /`expose` has no effect/,
    );
  });
});
