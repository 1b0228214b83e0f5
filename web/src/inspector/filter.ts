import type { Inspected } from '../../../src/inspection/browser.ts';
import { hexOf, nameOf, summaryOf } from './words.ts';

export interface Filter {
  readonly text: string;
  readonly direction: 'both' | 'in' | 'out';
  readonly kind: 'all' | 'frames' | 'trouble';
}

export const NO_FILTER: Filter = { text: '', direction: 'both', kind: 'all' };

/** Whether an entry is shown; `text` is part of its name, its values, its reason, or its bytes as hex. */
export function matches(item: Inspected, { text, direction, kind }: Filter): boolean {
  if (direction !== 'both' && (!('direction' in item) || item.direction !== direction)) return false;
  if (kind === 'frames' && item.kind !== 'frame' && item.kind !== 'group') return false;
  if (kind === 'trouble' && !isTrouble(item)) return false;
  if (text === '') return true;
  const wanted = text.toLowerCase();
  if (`${nameOf(item)} ${summaryOf(item)}`.toLowerCase().includes(wanted)) return true;
  const hex = wanted.replace(/0x|[\s:,]/g, '');
  return /^[0-9a-f]{2,}$/.test(hex) && 'bytes' in item && inBytes(hexOf(item.bytes), hex);
}

/** Half a byte of one and half of the next are no match. */
function inBytes(bytes: string, wanted: string): boolean {
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1))
    if (at % 2 === 0) return true;
  return false;
}

/** Bytes that belong to nothing, and frames that are not as declared. */
export function isTrouble(item: Inspected): boolean {
  switch (item.kind) {
    case 'discarded':
      return true;
    case 'frame':
    case 'group':
      return item.meaning.name === 'invalid' || item.meaning.name === 'unknown' || isError(item.meaning);
    case 'life':
      return item.word === 'error';
    case 'note':
      return false;
  }
}

const isError = (meaning: object): boolean =>
  'error' in meaning && typeof meaning.error === 'number' && meaning.error !== 0;
