import { describe, expect, it } from 'vitest';
import { benchOf } from '../support/declared-bench.ts';
import { hex, join } from '../support/listener-bench.ts';
import { readProjectFile } from '../support/project-files.ts';

const TELTONIKA = readProjectFile('examples/teltonika/messages.yaml');
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const text = (of: string): Uint8Array => new TextEncoder().encode(of);

const IMEI = '356307042441013';
const HELLO = join(bytes('000f'), text(IMEI));
/** The example of the protocol's document: one record. */
const RECORDS = bytes(
  '000000000000003608010000016b40d8ea30010000000000000000000000000000000105021503010101425e0f01f10000601a014e0000000000000000010000c7cf',
);

describe('a hello in front of the first frame', () => {
  it('names the device and is answered, and what follows are frames', () => {
    const bench = benchOf(TELTONIKA);
    const link = bench.dialIn();
    link.data(HELLO);
    expect(hex(link.takeSent())).toEqual(['01']);
    link.data(RECORDS);
    expect(hex(link.takeSent())).toEqual(['00000001']);
    expect(bench.state(IMEI)).toMatchObject({ status: 'online', identity: { identity: IMEI } });
  });

  it('is found wherever its bytes are cut, in one segment with what follows too', () => {
    const all = join(HELLO, RECORDS);
    for (let at = 0; at <= all.length; at++) {
      const bench = benchOf(TELTONIKA);
      const link = bench.dialIn();
      if (at > 0) link.data(all.subarray(0, at));
      link.data(all.subarray(at));
      expect(hex(link.takeSent())).toEqual(['01', '00000001']);
    }
  });

  it('is refused where no device may be new', () => {
    const bench = benchOf(TELTONIKA, '', ', unknown: refuse');
    const link = bench.dialIn();
    link.data(HELLO);
    expect(hex(link.takeSent())).toEqual(['00']);
    expect(link.calls).toEqual(['open', 'end']);
  });

  it.each([
    ['frames without a hello', RECORDS],
    ['a page of the web', text('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['letters in the place of digits', join(bytes('000f'), text('35630704244101X'))],
    ['an identity of no length', bytes('0000')],
    ['a length without an end', join(bytes('7fff'), new Uint8Array(2_000))],
  ])('is not taken for %s', (_, first) => {
    const bench = benchOf(TELTONIKA);
    const link = bench.dialIn();
    link.data(first);
    bench.clock.advance(10_000);
    expect(link.calls).toEqual(['open', 'destroy']);
    expect(bench.devices).toEqual([]);
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
    expect(bench.clock.timers).toBe(0);
  });

  it('costs linear time byte by byte', () => {
    const bench = benchOf(TELTONIKA);
    const link = bench.dialIn();
    link.data(bytes('0020'));
    for (let index = 0; index < 31; index++) link.data(text('1'));
    expect(link.takeSent()).toEqual([]);
    link.data(text('1'));
    expect(hex(link.takeSent())).toEqual(['01']);
  });
});

const DTU = (registration: string) => `version: 1
protocol:
  framing: { type: delimiter, delimiter: "\\n" }
  registration: ${registration}
messages:
  - { name: line, from: device, fields: [{ name: text, type: text, length: rest }] }
`;

describe('the registration text of a DTU', () => {
  it.each([
    ['{ text: "DTU-*", length: 4 }', 'DTU-0007', '0007'],
    ['{ text: "REG,*\\r\\n", accept: "OK" }', 'REG,north 1\r\n', 'north 1'],
    ['{ text: "www.usr.cn", identity: gate-1 }', 'www.usr.cn', 'gate-1'],
    ['{ text: "www.usr.cn" }', 'www.usr.cn', 'www.usr.cn'],
  ])('%s', (registration, sent, identity) => {
    const all = join(text(sent), text('a line\n'));
    for (let at = 1; at < all.length; at++) {
      const bench = benchOf(DTU(registration), `devices: [{ id: gate, match: { identity: "${identity}" } }]`);
      const link = bench.dialIn();
      link.data(all.subarray(0, at));
      link.data(all.subarray(at));
      expect(bench.state('gate')).toMatchObject({
        status: 'online',
        identity: { identity },
        values: { line: { text: 'a line' } },
      });
      expect(hex(link.takeSent())).toEqual(registration.includes('accept') ? ['4f4b'] : []);
    }
  });

  it('that is another one closes the link', () => {
    const bench = benchOf(DTU('{ text: "DTU-*", length: 4 }'));
    const link = bench.dialIn();
    link.data(text('DTX-0007'));
    expect(link.calls).toEqual(['open', 'destroy']);
  });
});
