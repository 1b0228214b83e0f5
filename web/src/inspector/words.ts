import type { Inspected, InspectedFrame, InspectedGroup } from '../../../src/inspection/browser.ts';
import { valueText } from '../api/values.ts';

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export const hexByte = (byte: number): string => HEX[byte] ?? '';

export function hexOf(bytes: Uint8Array, most = bytes.length, between = ''): string {
  const parts: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, most); at++) parts.push(hexByte(bytes[at] ?? 0));
  return parts.join(between);
}

/** Printable ASCII; a dot for the rest. */
export const asciiOf = (byte: number): string =>
  byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';

/** What an entry is called, in the words of its declaration and of the wire. */
export function nameOf(item: Inspected): string {
  switch (item.kind) {
    case 'discarded':
      return item.reason.replaceAll('_', ' ');
    case 'life':
    case 'note':
      return item.word;
    case 'frame':
    case 'group':
      return meaningName(item);
  }
}

function meaningName({ meaning }: InspectedFrame | InspectedGroup): string {
  switch (meaning.name) {
    case 'declared':
    case 'invalid':
      return meaning.message;
    case 'unknown':
      return meaning.answers?.join(' | ') ?? (meaning.id === undefined ? '?' : `? ${meaning.id}`);
    case 'echo':
      return 'echo';
  }
}

/** `request`, `reply`, `notice`, or what is wrong. */
export function kindOf(item: Inspected): string {
  if (item.kind !== 'frame' && item.kind !== 'group') return item.kind;
  const { meaning } = item;
  if (meaning.name === 'declared' && meaning.kind === 'reply' && meaning.error !== 0) return 'error';
  return meaning.name === 'declared' ? meaning.kind : meaning.name;
}

/** Its values in a line. */
export function summaryOf(item: Inspected): string {
  switch (item.kind) {
    case 'life':
    case 'note':
      return item.detail;
    case 'discarded':
      return item.expected === '' ? '' : `expected ${item.expected}, found ${item.seen}`;
    case 'frame':
    case 'group': {
      const { meaning } = item;
      if (meaning.name === 'declared') {
        const error =
          meaning.kind === 'reply' && meaning.error !== 0
            ? `error ${meaning.error} ${meaning.errorName ?? ''}`
            : '';
        const values = Object.entries(meaning.fields).map(([name, value]) => `${name}=${inline(value)}`);
        return [error, ...values].filter(Boolean).join('  ');
      }
      if (meaning.name === 'invalid')
        return `${meaning.field}: expected ${meaning.expected}, found ${meaning.seen}`;
      return '';
    }
  }
}

function inline(value: unknown): string {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !('$bytes' in value))
    return `{${Object.entries(value)
      .map(([name, each]) => `${name}=${inline(each)}`)
      .join(' ')}}`;
  const text = valueText(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
