import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { TestBridge } from '../../test/support/test-bridge.ts';

const DEVICES = 1_000;
/** Changes in one turn, every so many ms: 1,000 a second. */
const CHANGES = 10;
const EVERY_MS = 10;

/** One subscriber of all devices, and how long each change took to it, in ms. */
export class LateWatcher {
  readonly #socket: WebSocket;
  #took: number[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const now = performance.now();
      for (const [, at] of String(data).matchAll(/"sent_at":([\d.]+)/g)) this.#took.push(now - Number(at));
    });
  }

  static async connect(url: string): Promise<LateWatcher> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'subscribe', topics: ['devices/+/state'] }));
    return new LateWatcher(socket);
  }

  /** From the quickest to the slowest, since it was asked last. */
  take(): readonly number[] {
    const took = this.#took.sort((a, b) => a - b);
    this.#took = [];
    return took;
  }

  close(): void {
    this.#socket.terminate();
  }
}

export type Changed = (device: string, values: Readonly<Record<string, number>>) => void;

/** Devices that change their values for so long, in the feed and for what else takes them. */
export async function changeValues({ bridge }: TestBridge, ms: number, changed: Changed): Promise<void> {
  const endsAt = performance.now() + ms;
  for (let n = 0; performance.now() < endsAt; n += CHANGES) {
    for (let each = n; each < n + CHANGES; each++) {
      const device = `d${each % DEVICES}`;
      const values = { t: { sent_at: performance.now(), n: each } };
      const link = { status: 'connected', transport: 'tcp', since: 1, attempt: 0 };
      bridge.store.publishState(`devices/${device}/state`, {
        device,
        status: 'online',
        since: 1,
        link,
        values,
      });
      changed(device, values.t);
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

export const p99 = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.99)] ?? 0;
