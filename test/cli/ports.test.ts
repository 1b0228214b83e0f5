import { describe, expect, test } from 'vitest';
import { changesBetween, command as ports, stableLink } from '../../src/cli/commands/ports.ts';
import type { PortIdentity } from '../../src/links/port-list.ts';
import { RecordedIo } from '../support/recorded-io.ts';

const ftdi: PortIdentity = {
  path: '/dev/ttyUSB0',
  vendorId: '0403',
  productId: '6001',
  serialNumber: 'FT1234',
  byId: 'usb-FTDI_FT1234-if00-port0',
};
const { serialNumber: _, ...nameless } = ftdi;
const { byId: __, ...bare } = nameless;

describe('the link to write for a port', () => {
  test.each([
    ['a serial number', ftdi, [ftdi], 'serial:usb_serial=FT1234'],
    [
      'a serial number that two share',
      ftdi,
      [ftdi, { ...ftdi, path: '/dev/ttyUSB1' }],
      'serial:by_id=usb-FTDI_FT1234-if00-port0',
    ],
    [
      'a serial number that no link can carry',
      { ...ftdi, serialNumber: 'A?B' },
      [ftdi],
      'serial:by_id=usb-FTDI_FT1234-if00-port0',
    ],
    ['no serial number', nameless, [nameless], 'serial:by_id=usb-FTDI_FT1234-if00-port0'],
    ['vendor and product only', bare, [bare], 'serial:usb=0403:6001'],
    ['vendor and product that two share', bare, [bare, { ...bare, path: '/dev/ttyUSB1' }], '/dev/ttyUSB0'],
    ['nothing', { path: '/dev/ttyS0' }, [{ path: '/dev/ttyS0' }], '/dev/ttyS0'],
  ] as const)('with %s', (_what, port, among, link) => {
    expect(stableLink(port, among)).toBe(link);
  });
});

test('what comes and goes while ports are watched', () => {
  const other: PortIdentity = { ...ftdi, serialNumber: 'FT9999' };
  expect(changesBetween([], [ftdi])).toEqual([{ event: 'added', port: ftdi }]);
  expect(changesBetween([ftdi], [{ ...ftdi }])).toEqual([]);
  expect(changesBetween([ftdi], [])).toEqual([{ event: 'removed', port: ftdi }]);
  expect(changesBetween([ftdi], [other])).toEqual([
    { event: 'removed', port: ftdi },
    { event: 'added', port: other },
  ]);
});

test('lists as JSON', async () => {
  const io = new RecordedIo();
  expect(await ports.run({ watch: false, json: true }, io)).toBe(0);
  const listed: unknown = JSON.parse(io.printed);
  expect(Array.isArray(listed)).toBe(true);
});

test('watches until it is interrupted, or nobody reads any more', async () => {
  const interrupted = new RecordedIo();
  const watching = ports.run({ watch: true, json: true }, interrupted);
  expect(interrupted.watched).toEqual(['SIGINT', 'SIGTERM']);
  interrupted.signal('SIGINT');
  expect(await watching).toBe(0);
  expect(interrupted.watched).toEqual([]);

  const unread = new RecordedIo();
  const alsoWatching = ports.run({ watch: true, json: true }, unread);
  unread.closeOut();
  expect(await alsoWatching).toBe(0);
});
