import type { FieldTrace } from '../protocol/declared/reading.ts';
import { hexText } from '../protocol/describe.ts';

const COLUMNS = ['field', 'offset', 'bytes', 'raw', 'value', 'unit'] as const;
const MOST_BYTES = 12;
const LONGEST_VALUE = 48;

/** Every field of a payload in a table: where it lies, its bytes, its raw value, its value and its unit. */
export function fieldTable(payload: Uint8Array, trace: readonly FieldTrace[]): string {
  const rows = trace.map((each) => [
    `${'  '.repeat(each.depth)}${lastPart(each.field, each.depth)}`,
    String(each.offset),
    bytesShown(payload, each),
    each.raw === undefined ? '' : shown(each.raw),
    each.value === undefined ? (each.note ?? '') : shown(each.value),
    each.unit ?? '',
  ]);
  const widths = COLUMNS.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => [...(row[index] ?? '')].length)),
  );
  return [COLUMNS, ...rows]
    .map(
      (row) =>
        `  ${row
          .map((cell, index) => pad(cell, widths[index] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

const pad = (cell: string, width: number): string => cell + ' '.repeat(width - [...cell].length);

/** Below its structure, a field needs no more than its own name. */
function lastPart(field: string, depth: number): string {
  if (depth === 0) return field;
  const [, last = field] = /((?:\[\d+\]|[^.[\]]+))$/.exec(field) ?? [];
  return last;
}

function bytesShown(payload: Uint8Array, { offset, bytes }: FieldTrace): string {
  const end = Math.min(offset + bytes, payload.length);
  return bytes > MOST_BYTES
    ? `${hexText(payload, offset, offset + MOST_BYTES)}.. (${bytes})`
    : hexText(payload, offset, end);
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null && '$bytes' in value && 'len' in value)
    return `${value.len} bytes`;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text;
}
