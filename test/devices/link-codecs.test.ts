import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { DEFAULT_PROTOCOL, type MessageDeclaration } from '../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import { declaredProtocol } from '../support/declared.ts';
import {
  HEARTBEAT,
  HEARTBEAT_REPLY,
  hex,
  join,
  ListenerBench,
  matchedDevice,
  REGISTERED,
} from '../support/listener-bench.ts';
import { APPID, dialIn, IMEI, registerRequest } from '../support/session-bench.ts';

const OTHER_IMEI = '490154203237518';
const register = (imei = IMEI) => encodeFrame(registerRequest({ appid: APPID, imei }));
const bytes = (hexText: string) => Uint8Array.from(Buffer.from(hexText.replaceAll(' ', ''), 'hex'));

/** One id: degrees in two bytes for the one, a text of any length, in a reply, for the other. */
const DEGREES: readonly MessageDeclaration[] = [
  { name: 'climate', id: 0x10, from: 'device', fields: [{ name: 'degrees', type: 'i16', scale: 0.1 }] },
];
const TEXT: readonly MessageDeclaration[] = [
  {
    name: 'journal',
    id: 0x10,
    from: 'device',
    reply: 'status',
    fields: [{ name: 'line', type: 'text', length: 'u8' }],
  },
];
const degrees = declaredProtocol(DEGREES);
const text = declaredProtocol(TEXT);
const WARM = bytes('00000003 10 00d7');
const HELLO = bytes('00000007 10 05 68656c6c6f');

const twoModels = () =>
  new ListenerBench({}, [
    matchedDevice('oven', { imei: IMEI }, { messages: degrees }),
    matchedDevice('scribe', { imei: OTHER_IMEI }, { messages: text }),
  ]);

describe('devices that dial in with messages of their own', () => {
  it('use one id for different messages, and both are read rightly', () => {
    const bench = twoModels();
    const [oven, scribe] = [bench.dialIn('10.0.0.1'), bench.dialIn('10.0.0.2')];
    oven.data(join(register(), WARM));
    scribe.data(join(register(OTHER_IMEI), HELLO));
    oven.data(bytes('00000003 10 00d8'));
    expect(bench.state('oven')).toMatchObject({ status: 'online', values: { climate: { degrees: 21.6 } } });
    expect(bench.state('scribe')).toMatchObject({ values: { journal: { line: 'hello' } } });
    expect(hex(scribe.takeSent())).toEqual(hex([REGISTERED, bytes('00000002 1000')]));
  });

  const segment = join(HEARTBEAT, register(OTHER_IMEI), HELLO, HEARTBEAT, HELLO);
  it.each(Array.from({ length: segment.length + 1 }, (_, at) => at))(
    'say them behind the register, cut at %d',
    (at) => {
      const bench = twoModels();
      const link = bench.dialIn();
      link.data(segment.subarray(0, at));
      if (at < segment.length) link.data(segment.subarray(at));
      expect(bench.state('scribe')).toMatchObject({ values: { journal: { line: 'hello' } } });
      const replied = bytes('00000002 1000');
      expect(hex(link.takeSent())).toEqual(
        hex([HEARTBEAT_REPLY, REGISTERED, replied, HEARTBEAT_REPLY, replied]),
      );
    },
  );

  it('are not judged by the messages of others before they have a name', () => {
    const bench = twoModels();
    const link = bench.dialIn();
    // Impossible for the oven, and bytes that are no message of any.
    link.data(join(HELLO, bytes('00000009 10 0000000000000000'), register(OTHER_IMEI), HELLO));
    expect(link.calls).toEqual(['open']);
    expect(bench.state('scribe')).toMatchObject({ values: { journal: { line: 'hello' } } });
  });

  it('go on after one that is none of theirs', () => {
    const bench = twoModels();
    const link = bench.dialIn();
    link.data(join(register(), HELLO, bytes('00000001 10'), WARM));
    expect(link.calls).toEqual(['open']);
    expect(bench.state('oven')).toMatchObject({ status: 'online', values: { climate: { degrees: 21.5 } } });
    bench.clock.advance(1_000);
    expect(bench.store.document('devices/oven/stats')).toMatchObject({ invalid: 2 });
  });

  it('say them on the link that takes over, too, and on one that is probed for', () => {
    const bench = twoModels();
    bench.dialIn('10.0.0.1').data(join(register(), WARM));
    const newer = bench.dialIn('10.0.0.9');
    newer.data(register());
    newer.data(WARM.subarray(0, 5));
    // The incumbent is silent for a heartbeat interval: the newer one is attached in the middle of a frame.
    bench.clock.advance(3_000);
    expect(hex(newer.takeSent())).toEqual(hex([REGISTERED]));
    newer.data(bytes('0064'));
    expect(bench.state('oven')).toMatchObject({
      link: { address: newer.address },
      values: { climate: { degrees: 10 } },
    });
  });

  it('that return without registering again are known by their address and say them', () => {
    const bench = new ListenerBench({}, [
      matchedDevice('oven', { from: ['10.0.0.1'] }, { messages: degrees }),
      matchedDevice('scribe', { imei: OTHER_IMEI }, { messages: text }),
    ]);
    const first = bench.dialIn('10.0.0.1');
    first.data(join(register(), WARM));
    first.close();
    const again = bench.dialIn('10.0.0.1');
    // A declared message is a sign of life, whose content is lost with the name that it gives.
    again.data(join(WARM, bytes('00000003 10 0064')));
    expect(bench.state('oven')).toMatchObject({ status: 'online', values: { climate: { degrees: 10 } } });
  });

  it('may send longer frames than the listener admits before they have a name', () => {
    const bench = new ListenerBench({}, [
      matchedDevice('scribe', { imei: IMEI }, { messages: text, maxFrame: 20 }),
    ]);
    const link = bench.dialIn();
    link.data(join(register(), bytes('00000014 10 12'), new Uint8Array(18).fill(0x61)));
    expect(bench.state('scribe')).toMatchObject({ values: { journal: { line: 'a'.repeat(18) } } });
    link.data(bytes('00000015 10'));
    expect(link.calls).toEqual(['open', 'destroy']);
  });
});

it('an unknown device speaks the messages of the listener that it came by', () => {
  const bench = new ListenerBench({ messages: text });
  bench.dialIn().data(join(register(), HELLO));
  expect(bench.state(IMEI)).toMatchObject({ values: { journal: { line: 'hello' } } });
});

describe('a device that dials in and never registers', () => {
  const { id: _, error: __, ...withoutIds } = DEFAULT_PROTOCOL;
  const read: MessageDeclaration = {
    name: 'read',
    from: 'host',
    reply: { fields: [{ name: 'power', type: 'u16' }] },
    fields: [{ name: 'unit', type: 'u8' }],
  };
  const meter = new DeclaredProtocol({ ...withoutIds, framing: { type: 'slip' }, messages: [read] });
  const polls = [{ message: 'read', fields: { unit: 1 }, everyMs: 1_000 }];
  const bare = { silenceMs: 5_000, polls, turnaroundMs: 10 };
  const bareMeter = (from: string) =>
    matchedDevice('meter', { from: [from] }, { messages: meter, session: dialIn({ device: 'meter', bare }) });

  it('is known by its address at once, polled, and read in its own framing', () => {
    const bench = new ListenerBench({}, [bareMeter('10.0.0.40'), matchedDevice('oven', { imei: IMEI })]);
    const link = bench.dialIn('10.0.0.40');
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
    expect(hex(link.takeSent())).toEqual(['c001c0']);
    expect(bench.state('meter')).not.toMatchObject({ status: 'online' });
    link.data(bytes('00dbdc c0'));
    expect(bench.state('meter')).toMatchObject({ status: 'online', values: { read: { power: 0xc0 } } });
    bench.clock.advance(1_000);
    expect(hex(link.takeSent())).toEqual(['c001c0']);
  });

  it('is offline after its silence, and online on its next link', () => {
    const bench = new ListenerBench({}, [bareMeter('10.0.0.40')]);
    const link = bench.dialIn('10.0.0.40');
    link.data(bytes('0007 c0'));
    bench.clock.advance(6_000);
    expect(link.calls).toEqual(['open', 'destroy']);
    expect(bench.state('meter')).toMatchObject({ status: 'offline', link: { reason: 'silent' } });
    bench.dialIn('10.0.0.40').data(bytes('0008 c0'));
    expect(bench.state('meter')).toMatchObject({ status: 'online', values: { read: { power: 8 } } });
  });

  it('calls again where its link was open before it was configured', () => {
    const bench = new ListenerBench();
    const link = bench.dialIn('10.0.0.40');
    bench.configure(bareMeter('10.0.0.40'));
    link.data(HEARTBEAT);
    expect(link.calls).toEqual(['open', 'destroy']);
    bench.dialIn('10.0.0.40').data(bytes('0007 c0'));
    expect(bench.state('meter')).toMatchObject({ status: 'online', values: { read: { power: 7 } } });
  });

  it('has one link: the newest', () => {
    const bench = new ListenerBench({}, [bareMeter('10.0.0.40')]);
    const first = bench.dialIn('10.0.0.40');
    first.data(bytes('0007 c0'));
    const second = bench.dialIn('10.0.0.40');
    expect(first.calls).toEqual(['open', 'destroy']);
    expect(hex(second.takeSent())).toEqual(['c001c0']);
    second.data(bytes('0009 c0'));
    expect(bench.state('meter')).toMatchObject({
      status: 'online',
      link: { address: second.address },
      values: { read: { power: 9 } },
    });
  });

  it('leaves others at the same listener as they are', () => {
    const bench = new ListenerBench({}, [bareMeter('10.0.0.40')]);
    const link = bench.dialIn('10.0.0.41');
    link.data(join(HEARTBEAT, register()));
    expect(hex(link.takeSent())).toEqual(hex([HEARTBEAT_REPLY, REGISTERED]));
    expect(bench.devices.toSorted()).toEqual([IMEI, 'meter']);
  });

  it('may be anybody who comes by a listener of such devices', () => {
    const bench = new ListenerBench({ anonymous: 'by-address', messages: meter, session: dialIn({ bare }) });
    const links = [bench.dialIn('10.0.0.1'), bench.dialIn('fe80::1%eth0')];
    for (const link of links) expect(hex(link.takeSent())).toEqual(['c001c0']);
    links[0]?.data(bytes('0007 c0'));
    expect(bench.state('addr-10.0.0.1')).toMatchObject({ status: 'online', values: { read: { power: 7 } } });
    expect(bench.devices.toSorted()).toEqual(['addr-10.0.0.1', 'addr-fe80--1']);
  });

  it('is refused where as many as may be are known', () => {
    const bench = new ListenerBench({
      anonymous: 'by-address',
      messages: meter,
      session: dialIn({ bare }),
      maxDevices: 1,
    });
    bench.dialIn('10.0.0.1');
    const second = bench.dialIn('10.0.0.2');
    expect(second.calls).toEqual(['open', 'end']);
    expect(bench.warnings.join()).toContain('max_devices: 1');
    expect(bench.deviceListener.pendingLinks()).toEqual([]);
  });
});
