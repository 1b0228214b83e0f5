import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { DEFAULT_SERIAL_SETTINGS } from '../../src/links/serial-address.ts';

const REGISTER = 'register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "490154203237518" }';

function load(keys: string) {
  const yaml = `devices:\n  - { id: meter, ${keys} }\n`;
  const { config, problems } = loadConfig(yaml, 'devices.yaml');
  const [device] = config?.devices ?? [];
  return {
    device: device?.kind === 'dialled' ? device : undefined,
    problems: problems.map(({ severity, code, message }) => `${severity} ${code} ${message}`),
  };
}

describe('links of a device', () => {
  it('UDP reads its datagrams as a line, and says that the link is one', () => {
    const { device, problems } = load(`link: "udp:10.0.0.7:9089?local_port=700", ${REGISTER}`);
    expect(problems).toEqual([]);
    expect(device?.links).toEqual([{ scheme: 'udp', host: '10.0.0.7', port: 9089, localPort: 700 }]);
    expect(device).toMatchObject({ line: 'serial', session: { transport: 'udp' } });
  });

  it('RFC 2217 takes the settings of a serial port, and the link wins', () => {
    const { device, problems } = load(
      `link: "rfc2217:10.0.0.7:2217?dtr=off", baud: 9600-8E1, dtr: true, ${REGISTER}`,
    );
    expect(problems).toEqual([]);
    expect(device?.line).toBe('serial');
    expect(device?.links[0]).toEqual({
      scheme: 'rfc2217',
      host: '10.0.0.7',
      port: 2217,
      settings: { ...DEFAULT_SERIAL_SETTINGS, baud: 9_600, parity: 'even', dtr: false },
    });
  });

  it('a Unix socket is a stream', () => {
    expect(load(`link: "unix:/run/a.sock", ${REGISTER}`).device).toMatchObject({
      line: 'stream',
      links: [{ scheme: 'unix', path: '/run/a.sock' }],
    });
  });

  it.each([
    ['link: "udp:10.0.0.7:1", baud: 9600', /`baud` has no effect on a UDP link\./],
    ['link: "udp:10.0.0.7:1", gap: 300ms', /`gap` has no effect on a UDP link, where each datagram ends/],
    ['link: "unix:/run/a.sock", gap: 300ms', /`gap` has no effect on a Unix socket\./],
    ['link: "unix:/run/a.sock", rtscts: true', /`rtscts` has no effect on a Unix socket\./],
    ['link: "rfc2217:10.0.0.7:1", hupcl: false', /`hupcl` has no effect on an RFC 2217 link\./],
    ['link: ["udp:10.0.0.7:1", "tcp:10.0.0.7:1"]', /all of one kind/],
    ['link: "udp:10.0.0.7:1", session: none, silence: false', /online for ever/],
  ])('%s: says what is wrong with it', (keys, words) => {
    const { problems } = load(`${keys}${keys.includes('session') ? '' : `, ${REGISTER}`}`);
    expect(problems).toEqual([expect.stringMatching(words)]);
  });

  it('one port of a serial server has one owner; a UDP port and a TCP port are two', () => {
    const two = (a: string, b: string) =>
      loadConfig(
        `defaults: { ${REGISTER} }\ndevices:\n  - { id: a, link: "${a}" }\n  - { id: b, link: "${b}" }\n`,
        'devices.yaml',
      ).problems.map(({ severity, code }) => `${severity} ${code}`);
    expect(two('rfc2217:10.0.0.7:1', 'rfc2217:10.0.0.7:1')).toEqual(['error config_conflict']);
    expect(two('udp:10.0.0.7:1', 'udp:10.0.0.7:1')).toEqual(['warning config_conflict']);
    expect(two('udp:10.0.0.7:1', 'tcp:10.0.0.7:1')).toEqual([]);
  });
});
