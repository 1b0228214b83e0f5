import type { JsonObject } from '../feed/wire/json.ts';
import { Pace, type Rate } from './pace.ts';

type Entry = { readonly body: JsonObject } | { readonly request: string };

/** What is to be sent over this connection, in order, and no faster than the bridge takes it. */
export class Outbox {
  #entries: Entry[] = [];
  #pace: Pace | undefined;

  /** A connection is there. */
  begin(rate: Rate, nowMs: number): void {
    this.#entries = [];
    this.#pace = new Pace(rate, nowMs);
  }

  /** The connection is gone, and with it what it was to be sent. */
  end(): void {
    this.#entries = [];
    this.#pace = undefined;
  }

  push(body: JsonObject): void {
    if (this.#pace !== undefined) this.#entries.push({ body });
  }

  /** A request is put into words only when its turn comes: it may be abandoned before. */
  pushRequest(id: string): void {
    if (this.#pace !== undefined) this.#entries.push({ request: id });
  }

  get nextDeadline(): number {
    return this.#entries.length === 0 ? Infinity : (this.#pace?.nextAtMs ?? Infinity);
  }

  /** The messages whose turn is now. */
  *take(nowMs: number, wordsOf: (request: string) => JsonObject | undefined): Generator<JsonObject> {
    let done = 0;
    for (const entry of this.#entries) {
      if (this.#pace?.take(nowMs) !== true) break;
      done += 1;
      const body = 'body' in entry ? entry.body : wordsOf(entry.request);
      if (body !== undefined) yield body;
    }
    if (done > 0) this.#entries = this.#entries.slice(done);
  }
}
