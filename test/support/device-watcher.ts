import { once } from 'node:events';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { FeedView } from '../../src/client/view.ts';
import type { ServerMessage } from '../../src/contract/feed/server-messages.ts';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import { checkServerMessage, checkTopicDocument } from './feed-contract.ts';

/** A subscriber that remembers every state it was shown. */
export class DeviceWatcher {
  readonly #socket: WebSocket;
  readonly #view = new FeedView();
  /** By topic, in the order in which they were shown. */
  readonly #history = new Map<string, JsonObject[]>();
  readonly messages: ServerMessage[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#received(JSON.parse(String(data)) as ServerMessage));
  }

  static async connect(
    url: string,
    topics: readonly string[] = ['devices/+/state', 'bridge/status'],
  ): Promise<DeviceWatcher> {
    const watcher = new DeviceWatcher(new WebSocket(`${url.replace('http', 'ws')}/ws`));
    await once(watcher.#socket, 'open');
    watcher.#view.subscribing('1');
    watcher.send({ type: 'subscribe', id: '1', topics });
    return watcher;
  }

  send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  document(topic: string): JsonObject | undefined {
    return this.#view.document(topic);
  }

  /** The steps that a device was shown to take: `status (reason), link status (reason)`, repetitions left out. */
  steps(device: string): string[] {
    const steps: string[] = [];
    for (const state of this.#history.get(`devices/${device}/state`) ?? []) {
      const link = state.link as JsonObject;
      const step = `${words(state)}, link ${words(link)}`;
      if (steps.at(-1) !== step) steps.push(step);
    }
    return steps;
  }

  /** Waits until the device was shown these steps, in this order, whatever came between. */
  async sees(device: string, ...wanted: string[]): Promise<void> {
    await expect
      .poll(() => {
        const left = [...wanted];
        for (const step of this.steps(device)) if (step === left[0]) left.shift();
        return left.length === 0 ? 'all seen' : `missing ${left[0]} in ${JSON.stringify(this.steps(device))}`;
      })
      .toBe('all seen');
  }

  /** Steps shown from now on count, those before do not. */
  forget(): void {
    this.#history.clear();
  }

  async reply(id: string): Promise<ServerMessage> {
    const find = () =>
      this.messages.find(({ payload }) => (payload as { reply_to?: string } | undefined)?.reply_to === id);
    await expect.poll(find).toBeDefined();
    const found = find();
    if (found === undefined) throw new Error(`no reply to ${id}`);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, 'close');
    this.#socket.terminate();
    await closed;
  }

  #received(message: ServerMessage): void {
    checkServerMessage(message);
    this.messages.push(message);
    for (const { topic, document } of this.#view.apply(message).changes) {
      if (document === undefined) continue;
      checkTopicDocument(topic, document);
      const history = this.#history.get(topic) ?? [];
      history.push(document);
      this.#history.set(topic, history);
    }
  }
}

function words(axis: JsonObject): string {
  return axis.reason === undefined ? `${axis.status}` : `${axis.status} (${axis.reason})`;
}
