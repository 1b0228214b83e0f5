import { describe, expect, it } from 'vitest';
import { benchOf } from '../support/declared-bench.ts';
import { hex, join } from '../support/listener-bench.ts';
import { readProjectFile } from '../support/project-files.ts';
import { gt06, jt808 } from '../support/trackers.ts';

const GT06 = readProjectFile('examples/gt06/messages.yaml');
const JT808 = readProjectFile('examples/jtt-808/messages.yaml');

const login = (imei = '0490154203237518', serial = '0058') => gt06(`01${imei}${serial}`);
const status = (serial = '0053') => gt06(`1340065e0001${serial}`);

describe('a tracker whose messages declare its login', () => {
  it('is named by it, and answered with its serial number', () => {
    const bench = benchOf(GT06);
    const link = bench.dialIn();
    link.data(join(login(), status()));
    expect(hex(link.takeSent())).toEqual(hex([gt06('010058'), gt06('130053')]));
    expect(hex([gt06('130053')])).toEqual(['78780513005398660d0a']);
    expect(bench.state('0490154203237518')).toMatchObject({
      status: 'online',
      identity: { identity: '0490154203237518' },
      values: { status: { gsm: 94 } },
    });
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
  });

  it('is named by it wherever its bytes are cut', () => {
    const bytes = join(login(), status());
    for (let at = 1; at < bytes.length; at++) {
      const bench = benchOf(GT06);
      const link = bench.dialIn();
      link.data(bytes.subarray(0, at));
      link.data(bytes.subarray(at));
      expect(hex(link.takeSent())).toEqual(hex([gt06('010058'), gt06('130053')]));
    }
  });

  it('is the configured device of that identity, and others behind its address are others', () => {
    const bench = benchOf(GT06, 'devices: [{ id: truck, match: { identity: "0490154203237518" } }]');
    const [one, other] = [bench.dialIn(), bench.dialIn()];
    one.data(login());
    other.data(login('0358739050000017'));
    expect(bench.devices).toEqual(['truck', '0358739050000017']);
    expect(bench.state('truck')).toMatchObject({ status: 'online' });
  });

  it('is answered before it logs in, as far as its heartbeat goes', () => {
    const bench = benchOf(GT06);
    const link = bench.dialIn();
    link.data(status());
    expect(hex(link.takeSent())).toEqual(hex([gt06('130053')]));
    expect(bench.devices).toEqual([]);
    link.data(login());
    expect(bench.devices).toEqual(['0490154203237518']);
  });

  it('goes stale and offline by the heartbeat that it declares', () => {
    const bench = benchOf(GT06);
    const link = bench.dialIn();
    link.data(login());
    const shown = () => bench.state('0490154203237518')?.status;
    bench.clock.advance(270_000);
    expect(shown()).toBe('online');
    bench.clock.advance(2);
    expect(shown()).toBe('stale');
    link.data(status());
    expect(shown()).toBe('online');
    bench.clock.advance(541_001);
    expect(shown()).toBe('offline');
    expect(link.calls).toEqual(['open', 'destroy']);
  });

  it('is taken over by a newer link of the same address, and nothing is left of the old one', () => {
    const bench = benchOf(GT06);
    const [old, fresh] = [bench.dialIn(), bench.dialIn()];
    old.data(login());
    fresh.data(login());
    expect(old.calls).toEqual(['open', 'destroy']);
    expect(hex(fresh.takeSent())).toEqual(hex([gt06('010058')]));
    expect(bench.state('0490154203237518')).toMatchObject({
      status: 'online',
      link: { address: fresh.address },
    });
  });

  it('is taken over from another address once the present link is silent', () => {
    const bench = benchOf(GT06);
    const old = bench.dialIn('10.0.0.1');
    old.data(login());
    const fresh = bench.dialIn('10.0.0.2');
    fresh.data(join(login(), status()));
    expect(fresh.takeSent()).toEqual([]);
    bench.clock.advance(3_000);
    expect(hex(fresh.takeSent())).toEqual(hex([gt06('010058'), gt06('130053')]));
    expect(old.calls).toEqual(['open', 'destroy']);
  });

  it('is held after three takeovers in a minute', () => {
    const bench = benchOf(GT06);
    const links = ['10.0.0.1', '10.0.0.2', '10.0.0.1', '10.0.0.2', '10.0.0.3'].map((host) => {
      const link = bench.dialIn(host);
      link.data(login());
      bench.clock.advance(3_000);
      return link;
    });
    expect(bench.state('0490154203237518')).toMatchObject({ reason: 'duplicate_identity' });
    expect(links.map(({ isOpen }) => isOpen)).toEqual([false, false, false, true, false]);
  });

  it('is away between its reports, where it hangs up', () => {
    const bench = benchOf(GT06, 'defaults: { presence: { every: 10m } }');
    const link = bench.dialIn();
    link.data(login());
    link.close();
    expect(bench.state('0490154203237518')).toMatchObject({ status: 'away' });
    bench.clock.advance(900_001);
    expect(bench.state('0490154203237518')).toMatchObject({ status: 'offline', reason: 'overdue' });
  });

  it('may log in again, but not as another device on one link', () => {
    const bench = benchOf(GT06);
    const link = bench.dialIn();
    link.data(login());
    link.data(login('0490154203237518', '0059'));
    expect(hex(link.takeSent())).toEqual(hex([gt06('010058'), gt06('010059')]));
    link.data(login('0358739050000017'));
    expect(link.takeSent()).toEqual([]);
    expect(link.calls).toEqual(['open', 'end']);
    expect(bench.state('0490154203237518')).toMatchObject({
      status: 'offline',
      link: { status: 'listening', reason: 'identity_changed' },
    });
    expect(bench.devices).toEqual(['0490154203237518']);
  });

  it('is refused where no device may be new, and its link is closed', () => {
    const bench = benchOf(GT06, '', ', unknown: refuse');
    const link = bench.dialIn();
    link.data(join(login(), status()));
    expect(link.takeSent()).toEqual([]);
    expect(link.calls).toEqual(['open', 'end']);
    expect(bench.devices).toEqual([]);
  });

  it('leaves no session behind that never logs in', () => {
    const bench = benchOf(GT06);
    const link = bench.dialIn();
    link.data(Uint8Array.from([0x78, 0x78, 0x0d, 0x01]));
    bench.clock.advance(10_000);
    expect(link.calls).toEqual(['open', 'destroy']);
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
    expect(bench.clock.timers).toBe(0);
  });
});

const PHONE = '013912345678';
const header = (id: string, size: string, serial: string, phone = PHONE) => `${id}${size}${phone}${serial}`;
const register = (phone = PHONE) =>
  jt808(`${header('0100', '0029', '0001', phone)}002c012f${'41'.repeat(32)}01d4c14238383838`);

/** Frames of the platform, which begin with a flag too. */
const platform = (content: string) => Uint8Array.from([0x7e, ...jt808(content)]);

describe('a terminal of JT/T 808', () => {
  it('registers, authenticates and reports, each with the answer of the standard', () => {
    const bench = benchOf(JT808);
    const link = bench.dialIn();
    link.data(join(Uint8Array.of(0x7e), register()));
    const code = Buffer.from(PHONE).toString('hex');
    expect(hex(link.takeSent())).toEqual(hex([platform(`${header('8100', '000f', '0000')}000100${code}`)]));
    link.data(join(Uint8Array.of(0x7e), jt808(`${header('0102', '000c', '0002')}${code}`)));
    link.data(join(Uint8Array.of(0x7e), jt808(header('0002', '0000', '0003'))));
    const place = '00000000000c000301578cc006ca3a5c0047000000001407231720150104';
    link.data(join(Uint8Array.of(0x7e), jt808(`${header('0200', '001e', '007e')}${place}`)));
    expect(hex(link.takeSent())).toEqual(
      hex([
        platform(`${header('8001', '0005', '0001')}0002010200`),
        platform(`${header('8001', '0005', '0002')}0003000200`),
        platform(`${header('8001', '0005', '0003')}007e020000`),
      ]),
    );
    expect(bench.state(PHONE)).toMatchObject({ status: 'online', identity: { identity: PHONE } });
  });

  it('is told why it is refused', () => {
    const bench = benchOf(JT808, '', ', unknown: refuse');
    const link = bench.dialIn();
    link.data(join(Uint8Array.of(0x7e), register()));
    const code = Buffer.from(PHONE).toString('hex');
    expect(hex(link.takeSent())).toEqual(hex([platform(`${header('8100', '000f', '0000')}000104${code}`)]));
    expect(link.calls).toEqual(['open', 'end']);
  });

  it('that says another phone number while its claim is examined is refused', () => {
    const bench = benchOf(JT808);
    bench.dialIn('10.0.0.1').data(join(Uint8Array.of(0x7e), register()));
    const link = bench.dialIn('10.0.0.2');
    link.data(join(Uint8Array.of(0x7e), register(), Uint8Array.of(0x7e), register('013900000000')));
    expect(link.calls).toEqual(['open', 'end']);
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
  });
});
