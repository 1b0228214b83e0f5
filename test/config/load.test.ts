import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { device, load, REGISTER } from './example.ts';

const session = {
  identity: 'standard',
  heartbeat: { intervalMs: 3_000, missed: 3, from: 'client' },
  reconnect: { initialMs: 1_000, maxMs: 30_000, multiplier: 2, jitter: 'full' },
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 5_000,
};
const register = { appid: '996da38d-a7be-4947-aa4c-f8208b5f4ade', imei: '490154203237518' };

describe('loadConfig', () => {
  it('warns where more devices are recorded than traces have room', () => {
    const devices = ['a', 'b', 'c'].map(
      (id) => `  - { id: ${id}, link: "tcp:10.0.0.7:9089", ${REGISTER} }\n`,
    );
    const about = (maxFiles: number) =>
      loadConfig(
        `recording: { max_files: ${maxFiles} }\ndefaults: { record: true }\ndevices:\n${devices.join('')}`,
        'devices.yaml',
      ).problems.filter(({ path }) => path.startsWith('recording'));
    expect(about(3)).toEqual([]);
    expect(about(2)).toMatchObject([
      { severity: 'warning', code: 'config_conflict', path: 'recording.max_files', line: 1 },
    ]);
  });

  it('fills in what a dialled device leaves out', () => {
    expect(load(`devices:\n  - { id: psu-1, link: "tcp:10.0.0.7:9089", ${REGISTER} }`)).toEqual({
      file: 'devices.yaml',
      knownDevices: { file: 'devices.known' },
      history: { file: 'history/devices.db', keepMs: 2_592_000_000, budgetBytes: 1_073_741_824 },
      recording: {
        dir: 'traces',
        maxFileBytes: 67_108_864,
        maxAgeMs: 86_400_000,
        budgetBytes: 1_073_741_824,
        maxFiles: 10_000,
        deviceShare: 1,
        gzip: false,
      },
      blackBox: {
        beforeMs: 120_000,
        afterMs: 30_000,
        maxBytes: 262_144,
        budgetBytes: 67_108_864,
        dir: 'incidents',
        diskBytes: 268_435_456,
        maxFiles: 1_000,
      },
      server: {
        host: '127.0.0.1',
        port: 8_080,
        origins: [],
        hosts: [],
        trustedProxies: [],
        maxConnectionsPerAddress: 30,
        maxConnectsPerSecond: 10,
        maxNewSubscribersPerSecond: 500,
        maxRequestsPerSecond: 100,
        native: true,
        workers: 0,
        maxMessageBytes: 65_536,
        maxMessagesPerSecond: 100,
        maxPatterns: 256,
        authTimeoutMs: 10_000,
      },
      devices: [
        {
          kind: 'dialled',
          id: 'psu-1',
          links: [{ scheme: 'tcp', host: '10.0.0.7', port: 9_089 }],
          line: 'stream',
          maxFrame: 1_048_576,
          session: {
            ...session,
            device: 'psu-1',
            role: 'client',
            transport: 'tcp',
            addresses: ['10.0.0.7:9089'],
            register,
            clock: { everyMs: 60_000 },
          },
        },
      ],
      listeners: [],
      metrics: { perDevice: false, values: [] },
      log: { maxLinesPerSecond: 10 },
      requiredDevices: [],
    });
  });

  it('fills in what a listener and a device that dials in leave out', () => {
    const text =
      'devices:\n  - { id: t, match: { imei: "356938035643809", from: 10.0.0.0/24 } }\nlisteners:\n  - link: tcp-listen:127.0.0.1:0';
    const server = { ...session, role: 'server', transport: 'tcp', addresses: [] };
    expect(load(text)).toMatchObject({
      devices: [
        {
          kind: 'matched',
          id: 't',
          match: { imei: '356938035643809', from: ['10.0.0.0/24'] },
          maxFrame: 1_048_576,
          session: { ...server, device: 't' },
        },
      ],
      listeners: [
        {
          link: { scheme: 'tcp-listen', host: '127.0.0.1', port: 0 },
          unknown: 'accept',
          anonymous: 'refuse',
          maxDevices: 1_000,
          forgetMs: 86_400_000,
          maxNameless: 256,
          maxConnections: 10_000,
          maxConnectionsPerAddress: 1_000,
          maxFrame: 1_048_576,
          session: { ...server, device: '' },
        },
      ],
    });
    // In the server role the bridge asks for the time only where it is told to.
    expect(load(text).devices[0]?.session.clock).toBeUndefined();
  });

  it('reads a serial device, whose link wins over its keys', () => {
    const given = device(
      `link: serial:usb_serial=FT1234?baud=9600-7E2, baud: 19200, rtscts: true, gap: 75ms, ${REGISTER}`,
    );
    expect(given).toMatchObject({
      line: 'serial',
      gapMs: 75,
      maxFrame: 52,
      links: [
        {
          port: { by: 'usb_serial', serialNumber: 'FT1234' },
          settings: { baud: 9_600, dataBits: 7, parity: 'even', stopBits: 2, rtscts: true },
        },
      ],
      session: { transport: 'serial', addresses: ['usb_serial=FT1234'] },
    });
    expect(device(`link: COM3, baud: 9600-7E2, parity: none, ${REGISTER}`)).toMatchObject({
      links: [{ settings: { baud: 9_600, dataBits: 7, parity: 'none' } }],
    });
  });

  it('knows a serial line behind a TCP serial server', () => {
    const given = device(`link: "tcp:10.0.0.7:4001", line: serial, gap: 300ms, ${REGISTER}`);
    expect(given).toMatchObject({ line: 'serial', gapMs: 300, maxFrame: 52, session: { transport: 'tcp' } });
  });

  it('merges `defaults` key by key below what a device says', () => {
    const text = `
defaults:
  heartbeat: { interval: 1.5s, missed: 5 }
  clock: { time_zone: Asia/Shanghai }
  presence: { every: 15m }
  register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade }
  reconnect: { initial: 2m }
  request_timeout: 250ms
devices:
  - id: a
    link: tcp:a:1
    register: { imei: "490154203237518" }
    heartbeat: { missed: 2, from: both }
    clock: { every: 24h }
  - { id: b, link: "tcp:b:1", clock: false, presence: false, register: { imei: "490154203237518" } }
listeners:
  - { link: "tcp-listen:127.0.0.1:0", clock: false }
  - { link: "tcp-listen:127.0.0.1:0" }`;
    const { devices, listeners } = load(text);
    expect(devices[0]?.session).toMatchObject({
      heartbeat: { intervalMs: 1_500, missed: 2, from: 'both' },
      clock: { everyMs: 86_400_000, timeZone: 'Asia/Shanghai' },
      presence: { everyMs: 900_000 },
      register,
      // A longer first pause than the built-in longest one moves that one.
      reconnect: { initialMs: 120_000, maxMs: 120_000 },
      requestTimeoutMs: 250,
    });
    expect(devices[1]?.session.clock).toBeUndefined();
    expect(devices[1]?.session.presence).toBeUndefined();
    expect(listeners[0]?.session.clock).toBeUndefined();
    expect(listeners[1]?.session.clock).toEqual({ everyMs: 60_000, timeZone: 'Asia/Shanghai' });
  });

  it('lets `role` override who registers', () => {
    expect(device('link: "tcp:a:1", role: server')).toMatchObject({ session: { role: 'server' } });
    expect(device('link: "tcp:a:1", role: server').session.register).toBeUndefined();
    const client = load(`listeners:\n  - { link: "tcp-listen:127.0.0.1:0", role: client, ${REGISTER} }`);
    expect(client.listeners[0]?.session).toMatchObject({ role: 'client', register });
  });

  it('admits other text with `identity: any`, as long as it fits its field', () => {
    const other = `register: { appid: "${'x'.repeat(36)}", imei: "not-a-number-15" }`;
    expect(device(`link: "tcp:a:1", identity: any, ${other}`).session).toMatchObject({ identity: 'any' });
  });

  it('takes keys with nothing behind them for absent, a byte order mark, and other line ends', () => {
    const text = `\uFEFFserver:\r\ndefaults:\r\ndevices:\r\n  - { id: a, link: "tcp:a:1", ${REGISTER} }\r\nlisteners:\r\n`;
    expect(load(text).devices).toHaveLength(1);
  });

  it('follows anchors and aliases', () => {
    const text = `devices:\n  - { id: a, link: "tcp:a:1", register: &r { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "490154203237518" } }\n  - { id: b, link: "tcp:b:1", register: *r }`;
    expect(load(text).devices[1]?.session.register).toEqual(register);
  });

  it('names the file as it was named', () => {
    expect(loadConfig('listeners:\n  - link: tcp-listen:127.0.0.1:0', './x.yaml').config?.file).toBe(
      './x.yaml',
    );
  });
});
