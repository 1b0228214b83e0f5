import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/protocol/codec.ts';
import {
  HEARTBEAT,
  HEARTBEAT_REPLY,
  hex,
  join,
  ListenerBench,
  matchedDevice,
  REFUSED,
  REGISTERED,
} from '../support/listener-bench.ts';
import { APPID, IMEI, registerRequest } from '../support/session-bench.ts';

const OTHER_IMEI = '490154203237518';
const register = (imei = IMEI) => encodeFrame(registerRequest({ appid: APPID, imei }));
const BY_ADDRESS = 'addr-10.0.0.1';

/** A link that has been named by its address, and what has been sent to it is taken. */
function named(bench: ListenerBench) {
  const link = bench.dialIn('10.0.0.1');
  link.data(HEARTBEAT);
  bench.clock.advance(9_000);
  link.data(HEARTBEAT);
  bench.clock.advance(1_000);
  link.data(HEARTBEAT);
  expect(bench.state(BY_ADDRESS)?.status).toBe('online');
  link.takeSent();
  return link;
}

describe('a link that was named by its address and registers', () => {
  it('goes to the device of the configuration of that identity, in the middle of a segment', () => {
    const bench = new ListenerBench({ anonymous: 'by-address' }, [matchedDevice('truck', { imei: IMEI })]);
    const link = named(bench);
    link.data(join(HEARTBEAT, register(), HEARTBEAT));
    expect(hex(link.takeSent())).toEqual(hex([HEARTBEAT_REPLY, REGISTERED, HEARTBEAT_REPLY]));
    expect(bench.state('truck')).toMatchObject({
      status: 'online',
      identity: { appid: APPID, imei: IMEI },
      link: { status: 'connected', address: link.address },
    });
    expect(bench.state(BY_ADDRESS)).toMatchObject({
      status: 'offline',
      reason: 'link_handed_on',
      link: {
        status: 'listening',
        reason: 'link_handed_on',
        detail: 'it registered: its link is that of truck',
      },
    });
    expect(link.calls).toEqual(['open']);
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
    link.close();
    expect(bench.state('truck')?.status).toBe('offline');
    expect(bench.state(BY_ADDRESS)?.reason).toBe('link_handed_on');
    expect(bench.deviceListener.status().connections).toBe(0);
  });

  it('becomes an unknown device by its IMEI', () => {
    const bench = new ListenerBench({ anonymous: 'by-address' });
    const link = named(bench);
    link.data(register());
    expect(hex(link.takeSent())).toEqual(hex([REGISTERED]));
    expect(bench.state(IMEI)?.status).toBe('online');
    link.data(register(OTHER_IMEI));
    expect(hex(link.takeSent())).toEqual(hex([REFUSED]));
    expect(bench.state(IMEI)).toMatchObject({ link: { reason: 'identity_changed' } });
  });

  it('is refused where unknown devices are', () => {
    const bench = new ListenerBench({ anonymous: 'by-address', unknown: 'refuse' });
    const link = named(bench);
    link.data(register());
    expect(hex(link.takeSent())).toEqual(hex([REFUSED]));
    expect(link.calls).toEqual(['open', 'end']);
    expect(bench.state(BY_ADDRESS)).toMatchObject({ status: 'offline', reason: 'link_handed_on' });
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
  });

  it('waits like any other while the present link of that device is probed', () => {
    const bench = new ListenerBench({ anonymous: 'by-address' });
    const incumbent = bench.dialIn('10.0.0.2');
    incumbent.data(register());
    const link = named(bench);
    incumbent.data(HEARTBEAT);
    link.data(register());
    expect(hex(link.takeSent())).toEqual([]);
    expect(bench.deviceListener.pendingLinks().map((each) => each.link.claimedIdentity?.imei)).toEqual([
      IMEI,
    ]);
    bench.clock.advance(3_000);
    expect(hex(link.takeSent())).toEqual(hex([REGISTERED]));
    expect(bench.state(IMEI)).toMatchObject({ status: 'online', link: { address: link.address } });
  });

  it.each([
    ['in one segment', []],
    ['cut before it', [5]],
    ['cut in the middle of its register', [30]],
    ['cut behind its register', [5 + 56]],
    ['cut in the middle of what follows', [5 + 56 + 2]],
  ])('is looked at from its register on, with all that came with it, %s', (_, cuts) => {
    const handed: Buffer[] = [];
    const tap = {
      named: () => undefined,
      transferred: (_address: string, bytes: Uint8Array) => void handed.push(Buffer.from(bytes)),
      received: (chunk: Uint8Array) => void (handed.length > 0 && handed.push(Buffer.from(chunk))),
    };
    const bench = new ListenerBench(
      { anonymous: 'by-address' },
      [matchedDevice('truck', { imei: IMEI })],
      () => tap,
    );
    const link = named(bench);
    const half = HEARTBEAT.subarray(0, 3);
    const said = join(HEARTBEAT, register(), HEARTBEAT, half);
    let from = 0;
    for (const to of [...cuts, said.length]) {
      link.data(said.slice(from, to));
      from = to;
    }
    expect(Buffer.concat(handed).toString('hex')).toBe(
      Buffer.from(join(register(), HEARTBEAT, half)).toString('hex'),
    );
  });

  it('stays with the device of the configuration that is meant', () => {
    const bench = new ListenerBench({}, [
      matchedDevice('far', { imei: OTHER_IMEI }),
      matchedDevice('near', { from: ['10.0.0.1'] }),
    ]);
    const [stays, goes] = [bench.dialIn('10.0.0.1'), bench.dialIn('10.0.0.1')];
    bench.clock.advance(9_999);
    for (const link of [stays, goes]) link.data(HEARTBEAT);
    bench.clock.advance(1);
    stays.data(join(HEARTBEAT, register()));
    expect(bench.state('near')).toMatchObject({ status: 'online', identity: { imei: IMEI } });
    goes.data(HEARTBEAT);
    expect(bench.state('near')).toMatchObject({ link: { address: goes.address } });
    goes.data(register(OTHER_IMEI));
    expect(bench.state('far')).toMatchObject({ status: 'online', link: { address: goes.address } });
    expect(bench.state('near')).toMatchObject({ status: 'offline', reason: 'link_handed_on' });
  });
});
