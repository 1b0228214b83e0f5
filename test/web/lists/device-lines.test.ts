import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { type DeviceChoice, deviceEntry, freeId } from '../../../web/src/lists/device-lines.ts';

const CHOICE: DeviceChoice = { id: 'psu-1', link: '', baud: '', identity: '', from: '', messages: '' };

describe('lines for a device', () => {
  it.each([
    ['a serial port', { link: '/dev/ttyUSB0', baud: '9600' }],
    ['a serial port with parity', { link: '/dev/ttyUSB0', baud: '9600-8E1' }],
    ['an address', { link: 'tcp:192.0.2.10:5025' }],
    ['an IPv6 address', { link: 'tcp:[2001:db8::1]:5025' }],
    ['what it says that it is', { identity: '490154203237518' }],
    ['where it comes from', { from: '192.0.2.7' }],
  ])('are read as YAML without an error of syntax: %s', (_, change) => {
    const entry = deviceEntry({ ...CHOICE, ...change });
    const text = `listeners: [{ link: "tcp-listen:127.0.0.1:0" }]\ndevices:\n${entry.replace(/^(?=.)/gm, '  ')}`;
    const { problems } = loadConfig(text, 'devices.yaml');
    // A device that is dialled in the built-in protocol still lacks what it registers as.
    const other = problems.filter(({ path }) => !path.endsWith('register') && !path.includes('role'));
    expect(other.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('have a name that no other device has', () => {
    expect(freeId('tcp 1/2', new Set(['tcp-1-2-1']))).toBe('tcp-1-2-2');
    expect(freeId('///', new Set())).toBe('device-1');
  });
});
