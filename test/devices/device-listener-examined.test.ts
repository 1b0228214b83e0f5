import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/protocol/codec.ts';
import type { MessageDeclaration } from '../../src/protocol/declared/declaration.ts';
import { declaredProtocol } from '../support/declared.ts';
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
import { APPID, dialIn, IMEI, registerRequest } from '../support/session-bench.ts';

const register = encodeFrame(registerRequest({ appid: APPID, imei: IMEI }));
const bytes = (hexText: string) => Uint8Array.from(Buffer.from(hexText.replaceAll(' ', ''), 'hex'));
const replied = (id: string) => bytes(`00000002 ${id}00`);

const MESSAGES: readonly MessageDeclaration[] = [
  { name: 'climate', id: 0x10, from: 'device', fields: [{ name: 'degrees', type: 'u8' }] },
  {
    name: 'journal',
    id: 0x11,
    from: 'device',
    reply: 'status',
    fields: [{ name: 'line', type: 'text', length: 'u16' }],
  },
];
/** For another device the same id is something else. */
const OTHERS: readonly MessageDeclaration[] = [
  { name: 'other', id: 0x10, from: 'device', fields: [{ name: 'on', type: 'u16' }] },
];
const climate = (degrees: number) => Uint8Array.of(0, 0, 0, 2, 0x10, degrees);
const journal = (line: string) => {
  const head = new DataView(new ArrayBuffer(7));
  head.setUint32(0, 3 + line.length);
  head.setUint8(4, 0x11);
  head.setUint16(5, line.length);
  return join(new Uint8Array(head.buffer), new TextEncoder().encode(line));
};

/** A device that is online, and a link from elsewhere that has registered as it. */
function examined() {
  const bench = new ListenerBench({}, [
    matchedDevice('lamp', { imei: '490154203237518' }, { messages: declaredProtocol(OTHERS) }),
    matchedDevice('oven', { imei: IMEI }, { messages: declaredProtocol(MESSAGES) }),
  ]);
  const incumbent = bench.dialIn('10.0.0.1');
  incumbent.data(register);
  const newcomer = bench.dialIn('10.0.0.2');
  newcomer.data(register);
  incumbent.takeSent();
  expect(bench.deviceListener.pendingLinks()).toHaveLength(1);
  return { bench, incumbent, newcomer };
}

describe('while the claim of a newcomer is examined', () => {
  it('what it says is held, and heard in its order once it has the link', () => {
    const { bench, newcomer } = examined();
    newcomer.data(join(climate(20), journal('first'), HEARTBEAT, climate(21)));
    newcomer.data(join(journal('second'), bytes('00000001 7f')));
    expect(hex(newcomer.takeSent())).toEqual(hex([HEARTBEAT_REPLY]));
    bench.clock.advance(3_000);
    expect(hex(newcomer.takeSent())).toEqual(hex([REGISTERED, replied('11'), replied('11')]));
    newcomer.data(climate(22).subarray(0, 3));
    expect(bench.state('oven')).toMatchObject({
      link: { address: newcomer.address },
      values: { climate: { degrees: 21 }, journal: { line: 'second' } },
    });
    bench.clock.advance(1_000);
    expect(bench.store.document('devices/oven/stats')).toMatchObject({ unknown: 1, invalid: 0 });
  });

  it('its frames may be as long as those of the device', () => {
    const { bench, newcomer } = examined();
    const line = 'x'.repeat(1_000);
    newcomer.data(journal(line));
    expect(newcomer.calls).toEqual(['open']);
    bench.clock.advance(3_000);
    expect(bench.state('oven')).toMatchObject({ values: { journal: { line } } });
  });

  it('nothing of it is heard where the present link lives', () => {
    const { bench, incumbent, newcomer } = examined();
    newcomer.data(climate(20));
    incumbent.data(HEARTBEAT_REPLY);
    expect(hex(newcomer.takeSent())).toEqual(hex([REFUSED]));
    expect(bench.state('oven')?.values).toBeUndefined();
  });

  it.each([
    ['257 frames', Array.from({ length: 257 }, () => climate(20))],
    ['more than 64 KiB', Array.from({ length: 66 }, () => journal('x'.repeat(1_000)))],
  ])('it is refused for %s', (_, frames) => {
    const { bench, incumbent, newcomer } = examined();
    for (const frame of frames) newcomer.data(frame);
    expect(hex(newcomer.takeSent())).toEqual(hex([REFUSED]));
    expect(newcomer.calls).toEqual(['open', 'end']);
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
    bench.clock.advance(3_000);
    expect(bench.state('oven')).toMatchObject({ link: { address: incumbent.address } });
  });

  it('of an address alone it is held, too', () => {
    const session = dialIn({ device: 'oven' });
    const messages = declaredProtocol(MESSAGES);
    const match = { from: ['10.0.0.0/24'] };
    const bench = new ListenerBench({}, [matchedDevice('oven', match, { messages, session })]);
    bench.dialIn('10.0.0.1').data(HEARTBEAT);
    const newcomer = bench.dialIn('10.0.0.2');
    newcomer.data(join(HEARTBEAT, climate(20)));
    expect(bench.state('oven')?.values).toBeUndefined();
    bench.clock.advance(3_000);
    expect(bench.state('oven')).toMatchObject({
      link: { address: newcomer.address },
      values: { climate: { degrees: 20 } },
    });
  });

  it('it is held for the same device from before its register on', () => {
    const match = { from: ['10.0.0.0/24'] };
    const bench = new ListenerBench({}, [
      matchedDevice('oven', match, { messages: declaredProtocol(MESSAGES) }),
    ]);
    bench.dialIn('10.0.0.1').data(HEARTBEAT);
    const newcomer = bench.dialIn('10.0.0.2');
    newcomer.data(join(HEARTBEAT, journal('before'), register, climate(20)));
    bench.clock.advance(3_000);
    expect(hex(newcomer.takeSent())).toEqual(hex([HEARTBEAT_REPLY, REGISTERED, replied('11')]));
    expect(bench.state('oven')).toMatchObject({
      identity: { imei: IMEI },
      values: { climate: { degrees: 20 }, journal: { line: 'before' } },
    });
  });

  it('a link that is claimed by its address and registers is that of one device', () => {
    const bench = new ListenerBench({}, [
      matchedDevice('lamp', { imei: IMEI }),
      matchedDevice('oven', { from: ['10.0.0.0/24'] }),
    ]);
    const [incumbent, newcomer] = [bench.dialIn('10.0.0.1'), bench.dialIn('10.0.0.2')];
    bench.clock.advance(9_999);
    for (const link of [incumbent, newcomer]) link.data(HEARTBEAT);
    bench.clock.advance(1);
    for (const link of [incumbent, newcomer]) link.data(HEARTBEAT);
    newcomer.data(register);
    bench.clock.advance(3_000);
    expect(bench.state('lamp')).toMatchObject({ status: 'online', link: { address: newcomer.address } });
    expect(bench.state('oven')).toMatchObject({ status: 'online', link: { address: incumbent.address } });
  });
});
