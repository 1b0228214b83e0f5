// The thread of a `History`: writes batches, answers queries, and looks after what is old in between.
import { parentPort } from 'node:worker_threads';
import { HeartwireError } from '../errors.ts';
import { type Batch, sizeOf } from './batch.ts';
import { HistoryDatabase, isDamage } from './history-database.ts';
import type { Query } from './query.ts';
import { NewerDatabaseError } from './schema.ts';
import { SqlError } from './sql.ts';
import type { Failure, FromThread, ToThread } from './thread.ts';

/** Work that fails is tried again after so long. */
const AGAIN_AFTER_MS = 10_000;

type Post = (message: FromThread, transfer?: readonly ArrayBuffer[]) => void;

class HistoryThread {
  readonly #post: Post;
  #database: HistoryDatabase | undefined;
  #open = false;
  /** Why it is not open. */
  #failure: { readonly failure: Failure; readonly detail: string } = { failure: 'other', detail: 'not open' };
  #working = false;
  #now = 0;

  constructor(post: Post) {
    this.#post = post;
  }

  take(message: ToThread): void {
    switch (message.type) {
      case 'open': {
        this.#database ??= new HistoryDatabase(message.file);
        this.#now = message.now;
        return this.#tryToOpen(this.#database, message.now);
      }
      case 'batch':
        return this.#write(message.batch);
      case 'query':
        return this.#answer(message.id, message.query);
      case 'limits':
        this.#database?.limit(message.limits);
        return this.#workLater();
      case 'close':
        if (this.#open) this.#database?.close(message.now);
        this.#open = false;
        return this.#post({ type: 'closed' });
    }
  }

  #tryToOpen(database: HistoryDatabase, now: number): void {
    try {
      const opened = database.open(now);
      this.#open = true;
      this.#post({ type: 'opened', ...opened });
      this.#workLater();
    } catch (error) {
      this.#failure = failureOf(error);
      this.#post({ type: 'not_opened', ...this.#failure });
    }
  }

  #write(batch: Batch): void {
    this.#now = batch.at;
    const rows = sizeOf(batch);
    try {
      this.#database?.write(batch);
    } catch (error) {
      if (!this.#open) return this.#post({ type: 'refused', rows, ...this.#failure });
      if (!this.#replaced(error)) return this.#post({ type: 'refused', rows, ...failureOf(error) });
      return this.#write(batch);
    }
    this.#post({ type: 'written', rows, bytes: this.#database?.bytes ?? 0 });
    this.#workLater();
  }

  #answer(id: number, query: Query): void {
    try {
      const answer = this.#open ? this.#database?.answer(query) : undefined;
      if (!this.#open) return this.#post({ type: 'no_answer', id, ...this.#failure });
      const body = answer && new Uint8Array(new TextEncoder().encode(`${JSON.stringify(answer)}\n`));
      this.#post({ type: 'answer', id, body }, body === undefined ? [] : [body.buffer]);
    } catch (error) {
      this.#replaced(error);
      this.#post({ type: 'no_answer', id, ...failureOf(error) });
    }
  }

  /** A damaged database makes room for a new one; false where that is not what happened, or it did not work. */
  #replaced(error: unknown): boolean {
    const database = this.#database;
    if (!isDamage(error) || database === undefined) return false;
    try {
      const setAside = database.replace(this.#now);
      this.#post({ type: 'replaced', setAside, detail: failureOf(error).detail });
      return true;
    } catch (again) {
      this.#open = false;
      this.#failure = failureOf(again);
      this.#post({ type: 'not_opened', ...this.#failure });
      return false;
    }
  }

  /** One step a turn, so that batches and queries go first. */
  #workLater(): void {
    if (this.#working) return;
    this.#working = true;
    setImmediate(() => {
      this.#working = false;
      if (!this.#open) return;
      try {
        if (this.#database?.work(this.#now) === true) this.#workLater();
      } catch (error) {
        if (this.#replaced(error)) return;
        this.#working = true;
        setTimeout(() => {
          this.#working = false;
        }, AGAIN_AFTER_MS).unref();
      }
    });
  }
}

function failureOf(error: unknown): { readonly failure: Failure; readonly detail: string } {
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof NewerDatabaseError) return { failure: 'newer', detail };
  if (error instanceof HeartwireError) return { failure: 'unavailable', detail };
  if (isDamage(error)) return { failure: 'damaged', detail };
  if (error instanceof SqlError) return { failure: error.kind === 'busy' ? 'locked' : error.kind, detail };
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  if (code === 'ENOSPC') return { failure: 'full', detail };
  return { failure: /^E(ACCES|PERM|ROFS|NOTDIR|EXIST|NOENT)$/.test(code) ? 'unwritable' : 'other', detail };
}

const port = parentPort;
if (port !== null) {
  const thread = new HistoryThread((message, transfer = []) => port.postMessage(message, [...transfer]));
  // Only `History` starts this file.
  port.on('message', (message: ToThread) => thread.take(message));
}
