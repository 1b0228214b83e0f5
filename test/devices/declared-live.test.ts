import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { StateDocument } from '../../src/contract/feed/topic-documents.ts';
import { DeviceWatcher } from '../support/device-watcher.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A bridge whose messages are these; frames are a length of one byte in front of them. */
function bridgeOf(messages: string, yaml: string): Promise<TestBridge> {
  const file = loadMessages(
    `version: 1
protocol:
  framing: { type: length, length: u8 }
  id: u8
  error: none
${messages}`,
    'm.yaml',
  );
  expect(file.problems.map(formatProblem)).toEqual([]);
  return startBridge(`messages: m.yaml\n${yaml}`, undefined, undefined, new Map([['m.yaml', file]]));
}

/** The far end of a socket, which takes frames apart by itself. */
class Peer {
  readonly frames: string[] = [];
  readonly socket: Socket;
  /** Answers a frame, in hex, or not. */
  answer: (frame: string) => string | undefined = () => undefined;
  #held = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
    closing.push(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#held = Buffer.concat([this.#held, chunk]);
      for (
        let length = this.#held[0];
        length !== undefined && this.#held.length > length;
        length = this.#held[0]
      ) {
        const frame = this.#held.subarray(1, 1 + length).toString('hex');
        this.#held = this.#held.subarray(1 + length);
        this.frames.push(frame);
        const reply = this.answer(frame);
        if (reply !== undefined) this.send(reply);
      }
    });
  }

  static async dial(port: number): Promise<Peer> {
    const socket = connect(port, '127.0.0.1');
    const peer = new Peer(socket);
    await once(socket, 'connect');
    return peer;
  }

  send(hex: string): void {
    this.socket.write(Buffer.from((hex.length / 2).toString(16).padStart(2, '0') + hex, 'hex'));
  }
}

/** A device that waits to be dialled. */
async function listening(joined: (peer: Peer) => void): Promise<number> {
  const server = createServer((socket) => joined(new Peer(socket)));
  closing.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port; // A listening TCP server has an address of this kind.
}

const stateOf = ({ bridge }: TestBridge, id: string) =>
  // The topic carries documents of this kind.
  bridge.store.document(`devices/${id}/state`) as StateDocument | undefined;

const LOGIN = `  - { name: login, id: 1, from: device, fields: [{ name: name, type: text, length: rest }] }`;

describe('a heartbeat that the bridge sends', () => {
  const MESSAGES = `  session:
    login: { message: login, identity: name }
    heartbeat: { message: ping, from: host, every: 200ms, fields: { count: 7 } }
messages:
${LOGIN}
  - { name: ping, id: 2, from: host, fields: [{ name: count, type: u16 }], reply: { fields: [{ name: load, type: u8 }] } }
`;

  it('goes out at its pace to a device that dials in, whose answers keep it online', async () => {
    await using bridge = await bridgeOf(MESSAGES, 'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]');
    await using watcher = await DeviceWatcher.connect(bridge.url, ['devices/+/state']);
    const peer = await Peer.dial(bridge.devicePort);
    let answers = true;
    peer.answer = (frame) => (frame === '020007' && answers ? '0221' : undefined);
    peer.send(`01${Buffer.from('unit-1').toString('hex')}`);
    await expect.poll(() => peer.frames.length).toBeGreaterThan(4);
    expect(new Set(peer.frames)).toEqual(new Set(['020007']));
    await expect.poll(() => stateOf(bridge, 'unit-1')?.values).toMatchObject({ ping: { load: 0x21 } });
    expect(watcher.steps('unit-1').filter((step) => step.startsWith('offline'))).toEqual([]);
    // What does not answer is asked all the same, until it counts as gone.
    answers = false;
    await watcher.sees('unit-1', 'offline (silent), link listening (silent)');
    await expect.poll(() => peer.socket.closed).toBe(true);
  });

  it('goes out to a device that is dialled', async () => {
    const peers: Peer[] = [];
    const port = await listening((peer) => {
      peers.push(peer);
      peer.answer = (frame) => (frame === '020007' ? '0221' : undefined);
    });
    await using bridge = await bridgeOf(
      MESSAGES.replace('    login: { message: login, identity: name }\n', ''),
      `devices: [{ id: unit, link: "tcp:127.0.0.1:${port}" }]`,
    );
    await expect.poll(() => peers[0]?.frames.length ?? 0).toBeGreaterThan(4);
    expect(new Set(peers[0]?.frames)).toEqual(new Set(['020007']));
    expect(stateOf(bridge, 'unit')).toMatchObject({ status: 'online', values: { ping: { load: 0x21 } } });
    expect(peers).toHaveLength(1);
  });
});

describe('the time that a device asks for', () => {
  const asked = async (field: string): Promise<string> => {
    await using bridge = await bridgeOf(
      `  session:
    login: { message: login, identity: name }
    time: { message: time_request, answer: time_answer, field: time, copy: [serial] }
messages:
${LOGIN}
  - { name: time_request, id: 3, from: device, fields: [{ name: serial, type: u16 }] }
  - { name: time_answer, id: 4, from: host, fields: [{ name: serial, type: u16 }, { name: time, ${field} }] }
`,
      'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]',
    );
    const peer = await Peer.dial(bridge.devicePort);
    // Before it has logged in, too.
    peer.send('031234');
    await expect.poll(() => peer.frames.length).toBe(1);
    peer.send(`01${Buffer.from('unit-1').toString('hex')}`);
    peer.send('031235');
    await expect.poll(() => peer.frames.length).toBe(2);
    expect(peer.frames.map((frame) => frame.slice(0, 6))).toEqual(['041234', '041235']);
    return peer.frames[1]?.slice(6) ?? '';
  };

  const seconds = (hex: string): number => Number.parseInt(hex, 16);
  const digits = (hex: string): number =>
    Date.UTC(
      2000 + Number(hex.slice(0, 2)),
      Number(hex.slice(2, 4)) - 1,
      Number(hex.slice(4, 6)),
      Number(hex.slice(6, 8)),
      Number(hex.slice(8, 10)),
      Number(hex.slice(10, 12)),
    ) / 1_000;
  const HOUR = 3_600;

  it.each<[string, string, (hex: string) => number]>([
    ['seconds since 1970', 'type: u32', seconds],
    ['milliseconds', 'type: u64, unit: ms', (hex) => Number(BigInt(`0x${hex}`)) / 1_000],
    [
      'text of the place of the bridge',
      'type: text, length: 19, encoding: ascii',
      (hex) => new Date(Buffer.from(hex, 'hex').toString().replace(' ', 'T')).getTime() / 1_000,
    ],
    ['decimal digits in UTC', 'type: bcd_time, zone: Z', digits],
    ['decimal digits elsewhere', 'type: bcd_time, zone: "+08:00"', (hex) => digits(hex) - 8 * HOUR],
    [
      'bytes',
      'type: byte_time, zone: Z',
      (hex) => digits([...Buffer.from(hex, 'hex')].map((byte) => String(byte).padStart(2, '0')).join('')),
    ],
  ])('is %s', async (_, field, read) => {
    const from = Math.floor(Date.now() / 1_000);
    const shown = read(await asked(field));
    expect(shown).toBeGreaterThanOrEqual(from);
    expect(shown).toBeLessThanOrEqual(Date.now() / 1_000);
  });
});

describe('a reply whose id is made of that of its request', () => {
  const MESSAGES = `  reply_id: { or: 0x80 }
messages:
  - { name: read, id: 0x10, from: host, fields: [{ name: at, type: u8 }], reply: { fields: [{ name: at, type: u8 }, { name: value, type: u16 }] } }
  - { name: write, id: 0x11, from: host, fields: [{ name: value, type: u16 }], reply: { id: 0x55, fields: [{ name: value, type: u16 }] } }
`;
  const device = (port: number): string => `devices:
  - { id: unit, link: "tcp:127.0.0.1:${port}", session: none, silence: false, request_timeout: 500ms, late_window: 100ms }
`;

  async function world(answer: (frame: string) => string | undefined) {
    const port = await listening((peer) => {
      peer.answer = answer;
    });
    const bridge = await bridgeOf(MESSAGES, device(port));
    const watcher = await DeviceWatcher.connect(bridge.url, ['devices/+/state', 'devices/+/stats']);
    await expect.poll(() => stateOf(bridge, 'unit')?.link.status).toBe('connected');
    const command = async (id: string, message: string, fields: object) => {
      watcher.send({ type: 'command', id, device: 'unit', message, fields });
      return (await watcher.reply(id)).payload;
    };
    return {
      bridge,
      watcher,
      command,
      async [Symbol.asyncDispose]() {
        await watcher[Symbol.asyncDispose]();
        await bridge[Symbol.asyncDispose]();
      },
    };
  }

  it('answers it, and its values stand under its name', async () => {
    await using made = await world((frame) =>
      frame.startsWith('10')
        ? `90${frame.slice(2)}0102`
        : frame.startsWith('11')
          ? `55${frame.slice(2)}`
          : undefined,
    );
    expect(await made.command('a', 'read', { at: 5 })).toMatchObject({
      result: { fields: { at: 5, value: 0x102 } },
    });
    expect(await made.command('b', 'write', { value: 9 })).toMatchObject({
      result: { fields: { value: 9 } },
    });
    await expect
      .poll(() => stateOf(made.bridge, 'unit')?.values)
      .toEqual({ read: { at: 5, value: 0x102 }, write: { value: 9 } });
  });

  it('is not answered by what has another id', async () => {
    await using made = await world((frame) =>
      frame.startsWith('10') ? `91${frame.slice(2)}0102` : undefined,
    );
    expect(await made.command('a', 'read', { at: 5 })).toMatchObject({ code: 'request_timeout' });
    expect(stateOf(made.bridge, 'unit')?.values ?? {}).toEqual({});
  });
});
