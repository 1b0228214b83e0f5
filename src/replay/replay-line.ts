import type { JsonObject } from '../contract/wire/index.ts';
import type { Change } from '../feed/index.ts';
import type { Unmet } from '../trace/index.ts';

/** What happens in a replay besides what it publishes. */
export type ReplayFact =
  /** A frame that the bridge sent, as hex. */
  | { readonly sent: string; readonly connection: string }
  | {
      readonly discarded: {
        readonly count: number;
        readonly reason: string;
        readonly expected: string;
        readonly seen: string;
      };
      readonly connection: string;
    }
  | {
      readonly fault: {
        readonly reason: string;
        readonly length: number;
        readonly expected: string;
        readonly seen: string;
      };
      readonly connection: string;
    }
  /** Bytes of a connection that the bridge had closed by then, or never opened. */
  | { readonly unread: number; readonly connection: string }
  | { readonly note: string; readonly connection: string }
  /** A `?` of the trace that was not met. */
  | { readonly unmet: Unmet };

/** One line of a replay's output; `t` in seconds since the start of the first trace. */
export type ReplayLine = JsonObject & { readonly t: number; readonly device: string };

/** The line of a fact. */
export function factLine(t: number, device: string, fact: ReplayFact): ReplayLine {
  if ('unmet' in fact) return { t, device, unmet: { ...fact.unmet } };
  return { t, device, ...fact };
}

/** The line of a change of the feed; undefined for statistics, which say nothing that the others do not. */
export function changeLine(t: number, change: Change): ReplayLine | undefined {
  const [root, device = '', part = ''] = change.topic.split('/');
  if (root !== 'devices' || part === 'stats' || part === 'bytes') return undefined;
  switch (change.kind) {
    case 'state': {
      // The key of its description says nothing of what the device said.
      const { declaration: _, ...said } = change.document;
      return { t, device, [part]: said };
    }
    case 'removal':
      return { t, device, removed: part };
    case 'event':
      return part === 'messages' ? { t, device, received: change.data } : { t, device, [part]: change.data };
    case 'broadcast':
    case 'loss':
      return undefined;
  }
}
