import { describe, expect, it } from 'vitest';
import { diffConfig } from '../../src/config/diff-config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { busConfig, DTU_MODBUS, MODBUS, meters } from '../support/bus-line.ts';

const PLAIN = MODBUS.replace(/ {2}address: .*\n/, '');
const SLIP = MODBUS.replace('{ type: gap }', '{ type: slip }');
const LINES = MODBUS.replace('{ type: gap }', '{ type: delimiter, delimiter: "\\n" }').replace(
  /, \{ name: crc[^}]*\}/g,
  '',
);
const BUS = 'buses: [{ id: line, link: /dev/ttyS9, baud: 9600 }]\n';

function problemsOf(yaml: string): string[] {
  const files = {
    'modbus.yaml': MODBUS,
    'plain.yaml': PLAIN,
    'slip.yaml': SLIP,
    'lines.yaml': LINES,
    'dtu.yaml': DTU_MODBUS,
    'dtu-slip.yaml': DTU_MODBUS.replace('{ type: gap }', '{ type: slip }'),
  };
  const messages = new Map(
    Object.entries(files).map(([name, text]) => [name, { ...loadMessages(text, name), problems: [] }]),
  );
  return loadConfig(yaml, 'devices.yaml', messages).problems.map(
    ({ line, severity, code, path, message, fix }) => {
      expect(fix).not.toBe('');
      expect(line).toBeGreaterThan(0);
      return `${severity} ${code} ${path}: ${message}`;
    },
  );
}

const device = (id: string, keys: string) => `  - { id: ${id}, messages: modbus.yaml, ${keys} }\n`;

describe('buses: in devices.yaml', () => {
  it('give their devices the link, the time-out and the life', () => {
    const config = busConfig(
      `buses: [{ id: line, link: "tcp:10.0.0.7:4001", timeout: 300ms, turnaround: 5ms }]\ndevices:\n${device('a', 'bus: line, address: 0x11, poll: [{ message: read, fields: { start: 0, count: 1 }, every: 1s }]')}${device('b', 'bus: line, address: 18, request_timeout: 2s')}`,
    );
    const [bus] = config.buses ?? [];
    expect(bus).toMatchObject({
      id: 'line',
      line: 'serial',
      session: { port: { turnaroundMs: 5 }, addresses: ['10.0.0.7:4001'] },
    });
    expect(bus?.framings).toMatchObject([{ type: 'gap' }]);
    expect(config.devices).toMatchObject([
      { kind: 'bus', address: 17, session: { requestTimeoutMs: 300, bus: { id: 'line' }, transport: 'tcp' } },
      { kind: 'bus', address: 18, session: { requestTimeoutMs: 2_000 } },
    ]);
    // What is not asked cannot be missed.
    expect(config.devices[1]?.session.bare?.silenceMs).toBeUndefined();
  });

  it.each([
    [
      'two devices with one address',
      `${BUS}devices:\n${device('a', 'bus: line, address: 1')}${device('b', 'bus: line, address: 1')}`,
      /error config_duplicate_id devices\[1\]\.address: The device "a" has this address/,
    ],
    [
      'an address that no frame can carry',
      `${BUS}devices:\n${device('a', 'bus: line, address: 256')}`,
      /error config_bad_value devices\[0\]\.address: No frame can carry/,
    ],
    [
      'the address of all',
      `${BUS}devices:\n${device('a', 'bus: line, address: 0')}`,
      /error config_bad_value devices\[0\]\.address: All devices hear/,
    ],
    [
      'no address',
      `${BUS}devices:\n${device('a', 'bus: line')}`,
      /error config_missing_key devices\[0\]\.address/,
    ],
    ['a bus without devices', BUS, /warning config_no_effect buses\[0\]\.id: No device is on this bus/],
    [
      'a bus that is not there',
      `${BUS}devices:\n${device('a', 'bus: lime, address: 1')}`,
      /error config_bad_value devices\[0\]\.bus: There is no bus `lime`/,
    ],
    [
      'a bus and a link',
      `${BUS}devices:\n${device('a', 'bus: line, address: 1, link: /dev/ttyS1')}`,
      /error config_conflict devices\[0\]\.link: The device is on the bus line/,
    ],
    [
      'a bus and a register',
      `${BUS}devices:\n${device('a', 'bus: line, address: 1, session: standard')}`,
      /error config_conflict devices\[0\]\.session/,
    ],
    [
      'messages without an address',
      `${BUS}devices:\n  - { id: a, messages: plain.yaml, bus: line, address: 1 }\n`,
      /error config_conflict devices\[0\]\.messages: Nothing in these messages says/,
    ],
    [
      'no messages',
      `${BUS}devices:\n  - { id: a, bus: line, address: 1 }\n`,
      /error config_missing_key devices\[0\]\.messages/,
    ],
    [
      'other frames that nothing proves',
      `${BUS}devices:\n${device('a', 'bus: line, address: 1')}  - { id: b, messages: lines.yaml, bus: line, address: 2 }\n`,
      /error config_conflict devices\[1\]\.messages: .* nothing proves those of "b" \(`delimiter` without a checksum\)/,
    ],
    [
      'other frames on a passive bus',
      `buses: [{ id: line, link: /dev/ttyS9, passive: true }]\ndevices:\n${device('a', 'bus: line, address: 1')}  - { id: b, messages: slip.yaml, bus: line, address: 2 }\n`,
      /error config_conflict devices\[1\]\.messages: "b" has other frames \(`slip`\) .* passive bus/,
    ],
    [
      'a bus with the id of a device',
      `${BUS}devices:\n${device('line', 'bus: line, address: 1')}`,
      /error config_duplicate_id buses\[0\]\.id/,
    ],
    [
      'two buses on one port',
      `buses: [{ id: x, link: /dev/ttyS9 }, { id: y, link: /dev/ttyS9 }]\n`,
      /error config_conflict buses\[1\]\.link: The bus "x" has this link too/,
    ],
    [
      'a bus and a device on one port',
      `${BUS}devices:\n${device('a', 'bus: line, address: 1')}${device('b', 'link: /dev/ttyS9, session: none, address: 2')}`,
      /error config_conflict devices\[1\]\.link/,
    ],
    ['a bus without a line', 'buses: [{ id: x }]\n', /error config_missing_key buses\[0\]\.link/],
    [
      'a DTU known by an IMEI',
      'buses: [{ id: x, match: { imei: "490154203237518" } }]\n',
      /error config_conflict buses\[0\]\.match\.imei/,
    ],
    [
      'a DTU that registers where no listener reads that',
      `listeners: ["tcp-listen:127.0.0.1:9"]\nbuses: [{ id: x, match: { identity: "0007" } }]\ndevices:\n${device('a', 'bus: x, address: 1')}`,
      /warning config_no_effect buses\[0\]\.match\.identity: No listener reads how a DTU registers/,
    ],
    [
      'a DTU that registers where frames are others',
      `listeners: [{ link: "tcp-listen:127.0.0.1:9", messages: dtu-slip.yaml }]\nbuses: [{ id: x, match: { identity: "0007" } }]\ndevices:\n${device('a', 'bus: x, address: 1')}`,
      /warning config_no_effect buses\[0\]\.match\.identity: The listener at which it registers has messages with another framing/,
    ],
    [
      'two buses of one identity',
      `listeners: [{ link: "tcp-listen:127.0.0.1:9", messages: dtu.yaml }]\nbuses: [{ id: x, match: { identity: "0007" } }, { id: y, match: { identity: "0007" } }]\n`,
      /error config_overlap buses\[1\]\.match\.identity: "x" is known by this identity too/,
    ],
    [
      'a device whose login only the listener knows',
      `listeners: [{ link: "tcp-listen:127.0.0.1:9", messages: dtu.yaml }]\ndevices: [{ id: a, match: { identity: "0007" } }]\n`,
      /warning config_no_effect devices\[0\]\.match\.identity: Only the listener has the messages/,
    ],
    [
      'a recorded device',
      `${BUS}devices:\n${device('a', 'bus: line, address: 1, record: true')}`,
      /warning config_no_effect devices\[0\]\.record/,
    ],
    [
      'an address that nothing carries',
      'devices:\n  - { id: a, link: /dev/ttyS1, session: none, messages: plain.yaml, address: 1 }\n',
      /warning config_no_effect devices\[0\]\.address/,
    ],
    [
      'one device with addressed messages and no address',
      'devices:\n  - { id: a, link: /dev/ttyS1, session: none, messages: modbus.yaml }\n',
      /error config_missing_key devices\[0\]\.address/,
    ],
  ])('report %s', (_, yaml, expected) => {
    expect(problemsOf(yaml).join('\n')).toMatch(expected);
  });

  it('may have devices with different frames on one line, each with an address of its own', () => {
    const other = (id: string, address: number) =>
      `  - { id: ${id}, messages: slip.yaml, bus: line, address: ${address} }\n`;
    expect(
      problemsOf(`${BUS}devices:\n${device('a', 'bus: line, address: 1')}${other('b', 2)}${other('c', 3)}`),
    ).toEqual([]);
    expect(
      problemsOf(`${BUS}devices:\n${device('a', 'bus: line, address: 1')}${other('b', 1)}`).join(),
    ).toMatch(/devices\[1\]\.address: The device "a" has this address/);
    expect(
      problemsOf(
        `${BUS}devices:\n${device('a', 'bus: line, address: 1')}${other('b', 2)}${other('c', 2)}`,
      ).join(),
    ).toMatch(/devices\[2\]\.address: The device "b" has this address/);
  });

  it('let the other devices of a bus run where one is wrong', () => {
    const yaml = `${BUS}devices:\n${device('a', 'bus: line, address: 999')}${device('b', 'bus: line, address: 2')}`;
    const messages = new Map([['modbus.yaml', { ...loadMessages(MODBUS, 'modbus.yaml'), problems: [] }]]);
    const { config, failed } = loadConfig(yaml, 'devices.yaml', messages);
    expect(failed.map(({ id }) => id)).toEqual(['a']);
    expect(config?.devices.map(({ id }) => id)).toEqual(['b']);
  });

  it('are as before where only their devices change', () => {
    const { buses, devices } = diffConfig(meters(3), meters(4));
    expect(buses.unchanged).toHaveLength(1);
    expect(devices.added.map(({ id }) => id)).toEqual(['m4']);
    expect(diffConfig(meters(3), meters(3, 500, ', turnaround: 50ms')).buses.changed).toHaveLength(1);
  });
});
