import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

const WINDOW_MS = 10_000;
const LINES_PER_WINDOW = 5;
/** Devices and peers times codes that are counted at once; beyond it counting starts anew. */
const MAX_KINDS = 10_000;

interface Kind {
  readonly since: number;
  lines: number;
  dropped: number;
}

/** The members of a line that tell one kind from another. */
interface Fields {
  readonly device?: string;
  readonly address?: string;
  readonly code?: string;
  readonly event?: string;
}

/**
 * A log in which one peer can't drown the others: of each device (or the host of a peer without a name) and code at
 * most five lines in 10 s are written; the first line after that says how many were not.
 */
export function collapsingLog(log: Log, clock: Clock): Log {
  const kinds = new Map<string, Kind>();
  const write = (level: keyof Log, fields: object, text: string): void => {
    const { device, address, code, event }: Fields = fields;
    const who = device ?? address?.replace(/:\d+$/, '') ?? '';
    const key = `${level} ${who} ${code ?? event ?? ''}`;
    const now = clock.now().monoMs;
    let kind = kinds.get(key);
    let left = 0;
    if (kind === undefined || now - kind.since >= WINDOW_MS) {
      left = kind?.dropped ?? 0;
      if (kinds.size >= MAX_KINDS) kinds.clear();
      kind = { since: now, lines: 0, dropped: 0 };
      kinds.set(key, kind);
    }
    if (kind.lines >= LINES_PER_WINDOW) {
      kind.dropped += 1;
      return;
    }
    kind.lines += 1;
    if (left > 0) log[level]({ ...fields, omitted: left }, `${text} (and ${left} more like this before)`);
    else log[level](fields, text);
  };
  return {
    info: (fields, text) => write('info', fields, text),
    warn: (fields, text) => write('warn', fields, text),
    error: (fields, text) => write('error', fields, text),
  };
}
