import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listPorts, type PortIdentity, scanPorts } from '../../src/links/port-list.ts';
import { resolvePort } from '../../src/links/port-resolve.ts';
import { openEnd, portBrokenEnd } from '../../src/links/serial-end.ts';

describe('ports found without udevadm', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'heartwire-sys-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const file = (path: string, text: string): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const link = (target: string, path: string): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    symlinkSync(join(root, target), join(root, path));
  };
  const plugIn = (name: string, bus: string, serial: string): void => {
    file(`sys/devices/usb1/${bus}/idVendor`, '0403\n');
    file(`sys/devices/usb1/${bus}/idProduct`, '6001\n');
    file(`sys/devices/usb1/${bus}/serial`, `${serial}\n`);
    file(`sys/devices/usb1/${bus}/manufacturer`, 'FTDI\n');
    file(`sys/devices/usb1/${bus}/${bus}:1.0/${name}/uevent`, '');
    link(`sys/devices/usb1/${bus}/${bus}:1.0/${name}`, `sys/class/tty/${name}/device`);
    file(`dev/${name}`, '');
    link(`dev/${name}`, `dev/serial/by-id/usb-FTDI_${serial}-if00-port0`);
  };

  test('USB adapters with their identity, real UARTs, and none of the phantoms', async () => {
    plugIn('ttyUSB0', '1-1', 'FT1234');
    file('sys/devices/platform/serial8250/uevent', '');
    link('sys/devices/platform/serial8250', 'sys/class/tty/ttyS0/device');
    file('sys/class/tty/ttyS0/type', '4\n');
    link('sys/devices/platform/serial8250', 'sys/class/tty/ttyS1/device');
    file('sys/class/tty/ttyS1/type', '0\n');
    mkdirSync(join(root, 'sys/class/tty/console'), { recursive: true });
    expect((await scanPorts(root)).sort((a, b) => a.path.localeCompare(b.path))).toEqual([
      { path: join(root, 'dev/ttyS0') },
      {
        path: join(root, 'dev/ttyUSB0'),
        vendorId: '0403',
        productId: '6001',
        serialNumber: 'FT1234',
        manufacturer: 'FTDI',
        byId: 'usb-FTDI_FT1234-if00-port0',
      },
    ]);
  });

  test('a replug under another name is found by every selector', async () => {
    const list = () => scanPorts(root);
    const selectors = [
      { by: 'usb_serial', serialNumber: 'FT1234' },
      { by: 'usb', vendorId: '0403', productId: '6001' },
      { by: 'by_id', name: 'usb-FTDI_FT1234-if00-port0' },
    ] as const;
    plugIn('ttyUSB0', '1-1', 'FT1234');
    for (const selector of selectors) {
      expect(await resolvePort(selector, list)).toEqual({ path: join(root, 'dev/ttyUSB0') });
    }
    rmSync(join(root, 'sys'), { recursive: true });
    rmSync(join(root, 'dev'), { recursive: true });
    for (const selector of selectors) {
      expect(await resolvePort(selector, list)).toMatchObject({ end: { code: 'port_missing' } });
    }
    plugIn('ttyUSB3', '1-2', 'FT1234');
    for (const selector of selectors) {
      expect(await resolvePort(selector, list)).toEqual({ path: join(root, 'dev/ttyUSB3') });
    }
  });

  test('a system without any of it has no ports', async () => {
    expect(await scanPorts(join(root, 'nothing'))).toEqual([]);
  });
});

test('listing the ports of this machine never fails', async () => {
  for (const port of await listPorts()) expect(port.path).not.toBe('');
});

test('two adapters of one kind are not guessed between', async () => {
  const ports: PortIdentity[] = [
    { path: '/dev/ttyUSB0', vendorId: '0403', productId: '6001', serialNumber: 'A' },
    { path: '/dev/ttyUSB1', vendorId: '0403', productId: '6001', byId: 'usb-B' },
  ];
  const found = await resolvePort({ by: 'usb', vendorId: '0403', productId: '6001' }, async () => ports);
  expect(found).toEqual({
    end: {
      code: 'port_ambiguous',
      detail:
        '2 serial ports are usb=0403:6001: /dev/ttyUSB0 (usb_serial=A), /dev/ttyUSB1 (by_id=usb-B). Name one of them by usb_serial, by_id or path.',
    },
  });
});

test.each([
  ['Error: No such file or directory, cannot open /dev/ttyUSB9', 'port_missing'],
  ['Error: No such device or address, cannot open /dev/ttyUSB9', 'port_missing'],
  ['Opening COM9: File not found', 'port_missing'],
  ['Error: Permission denied, cannot open /dev/ttyUSB9', 'port_permission'],
  ['Error Resource temporarily unavailable Cannot lock port', 'port_busy'],
  ['Error: Device or resource busy, cannot open /dev/ttyUSB9', 'port_busy'],
  ['Opening COM9: Access denied', 'port_busy'],
  ['Error: Inappropriate ioctl for device setting custom baud rate of 115200', 'port_not_serial'],
  ['Error: Is a directory, cannot open /dev', 'port_not_serial'],
  ['Error baud rate of 7 is not supported on your platform', 'port_settings'],
  ['Invalid stop bits setting 1', 'port_settings'],
  ['Invalid parity setting 3', 'port_settings'],
  ['Open (SetCommState): The parameter is incorrect', 'port_settings'],
  ['Error: Input/output error setting custom baud rate of 9600', 'port_failed'],
] as const)('the library says %j: %s', async (message, code) => {
  const end = await openEnd(new Error(message), '/dev/ttyUSB9', '/dev/ttyUSB9');
  expect(end.code).toBe(code);
  expect(end.detail).toContain('/dev/ttyUSB9');
});

test('a port that may not be opened names the line to type', async () => {
  const end = await openEnd(new Error('Error: Permission denied, cannot open /dev/x'), '/dev/x', '/dev/x');
  if (process.platform === 'linux') expect(end.detail).toContain('sudo usermod -aG dialout ');
  else expect(end.detail).toContain('access');
});

test.each([
  ['EIO: i/o error, write', 'port_unplugged'],
  ['EBADF: bad file descriptor, read', 'port_unplugged'],
  ['ENXIO: no such device or address, write', 'port_unplugged'],
  ['Reading from COM port (ReadIOCompletion): Operation aborted', 'port_unplugged'],
  ['Writing to COM port (WriteFileEx): Unknown error code 31', 'port_failed'],
] as const)('a broken port says %j: %s', (message, code) => {
  expect(portBrokenEnd(new Error(message), '/dev/ttyUSB9').code).toBe(code);
});
