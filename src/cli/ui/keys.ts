/** What people chose with the keys. */
export interface MonitorChoice {
  /** Rows above the first one shown. */
  readonly top: number;
  readonly filter: string;
  /** The filter is being typed. */
  readonly typing: boolean;
  readonly sort: SortKey;
  readonly help: boolean;
}

const SORT_KEYS = ['id', 'status', 'since', 'seen'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** What a key orders besides another choice. */
export type KeyOrder = 'quit' | 'suspend' | 'redraw' | undefined;

export interface Pressed {
  readonly choice: MonitorChoice;
  readonly order: KeyOrder;
}

/** `page` rows are shown of `rows`. */
export interface Extent {
  readonly page: number;
  readonly rows: number;
}

const LONGEST_FILTER = 64;
/** One key each: a sequence of a special key, or one character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what keys send
const KEY = /\u001b\[[0-9;]*[A-Za-z~]|\u001bO[A-Z]|[\s\S]/gu;

/** The choice after some keys; the first one that orders something ends them. */
export function pressKeys(text: string, choice: MonitorChoice, extent: Extent): Pressed {
  let present = choice;
  for (const [key] of text.matchAll(KEY)) {
    const { choice: next, order } = present.typing ? typeKey(key, present) : pressKey(key, present, extent);
    present = next;
    if (order !== undefined) return { choice: present, order };
  }
  return { choice: present, order: undefined };
}

/** The rows that can be scrolled to, so that the last page is full. */
export function clampTop(top: number, { page, rows }: Extent): number {
  return Math.max(0, Math.min(top, rows - page));
}

function pressKey(key: string, choice: MonitorChoice, extent: Extent): Pressed {
  const scrolled = (by: number): Pressed => ({
    choice: { ...choice, top: clampTop(clampTop(choice.top, extent) + by, extent) },
    order: undefined,
  });
  switch (key) {
    case 'q':
    case 'Q':
    case '\u0003':
    case '\u0004':
      return { choice, order: 'quit' };
    case '\u001a':
      return { choice, order: 'suspend' };
    case '\u000c':
      return { choice, order: 'redraw' };
    case '\u001b[A':
    case '\u001bOA':
    case 'k':
      return scrolled(-1);
    case '\u001b[B':
    case '\u001bOB':
    case 'j':
      return scrolled(1);
    case '\u001b[5~':
    case 'b':
      return scrolled(-extent.page);
    case '\u001b[6~':
    case ' ':
      return scrolled(extent.page);
    case '\u001b[H':
    case '\u001b[1~':
    case '\u001bOH':
    case 'g':
      return scrolled(-extent.rows);
    case '\u001b[F':
    case '\u001b[4~':
    case '\u001bOF':
    case 'G':
      return scrolled(extent.rows);
    case '/':
      return { choice: { ...choice, typing: true, help: false }, order: undefined };
    case 's': {
      const next = SORT_KEYS[(SORT_KEYS.indexOf(choice.sort) + 1) % SORT_KEYS.length] ?? 'id';
      return { choice: { ...choice, sort: next, top: 0 }, order: undefined };
    }
    case '?':
    case 'h':
      return { choice: { ...choice, help: !choice.help }, order: undefined };
    case '\u001b':
      return { choice: { ...choice, filter: '', help: false, top: 0 }, order: undefined };
    default:
      return { choice, order: undefined };
  }
}

function typeKey(key: string, choice: MonitorChoice): Pressed {
  const typed = (filter: string): Pressed => ({ choice: { ...choice, filter, top: 0 }, order: undefined });
  switch (key) {
    case '\u0003':
      return { choice, order: 'quit' };
    case '\u001a':
      return { choice, order: 'suspend' };
    case '\r':
    case '\n':
      return { choice: { ...choice, typing: false }, order: undefined };
    case '\u001b':
      return { choice: { ...choice, typing: false, filter: '', top: 0 }, order: undefined };
    case '\u007f':
    case '\b':
      return typed([...choice.filter].slice(0, -1).join(''));
    case '\u0015':
      return typed('');
    default:
      return isPrintable(key)
        ? typed(`${choice.filter}${key}`.slice(0, LONGEST_FILTER))
        : typed(choice.filter);
  }
}

/** Special keys and control characters are no part of a filter. */
function isPrintable(key: string): boolean {
  return !/^\p{C}/u.test(key);
}
