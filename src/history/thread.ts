import type { Batch } from './batch.ts';
import type { HistoryFile, Opened } from './history-database.ts';
import type { Query } from './query.ts';
import type { Limits } from './upkeep.ts';

/** Why the thread could not do something. */
export type Failure = 'damaged' | 'full' | 'locked' | 'unwritable' | 'newer' | 'unavailable' | 'other';

/** What the thread is asked for. */
export type ToThread =
  | { readonly type: 'open'; readonly file: HistoryFile; readonly now: number }
  | { readonly type: 'batch'; readonly batch: Batch }
  | { readonly type: 'query'; readonly id: number; readonly query: Query }
  | { readonly type: 'limits'; readonly limits: Limits }
  | { readonly type: 'close'; readonly now: number };

/** What it reports; each `batch`, `query` and `close` has one answer. */
export type FromThread =
  | ({ readonly type: 'opened' } & Opened)
  | { readonly type: 'not_opened'; readonly failure: Failure; readonly detail: string }
  | { readonly type: 'written'; readonly rows: number; readonly bytes: number }
  | { readonly type: 'refused'; readonly rows: number; readonly failure: Failure; readonly detail: string }
  | { readonly type: 'replaced'; readonly setAside: string | undefined; readonly detail: string }
  /** The JSON text of the answer; absent where nothing is known of what was asked for. */
  | { readonly type: 'answer'; readonly id: number; readonly body: Uint8Array<ArrayBuffer> | undefined }
  | { readonly type: 'no_answer'; readonly id: number; readonly failure: Failure; readonly detail: string }
  | { readonly type: 'closed' };
