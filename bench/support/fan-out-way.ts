import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { platform } from 'node:os';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CSubscribers } from './c-subscribers.ts';
import type { ConnectOrder, Mark, Order, Report } from './fan-out-clients.ts';
import { cpuOf } from './processes.ts';

/** The topic of the n-th message; as many as there are groups of subscribers with different interests. */
export const topicOf = (n: number, groups: number): string => `devices/p${n % groups}/messages`;

/** What is told, the same over every way. */
export function data(n: number): { name: string; values: Record<string, number | string> } {
  return {
    name: 'telemetry',
    values: { n, temperature: 20 + (n % 100) / 10, mode: 'heating', uptime: n * 3 },
  };
}

/** The message as the feed would write it. */
export function text(n: number, groups: number): string {
  const payload = { topic: topicOf(n, groups), epoch: 'bench', rev: n, seq: n, data: data(n) };
  return JSON.stringify({ type: 'event', id: `r${n}`, timestamp: Date.now(), payload });
}

/** One way of telling many subscribers, with the subscribers in a process of their own. */
export interface Way {
  readonly name: string;
  /** Tells so many messages, and returns the CPU time of whoever tells them in us, user and system. */
  round(messages: number, perTick: number, deliveries: number): Promise<number>;
  close(): Promise<void>;
}

/** The second letter of the type: `event`, and `synced`. */
export const EVENT: Mark = { at: 10, byte: 0x76 };
export const SYNCED: Mark = { at: 10, byte: 0x79 };

/** A masked frame of a client as hex; the mask is zero. */
export function clientFrame(payload: string | Uint8Array): string {
  const body = Buffer.from(payload);
  const opcode = typeof payload === 'string' ? 0x81 : 0x82;
  return Buffer.concat([Buffer.from([opcode, 0x80 | body.length, 0, 0, 0, 0]), body]).toString('hex');
}

export function upgradeTo(path: string, more = ''): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`
  );
}

export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server has an address with a port.
  return (server.address() as AddressInfo).port;
}

/** The subscribers of one way, in a process of their own: in C where that can be compiled, else in Node. */
export class Subscribers {
  readonly #inC: { readonly clients: CSubscribers; readonly group: number } | undefined;
  readonly #child: ChildProcess | undefined;

  private constructor(peer: { readonly clients: CSubscribers; readonly group: number } | ChildProcess) {
    if ('clients' in peer) this.#inC = peer;
    else this.#child = peer;
  }

  static async connect(order: Omit<ConnectOrder, 'do'>): Promise<Subscribers> {
    const clients = CSubscribers.start();
    if (typeof clients !== 'string') return new Subscribers({ clients, group: await clients.connect(order) });
    const own = fileURLToPath(import.meta.url);
    const subscribers = new Subscribers(fork(own.replace(/fan-out-way(\.[jt]s)$/, 'fan-out-clients$1')));
    await subscribers.#ask({ do: 'connect', ...order });
    return subscribers;
  }

  /** Resolves when exactly so many messages have arrived since the last time; more are an error. */
  received(messages: number): Promise<void> {
    if (this.#inC !== undefined) return this.#inC.clients.received(this.#inC.group, messages);
    return this.#ask({ do: 'await', messages });
  }

  close(): void {
    void this.#inC?.clients.close();
    this.#child?.disconnect();
  }

  async #ask(order: Order): Promise<void> {
    if (this.#child === undefined) return;
    const answer = once(this.#child, 'message');
    this.#child.send(order);
    // The child says nothing else.
    const [report] = (await answer) as [Report];
    if ('failed' in report) throw new Error(report.failed);
  }
}

/** CPU of this process so far in us: as the scheduler counts it, where it does. */
function ownCpuUs(): number {
  if (platform() === 'linux') return cpuOf(process.pid);
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** What a way whose server runs in this process does for one message. */
export interface Telling {
  publish(n: number): void;
  /**
   * Whether everything published so far is handed to the sockets. A tick ends there: messages of two ticks must not
   * share a write, or there would be more of them in a tick than the row says.
   */
  told(): boolean;
}

/** What so many ticks cost in which nothing is told: it is the loop's, and no part of any delivery. */
async function idleCpuUs(ticks: number): Promise<number> {
  const before = ownCpuUs();
  for (let count = 0; count < ticks; count++) {
    await turn();
    await sleep(1);
  }
  return ownCpuUs() - before;
}

/** A way whose server runs in this process. */
export function localWay(
  name: string,
  subscribers: Subscribers,
  { publish, told }: Telling,
  close: () => Promise<void> | void,
): Way {
  let n = 0;
  return {
    name,
    async round(messages, perTick, deliveries) {
      const ticks = Math.ceil(messages / perTick);
      const before = ownCpuUs();
      for (let done = 0; done < messages; ) {
        for (let count = 0; count < perTick && done < messages; count++, done++) publish(n++);
        do await turn();
        while (!told());
        // So that the subscribers keep up.
        await sleep(1);
      }
      await subscribers.received(deliveries);
      const us = ownCpuUs() - before;
      return us - (await idleCpuUs(ticks));
    },
    async close() {
      subscribers.close();
      await close();
    },
  };
}
