import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { LinkEnd } from '../../src/links/link.ts';
import { ComPortClient } from '../../src/links/rfc2217/com-port-client.ts';
import { escaped, TelnetReader } from '../../src/links/rfc2217/telnet.ts';
import { DEFAULT_SERIAL_SETTINGS, type SerialSettings } from '../../src/links/serial-address.ts';
import { dial } from '../../src/links/transports.ts';
import { type ComPortScript, ComPortServer } from '../support/com-port-server.ts';
import { linkContract } from '../support/link-contract.ts';
import { RecordedLink } from '../support/recorded-link.ts';

linkContract(
  'An RFC 2217 link',
  async () => {
    const server = new ComPortServer();
    const port = await server.listen();
    return {
      link: dial({ scheme: 'rfc2217', host: '127.0.0.1', port, settings: DEFAULT_SERIAL_SETTINGS }),
      peer: async () => ({
        write: (bytes) => server.write(bytes),
        received: () => server.received(),
        stall: () => void server.sockets[0]?.pause(),
        resume: () => void server.sockets[0]?.resume(),
        hangUp: () => void server.sockets[0]?.end(),
      }),
      dispose: () => server.close(),
    };
  },
  { hangUpCodes: ['link_closed'], bulk: 65_536 },
);

const servers: ComPortServer[] = [];

afterEach(async () => {
  for (const each of servers.splice(0)) await each.close();
});

async function open(
  script: ComPortScript,
  change: Partial<SerialSettings> = {},
): Promise<{ readonly recorded: RecordedLink; readonly server: ComPortServer }> {
  const server = new ComPortServer(script);
  servers.push(server);
  const port = await server.listen();
  const settings = { ...DEFAULT_SERIAL_SETTINGS, ...change };
  return {
    server,
    recorded: new RecordedLink(dial({ scheme: 'rfc2217', host: '127.0.0.1', port, settings })),
  };
}

describe('an RFC 2217 link', () => {
  test('sets the line before it opens: speed, bits, parity, flow control, modem lines, and drops what is old', async () => {
    const { recorded, server } = await open(
      { greeting: Buffer.from('old bytes') },
      { baud: 255 * 65_536, dataBits: 7, parity: 'even', stopBits: 2, rtscts: true, dtr: false, rts: true },
    );
    await expect.poll(() => recorded.opened).toBe(true);
    expect(server.orders).toEqual([
      [1, 0, 255, 0, 0],
      [2, 7],
      [3, 3],
      [4, 2],
      [5, 3],
      [5, 9],
      [5, 11],
      [10, 0],
      [11, 0],
      [12, 3],
    ]);
    expect(recorded.arrived).toBe(0);
    server.write(Uint8Array.of(1, 255, 2));
    await expect.poll(() => recorded.arrived).toBe(3);
    expect([...recorded.bytes()]).toEqual([1, 255, 2]);
    await expect.poll(() => recorded.idles).toBe(1);
    recorded.link.destroy();
  });

  test('holds frames while the server suspends it, and no longer', async () => {
    const { recorded, server } = await open({});
    await expect.poll(() => recorded.opened).toBe(true);
    server.notify(108);
    server.write(Uint8Array.of(1));
    await expect.poll(() => recorded.arrived).toBe(1);
    for (let at = 0; at < 1_024; at += 1)
      expect(recorded.link.send(Uint8Array.of(255, at & 0xff))).toBe('accepted');
    expect(recorded.link.send(Uint8Array.of(1))).toBe('link_queue_full');
    expect(recorded.link.queued).toBe(1_024);
    expect(server.received().length).toBe(0);
    recorded.link.end();
    server.notify(109);
    await expect.poll(() => server.received().length).toBe(2_048);
    await expect.poll(() => recorded.end?.code).toBe('link_ended');
  });

  test.each<[string, ComPortScript, string, RegExp]>([
    ['no COM port', { negotiates: { fb2c: [255, 254, 44] } }, 'com_port_refused', /COM port option.*tcp:/],
    [
      'no binary',
      { negotiates: { fd00: [255, 252, 0] } },
      'com_port_refused',
      /bytes as they are from the server/,
    ],
    ['another speed', { answers: { 1: [0, 0, 37, 128] } }, 'port_settings', /115200 baud and has 9600 baud/],
    ['another parity', { answers: { 3: [2] } }, 'port_settings', /parity none and has the value 2/],
  ])('%s is an end with its reason', async (_, script, code, words) => {
    const { recorded } = await open(script);
    await expect.poll(() => recorded.end?.code).toBe(code);
    expect(recorded.end?.detail).toMatch(words);
    expect(recorded.opened).toBe(false);
  });

  test('a server that hangs up before its line is set', async () => {
    const { recorded, server } = await open({ negotiates: { fb2c: 'none' } });
    await expect.poll(() => server.sockets.length).toBe(1);
    server.sockets[0]?.end();
    await expect.poll(() => recorded.end?.code).toBe('com_port_refused');
    expect(recorded.end?.detail).toContain('in use');
  });
});

describe('the client of RFC 2217, without a network', () => {
  function client(settings: Partial<SerialSettings> = {}) {
    const sent: string[] = [];
    const data: number[] = [];
    const events: (string | LinkEnd)[] = [];
    const made = new ComPortClient(
      'server:2217',
      { ...DEFAULT_SERIAL_SETTINGS, ...settings },
      {
        send: (bytes) => void sent.push(Buffer.from(bytes).toString('hex')),
        ready: () => void events.push('ready'),
        failed: (end) => void events.push(end),
        data: (bytes) => void data.push(...bytes),
        suspended: (suspended) => void events.push(`suspended ${suspended}`),
      },
    );
    made.start();
    return { made, sent, data, events, push: (hex: string) => made.push(Buffer.from(hex, 'hex')) };
  }
  const AGREED = 'fffd2cfffd00fffb00';

  test('a server that answers nothing is told from one that does not set the line', () => {
    const silent = client();
    silent.made.timeUp(5_000);
    expect(silent.events).toMatchObject([{ code: 'com_port_refused', detail: /5000 ms.*COM port option/ }]);
    const half = client();
    half.push(AGREED);
    half.made.timeUp(5_000);
    expect(half.events).toMatchObject([{ code: 'com_port_refused', detail: /115200 baud, 8 data bits/ }]);
  });

  test('a server that ignores what is not needed is used all the same', () => {
    const { made, push, events, data } = client();
    push(AGREED);
    push('fffa2c650001c200fff0fffa2c6608fff0fffa2c6701fff0fffa2c6801fff0');
    expect(events).toEqual([]);
    made.timeUp(5_000);
    expect(events).toEqual(['ready']);
    push('0102ffff');
    expect(data).toEqual([1, 2, 255]);
    made.timeUp(5_000);
    expect(events).toEqual(['ready']);
  });

  test('other options are refused once, and offers are not answered again', () => {
    const { push, sent } = client();
    const before = sent.length;
    push('fffb01fffb01fffd18fffd18fffd03fffb03fffc01');
    expect(sent.slice(before)).toEqual(['fffe01', 'fffc18']);
  });

  test('a server that asks who we are gets an answer', () => {
    const { push, sent } = client();
    push('fffa2c00fff0');
    expect(sent.at(-1)).toBe(`fffa2c00${Buffer.from('Heartwire').toString('hex')}fff0`);
  });

  test('after a failure nothing more is said', () => {
    const { push, events, made } = client();
    push('fffe2c');
    push(`${AGREED}fffa2c6cfff0`);
    made.timeUp(5_000);
    expect(events).toHaveLength(1);
  });
});

describe('telnet', () => {
  const read = (chunks: readonly Uint8Array[]) => {
    const data: number[] = [];
    const said: string[] = [];
    const reader = new TelnetReader({
      data: (bytes) => void data.push(...bytes),
      command: (verb, option) => void said.push(`${verb} ${option}`),
      subnegotiation: (option, bytes) =>
        void said.push(`sub ${option} ${Buffer.from(bytes).toString('hex')}`),
    });
    for (const each of chunks) reader.push(each);
    return { data: Buffer.from(data).toString('hex'), said };
  };

  test('is the same wherever it is cut', () => {
    const whole = Buffer.from('01fffd2c02fffff1fffa2c65ffff00fff003fff1ff', 'hex');
    const expected = { data: '0102fff103', said: ['253 44', 'sub 44 65ff00'] };
    expect(read([whole])).toEqual(expected);
    for (let at = 0; at <= whole.length; at += 1)
      expect(read([whole.subarray(0, at), whole.subarray(at)])).toEqual(expected);
  });

  test('carries every byte there and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (bytes, cut) => {
        const line = escaped(bytes);
        const at = cut % (line.length + 1);
        expect(read([line.subarray(0, at), line.subarray(at)])).toEqual({
          data: Buffer.from(bytes).toString('hex'),
          said: [],
        });
      }),
    );
  });

  test('whatever comes, it is read in bounded memory', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => void read(chunks)));
    const endless = Buffer.concat([Buffer.from('fffa2c', 'hex'), Buffer.alloc(100_000, 7)]);
    expect(read([endless, Buffer.from('fff001', 'hex')])).toEqual({ data: '01', said: [] });
  });
});
