import type { ServerMessage } from '../../src/contract/feed/server-messages.ts';
import type { JsonObject } from '../../src/contract/wire/json.ts';

type Answer = Extract<ServerMessage, { type: 'response' | 'error' }>;

interface Asked {
  readonly n: number;
  readonly ack: boolean;
  /** Under which the outcome came first. */
  messageId?: string;
  known: boolean;
  acknowledged: boolean;
  /** How often it may be told: so often by itself, and once for each time that it is asked for again. */
  most: number;
  /** How often it may have been meant to be told, though its connection was cut before anything was written. */
  meant: number;
  /** How often it was written to the client, whether that heard it or not. */
  told: number;
}

/** Commands that may be open beside each other, well below the limit. */
const MOST_OPEN = 10;
const TRIES = 5;

/** The commands of one client in one session, and what it was told of them. */
export class ModelCommands {
  readonly breaches: string[] = [];
  #asked = new Map<string, Asked>();

  get mayAsk(): boolean {
    const open = [...this.#asked.values()].filter(
      ({ ack, known, acknowledged }) => !known || (ack && !acknowledged),
    );
    return open.length < MOST_OPEN;
  }

  /** The message of a new command; no two have the same `n`. */
  ask(n: number, ack: boolean): JsonObject {
    this.#asked.set(`k${n}`, { n, ack, known: false, acknowledged: false, most: TRIES, meant: 1, told: 0 });
    return this.#message(`k${n}`, n, ack);
  }

  /** Those of which nothing is known; `all`: those too whose outcome is to come by itself. */
  askAgain(all: boolean): JsonObject[] {
    return [...this.#asked].flatMap(([id, asked]) => {
      if (asked.known || (asked.ack && !all)) return [];
      asked.most += 1;
      return [this.#message(id, asked.n, asked.ack)];
    });
  }

  /** The session is resumed, or the time has come to tell again of what was not acknowledged. */
  mayBeToldAgain(): void {
    for (const asked of this.#asked.values()) asked.meant += 1;
  }

  /** Something is written to the client. */
  written(text: string): void {
    for (const [, id = ''] of text.matchAll(/"payload":\{"reply_to":"(k\d+)"/g)) {
      const asked = this.#asked.get(id);
      if (asked === undefined) continue;
      asked.told += 1;
      if (asked.ack && asked.told > asked.most) this.breaches.push(`${id} was told ${asked.told} times`);
    }
  }

  heard({ id, payload }: Answer): void {
    const asked = this.#asked.get(payload.reply_to ?? '');
    if (asked === undefined) return;
    const n = 'result' in payload ? payload.result.n : undefined;
    if (n !== asked.n) this.breaches.push(`${payload.reply_to} is ${n}, not ${asked.n}`);
    if (asked.ack && (asked.messageId ?? id) !== id)
      this.breaches.push(`${payload.reply_to} under another id`);
    asked.messageId = id;
    asked.known = true;
  }

  acknowledged(ids: readonly string[]): void {
    for (const asked of this.#asked.values())
      if (ids.includes(asked.messageId ?? '')) asked.acknowledged = true;
  }

  /** Commands whose outcome never came, although it was to come by itself and was not meant to be told often enough to be given up. */
  get owed(): string[] {
    return [...this.#asked].flatMap(([id, { ack, known, meant }]) =>
      ack && !known && meant < TRIES ? [id] : [],
    );
  }

  /** The session is gone, and with it what was asked in it. */
  forget(): void {
    this.#asked = new Map();
  }

  #message(id: string, n: number, ack: boolean): JsonObject {
    return { type: 'command', id, device: 'd1', message: 'any', fields: { n }, ack };
  }
}
