import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SERIAL_SETTINGS, type SerialSettings } from '../../src/links/serial-address.ts';
import type { ListenAddress } from '../../src/links/transports.ts';
import {
  addressLabel,
  type LinkAddress,
  parseLinkAddress,
  parseListenAddress,
} from '../../src/links/transports.ts';
import { writtenAddress } from './written-address.ts';

const path = (text: string) => ({ by: 'path', path: text });

describe('parseLinkAddress', () => {
  it.each([
    ['tcp:10.0.0.7:9089', '10.0.0.7', 9089],
    ['tcp://10.0.0.7:9089', '10.0.0.7', 9089],
    ['tcp://10.0.0.7:9089/', '10.0.0.7', 9089],
    ['TCP:Rack-7.lab_2.example.:1', 'Rack-7.lab_2.example.', 1],
    ['  tcp:localhost:65535 ', 'localhost', 65535],
    ['tcp:[::1]:9089', '::1', 9089],
    ['tcp:[fe80::1%eth0]:9089', 'fe80::1%eth0', 9089],
    ['tcp://[2001:db8::7]:80', '2001:db8::7', 80],
    ['tcp:bücher.example:80', 'bücher.example', 80],
  ])('%s is a TCP peer', (text, host, port) => {
    expect(parseLinkAddress(text)).toEqual({ ok: true, value: { scheme: 'tcp', host, port } });
  });

  it.each([
    ['/dev/ttyUSB0', path('/dev/ttyUSB0')],
    ['serial:/dev/ttyUSB0', path('/dev/ttyUSB0')],
    ['serial:///dev/ttyUSB0', path('/dev/ttyUSB0')],
    ['serial:./pty', path('./pty')],
    ['./pty', path('./pty')],
    ['COM3', path('COM3')],
    ['com3:', path('com3')],
    ['serial:COM3', path('COM3')],
    ['serial://COM12', path('COM12')],
    ['\\\\.\\COM10', path('\\\\.\\COM10')],
    ['\\\\?\\COM10', path('\\\\?\\COM10')],
    ['serial:\\\\.\\COM10', path('\\\\.\\COM10')],
    ['serial:/dev/serial/by-id/usb-FTDI_A=B-if00', path('/dev/serial/by-id/usb-FTDI_A=B-if00')],
    ['serial:/dev/cu.usbserial 7', path('/dev/cu.usbserial 7')],
    ['serial:usb=0403:6001', { by: 'usb', vendorId: '0403', productId: '6001' }],
    ['serial:usb=1A86:7523', { by: 'usb', vendorId: '1a86', productId: '7523' }],
    ['serial:usb_serial=FT1234', { by: 'usb_serial', serialNumber: 'FT1234' }],
    ['serial:by_id=usb-FTDI_FT232R-if00', { by: 'by_id', name: 'usb-FTDI_FT232R-if00' }],
  ])('%s is a serial port', (text, port) => {
    expect(parseLinkAddress(text)).toEqual({
      ok: true,
      value: { scheme: 'serial', port, settings: DEFAULT_SERIAL_SETTINGS },
    });
  });

  it.each([
    ['/dev/ttyUSB0?baud=9600', { baud: 9600 }],
    ['COM3?baud=9600-7E2', { baud: 9600, dataBits: 7, parity: 'even', stopBits: 2 }],
    ['\\\\?\\COM10?baud=9600', { baud: 9600 }],
    ['serial:COM3?baud=300-5n1.5', { baud: 300, dataBits: 5, parity: 'none', stopBits: 1.5 }],
    ['serial:usb=0403:6001?rtscts&dtr=off&rts=1', { rtscts: true, dtr: false, rts: true }],
    ['serial:/dev/a?data_bits=7&stop_bits=2&parity=mark', { dataBits: 7, stopBits: 2, parity: 'mark' }],
    ['serial:/dev/a?xon=true&xoff=on&hupcl=false&', { xon: true, xoff: true, hupcl: false }],
  ])('%s sets the line', (text, change) => {
    const parsed = parseLinkAddress(text);
    expect(parsed).toMatchObject({
      ok: true,
      value: { settings: { ...DEFAULT_SERIAL_SETTINGS, ...change } },
    });
  });

  it('lets the link win over the settings given', () => {
    const settings: SerialSettings = { ...DEFAULT_SERIAL_SETTINGS, baud: 300, parity: 'odd' };
    expect(parseLinkAddress('COM3?baud=9600', settings)).toMatchObject({
      value: { settings: { baud: 9600, parity: 'odd' } },
    });
  });

  it.each([
    ['', /empty/, /tcp:/],
    ['psu', /no link/, /tcp:10/],
    ['10.0.0.7:9089', /how to get there/, /Write tcp:10\.0\.0\.7:9089\./],
    ['localhost:9089', /how to get there/, /Write tcp:localhost:9089\./],
    ['tcp:', /missing/, /tcp:HOST:PORT/],
    ['tcp:9089', /host is missing/, /tcp:HOST:PORT/],
    ['tcp::9089', /host is missing/, /tcp:HOST:PORT/],
    ['tcp:10.0.0.7', /port is missing/, /tcp:HOST:PORT/],
    ['tcp:10.0.0.7:', /port is missing/, /tcp:HOST:PORT/],
    ['tcp:10.0.0.300:80', /no IPv4/, /tcp:HOST/],
    ['tcp:a b:80', /no host name/, /tcp:HOST/],
    ['tcp:a..b:80', /no host name/, /tcp:HOST/],
    ['tcp:::1:80', /brackets/, /\[fe80/],
    ['tcp:[::g]:80', /no IPv6/, /\[fe80/],
    ['tcp:[::1]80', /brackets/, /\[fe80/],
    ['tcp:a:0', /Port 0 does not exist/, /from 1 to 65535/],
    ['tcp:a:65536', /Port 65536 does not exist/, /65535/],
    ['tcp:a:http', /"http" is no port/, /numbers/],
    ['tcp:a:80?baud=9600', /no options/, /tcp:HOST/],
    ['tcp-listen:0.0.0.0:1', /waits to be dialled/, /listeners/],
    ['udp:10.0.0.7', /port is missing/, /udp:HOST:PORT/],
    ['udp:10.0.0.7:1?port=5', /local_port/, /local_port=9089/],
    ['udp:10.0.0.7:1?local_port=0', /1 to 65535/, /local_port=9089/],
    ['unix:', /missing/, /unix:PATH/],
    ['unix:/run/', /folder/, /unix:PATH/],
    [`unix:/${'x'.repeat(200)}`, /longer than/, /symbolic link/],
    ['rfc2217:10.0.0.7', /port is missing/, /rfc2217:HOST:PORT/],
    ['rfc2217:10.0.0.7:2217?baud=9600-9N1', /"9N1"/, /8N1/],
    ['rfc2217:10.0.0.7:2217?speed=1', /no option "speed"/, /baud/],
    ['telnet:23', /"telnet:"/, /tcp:/],
    ['replay:', /missing/, /replay:FILE/],
    ['replay:x.trace?speed=0', /above 0/, /speed=10/],
    ['serial:', /port is missing/, /usb_serial/],
    ['serial:0', /index/, /usb_serial/],
    ['serial://dev/ttyUSB0', /absolute/, /Write serial:\/dev\/ttyUSB0\./],
    ['dev/ttyUSB0', /absolute/, /Write \/dev\/ttyUSB0\./],
    ['ttyUSB0', /absolute/, /Write \/dev\/ttyUSB0\./],
    ['serial:usb=403:6001', /no USB id/, /0403:6001/],
    ['serial:usb_serial=', /nothing follows/, /usb_serial=FT1234/],
    ['serial:index=0', /by "index"/, /never an index/],
    ['serial:by_id=/dev/serial/by-id/x', /not a path/, /by_id=x/],
    ['serial:/dev/a\nb', /control character/, /Remove/],
    ['COM3?baud=fast', /"fast" is no baud rate/, /115200/],
    ['COM3?baud=0', /no baud rate/, /9600/],
    ['COM3?baud=9600-9N1', /"9N1"/, /8N1/],
    ['COM3?speed=9600', /no option "speed"/, /baud/],
    ['COM3?baud=9600-8N1&parity=even', /twice/, /Remove/],
    ['COM3?rtscts=maybe', /neither true nor false/, /rtscts=true/],
    ['COM3?stop_bits=3', /stop bits/, /1, 1\.5 or 2/],
  ])('refuses %j and says what to write', (text, problem, fix) => {
    const parsed = parseLinkAddress(text);
    expect(parsed.ok).toBe(false);
    if (parsed.ok) return;
    expect(parsed.problem).toMatch(problem);
    expect(parsed.fix).toMatch(fix);
  });
});

describe('parseListenAddress', () => {
  it.each([
    ['tcp-listen:127.0.0.1:9089', '127.0.0.1', 9089],
    ['tcp-listen://0.0.0.0:0', '0.0.0.0', 0],
    ['tcp-listen:[::]:9089', '::', 9089],
  ])('%s listens', (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ ok: true, value: { scheme: 'tcp-listen', host, port } });
  });

  it.each([
    ['9089', /Write tcp-listen:127\.0\.0\.1:9089\./],
    ['0.0.0.0:9089', /Write tcp-listen:0\.0\.0\.0:9089\./],
    ['localhost:9089', /Write tcp-listen:localhost:9089\./],
    ['tcp:0.0.0.0:9089', /Write tcp-listen:0\.0\.0\.0:9089\./],
    ['tcp-listen:9089', /tcp-listen:HOST:PORT/],
    ['tcp-listen:*:9089', /0\.0\.0\.0/],
    ['serial:/dev/ttyUSB0', /device/],
    ['udp:0.0.0.0:9089', /Write udp-listen:0\.0\.0\.0:9089\./],
    ['ws:1', /begin with/],
    ['', /tcp-listen:HOST:PORT/],
  ])('refuses %j and says what to write', (text, fix) => {
    const parsed = parseListenAddress(text);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.fix).toMatch(fix);
  });
});

const settings = fc
  .record(
    {
      baud: fc.integer({ min: 1, max: 4_000_000 }),
      dataBits: fc.constantFrom(5, 6, 7, 8),
      stopBits: fc.constantFrom(1, 1.5, 2),
      parity: fc.constantFrom('none', 'even', 'odd', 'mark', 'space'),
      rtscts: fc.boolean(),
      xon: fc.boolean(),
      xoff: fc.boolean(),
      dtr: fc.boolean(),
      rts: fc.boolean(),
      hupcl: fc.boolean(),
    },
    { requiredKeys: ['baud', 'dataBits', 'stopBits', 'parity', 'rtscts', 'xon', 'xoff', 'hupcl'] },
  )
  .map((each) => each as SerialSettings);
const port = fc.oneof(
  fc.stringMatching(/^\/dev\/[A-Za-z0-9._=?&:-]{1,20}$/).map((name) => ({ by: 'path' as const, path: name })),
  fc.stringMatching(/^COM\d{1,3}$/).map((name) => ({ by: 'path' as const, path: name })),
  fc
    .stringMatching(/^[A-Za-z0-9 ?=&]{1,12}$/)
    .map((serialNumber) => ({ by: 'usb_serial' as const, serialNumber })),
);
const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
const endpoint = fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) });

describe('an address written out', () => {
  it('writes what parses to the same address', () => {
    const address: fc.Arbitrary<LinkAddress> = fc.oneof(
      endpoint.map((each) => ({ scheme: 'tcp' as const, ...each })),
      fc.record({ port, settings }).map((each) => ({ scheme: 'serial' as const, ...each })),
      endpoint.map((each) => ({ scheme: 'udp' as const, ...each })),
      endpoint.map((each) => ({ scheme: 'udp' as const, ...each, localPort: 1 + (each.port % 65_535) })),
      fc.tuple(endpoint, settings).map(([each, line]) => ({
        scheme: 'rfc2217' as const,
        ...each,
        settings: line,
      })),
      fc.stringMatching(/^[./][A-Za-z0-9._-]{1,20}$/).map((path) => ({ scheme: 'unix' as const, path })),
    );
    fc.assert(
      fc.property(address, (each) => {
        expect(parseLinkAddress(writtenAddress(each))).toEqual({ ok: true, value: each });
      }),
    );
    fc.assert(
      fc.property(endpoint, (each) => {
        const listen: ListenAddress = { scheme: 'tcp-listen', ...each };
        expect(parseListenAddress(writtenAddress(listen))).toEqual({ ok: true, value: listen });
      }),
    );
  });

  it('never throws, whatever it is given to read', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: 'binary' }).map((text) => `serial:${text}`),
        ),
        (text) => {
          for (const parsed of [parseLinkAddress(text), parseListenAddress(text)]) {
            if (!parsed.ok) expect(parsed.problem.length * parsed.fix.length).toBeGreaterThan(0);
          }
        },
      ),
    );
  });

  it('labels an address with where it leads', () => {
    expect(addressLabel({ scheme: 'tcp', host: '::1', port: 7 })).toBe('[::1]:7');
    expect(addressLabel({ scheme: 'tcp-listen', host: '127.0.0.1', port: 7 })).toBe('127.0.0.1:7');
    const parsed = parseLinkAddress('serial:usb_serial=FT1234?baud=9600');
    expect(parsed.ok && addressLabel(parsed.value)).toBe('usb_serial=FT1234');
  });
});
