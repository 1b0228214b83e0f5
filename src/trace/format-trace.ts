import { HeartwireError } from '../errors.ts';
import { type Checksum, checksumOf, findChecksum } from '../protocol/index.ts';
import { toHex } from './bytes-text.ts';
import type { Expectation, TraceEvent, TraceFact, TraceHead } from './event.ts';

/** The first words of every trace; `sums` behind them says that `#sum` lines confirm the lines before them. */
export const TRACE_MAGIC = '#heartwire-trace 1';

/** The lines before the first event. With `sums`, the trace must end in `formatEnd`. */
export function formatHead(head: TraceHead, options: { readonly sums?: boolean } = {}): string {
  const words = formatMeta(head.meta);
  const start = new Date(head.startMs).toISOString();
  const meta = words === '' ? '' : `#meta ${words}\n`;
  return `${TRACE_MAGIC}${options.sums ? ' sums' : ''}\n#start ${start}\n${meta}`;
}

/** The words behind `#meta`. */
export function formatMeta(meta: Readonly<Record<string, string>>): string {
  return Object.entries(meta)
    .map(([key, value]) => `${key}=${formatValue(value)}`)
    .join(' ');
}

/** Confirms the bytes since the last `#sum`, or since the beginning. `sum` may be a faster CRC-32 than the pure one. */
export function formatSum(
  bytes: Uint8Array,
  sum = (whole: Uint8Array): number => checksumOf(CRC_32, whole),
): string {
  return `#sum ${sum(bytes).toString(16).padStart(8, '0')}\n`;
}

/** The checksum of `#sum` lines: CRC-32 as in gzip. */
export const CRC_32: Checksum = crc32();

function crc32(): Checksum {
  const found = findChecksum('crc-32/iso-hdlc');
  if (found === undefined || found.wide) throw new HeartwireError('bad_argument', 'There is no CRC-32.');
  return found;
}

/** The last line of a trace that was closed in order. */
export const TRACE_END = '#end\n';

/** One line, with its line end. `hex` may be faster than the pure one. */
export function formatEvent(
  event: Omit<TraceEvent, 'line'>,
  hex: (bytes: Uint8Array) => string = toHex,
): string {
  return `${formatTime(event.atUs)} ${event.connection} ${formatFact(event.fact, hex)}\n`;
}

/** Seconds with six decimals. */
export function formatTime(atUs: number): string {
  const seconds = Math.floor(atUs / 1e6);
  return `${seconds}.${String(1e6 + (atUs - seconds * 1e6)).slice(1)}`;
}

function formatFact(fact: TraceFact, hex: (bytes: Uint8Array) => string): string {
  switch (fact.kind) {
    case 'in':
      return `< ${hex(fact.bytes)}`;
    case 'out':
      return `> ${hex(fact.bytes)}`;
    case 'life':
      return fact.detail === '' ? `= ${fact.word}` : `= ${fact.word} ${oneLine(fact.detail)}`;
    case 'note':
      return `* ${oneLine(fact.text)}`;
    case 'expect':
      return `? ${formatExpectation(fact.expectation)}`;
  }
}

/** An expectation as it is written behind `?`. */
export function formatExpectation(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'message':
      return `${expectation.message} ${JSON.stringify(expectation.fields)}`;
    case 'discarded':
      return `discarded ${expectation.count} ${expectation.reason}`;
    case 'send':
      return `send ${toHex(expectation.bytes)}`;
  }
}

/** Text that stays on its line: control characters become spaces. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are looked for.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

function formatValue(value: string): string {
  return /^[^\s"=\\]+$/.test(value) ? value : JSON.stringify(value);
}
