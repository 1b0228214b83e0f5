import type { RecoveryCut } from '../contract/index.ts';
import type { Position } from '../contract/wire/index.ts';
import type { Clock } from '../system/index.ts';
import { type Backplane, BackplaneError } from './core/backplane.ts';
import { markOf, markText } from './core/position-mark.ts';
import type { ForeignFeed } from './foreign-feed.ts';
import type { SharedStore } from './shared-store.ts';

/** Names under which instances give positions: an epoch, and how often it was broken. */
const NAME = /^[\w-]{1,64}(?:~\d{1,9})?$/;
/** How long a subscriber waits until this instance has read what the former one had. */
const LONGEST_MS = 2_000;

export interface SharedPositionsOptions {
  readonly backplane: Backplane;
  readonly store: SharedStore;
  readonly foreign: ForeignFeed;
  readonly clock: Clock;
  /** The server answers. */
  ready(): boolean;
}

/**
 * Makes positions of one instance of use at another: about once a second it writes what its positions stand for, and reads
 * what those of another one do.
 */
export class SharedPositions {
  readonly #options: SharedPositionsOptions;
  #last = '';
  #next: { readonly name: string; readonly rev: number; readonly text: string } | undefined;
  #writing = false;

  constructor(options: SharedPositionsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#options.store.watchPositions(() => this.#note());
  }

  /** What a position covers here; undefined where this instance cannot tell, or gave it itself. */
  async coveredBy(
    since: Position | undefined,
    patterns: readonly string[],
    there: Promise<void> | undefined,
  ): Promise<RecoveryCut | undefined> {
    const { backplane, store, foreign, clock } = this.#options;
    const [name = '', rev = 0] = Object.entries(since ?? {}).find(([each]) => NAME.test(each)) ?? [];
    if (since === undefined || name === '' || store.recoverable(since) !== undefined)
      return void (await there);
    try {
      const [text] = await Promise.all([backplane.markAt(name, rev), there]);
      const mark = text === undefined ? undefined : markOf(text);
      if (mark === undefined) return undefined;
      const until = clock.now().monoMs + LONGEST_MS;
      while (this.#options.ready() && clock.now().monoMs < until && foreign.isBehind(mark, patterns))
        await foreign.nextRead();
      // What this subscriber gets now is covered by the position that it gets next.
      this.#note();
      return foreign.coveredBy(mark, patterns, { name, rev });
    } catch (cause) {
      if (!(cause instanceof BackplaneError)) throw cause;
      return undefined;
    }
  }

  #note(): void {
    const { store, foreign } = this.#options;
    const { positionKey: name, rev } = store;
    if (!this.#options.ready() || `${name} ${rev}` === this.#last) return;
    const mark = foreign.mark();
    if (mark === undefined) return;
    this.#last = `${name} ${rev}`;
    this.#next = { name, rev, text: markText(mark) };
    if (!this.#writing) void this.#write();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    for (let next = this.#next; next !== undefined; next = this.#next) {
      this.#next = undefined;
      // One that is not written is no loss: the position before it is a little older.
      await this.#options.backplane.keepMark(next.name, next.rev, next.text).catch(() => undefined);
    }
    this.#writing = false;
  }
}
