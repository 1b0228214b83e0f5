import { HeartwireError } from '../errors.ts';
import { MOST_LINE_BYTES, parseBytes, type TraceEvent, type TraceFact } from '../trace/index.ts';
import type { Imported } from './import-capture.ts';

/** Bytes of one chunk of a raw log. */
const RAW_CHUNK_BYTES = 256;

/** From part to part of what came together, where there are no times: it keeps their order visible. */
const STEP_US = 1_000;
/** From line to line where there are no times: more than the silence that ends a frame on any transport. */
const PAUSE_US = 250_000;

/** `00000010: 0011 2233  ..`, as xxd writes it, and `00000010  00 11 22 33  |...|`, as hexdump -C does. */
const XXD = /^[0-9a-fA-F]{6,16}:\s+((?:[0-9a-fA-F]{2,4} )*[0-9a-fA-F]{2,4})(?: {1,}.*)?$/;
const HEXDUMP = /^[0-9a-fA-F]{6,16}\s{2}((?:[0-9a-fA-F]{2} {1,2})*[0-9a-fA-F]{2})\s*(?:\|.*\|)?\s*$/;
/** `I 0000 00 11 22`, as text2pcap reads it, `< 00 11` and `> 00 11`, or `RX: 00 11` and its kin. */
const DIRECTED =
  /^(?:(?<sign>[<>IO])\s+|[[(]?(?<word>rx|tx|recv|send|in|out)[\])]?(?:\s*[:<>]\s*|\s+)|(?<arrow>收←|发→)[◆◇]?\s*)(?<rest>.*)$/i;
const SENT: ReadonlySet<string> = new Set(['>', 'o', 'tx', 'send', 'out', '发→']);

interface HexLine {
  readonly time: LineTime | undefined;
  readonly direction: 'in' | 'out';
  /** What is left for the bytes, as a dump or plain. */
  readonly rest: string;
}

function hexLine(line: string): HexLine {
  const time = lineTime(line);
  const { sign, word, arrow, rest } = DIRECTED.exec(time?.rest.trim() ?? line)?.groups ?? {};
  const said = (sign ?? word ?? arrow ?? '<').toLowerCase();
  return { time, direction: SENT.has(said) ? 'out' : 'in', rest: rest ?? time?.rest.trim() ?? line };
}

/** Whether a line is one of those that `importHex` reads. */
export const isHexLine = (line: string): boolean =>
  /^[0-9a-fA-F]{2,}:?(?:\s+[0-9a-fA-F]{2,})*\s*(?:[ |].*)?$/.test(hexLine(line.trim()).rest);

/** Reads hex of any of the usual forms, one chunk a line, from the peer unless the line says otherwise. */
export function importHex(text: string, file: string): Imported {
  const chunks: Chunk[] = [];
  let read = 0;
  let dumped = false;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    // An offset alone ends what hexdump writes, and says how long it was.
    if (dumped && /^0[0-9a-fA-F]{5,15}$/.test(line) && Number.parseInt(line, 16) === read) continue;
    const { time, direction, rest } = hexLine(line);
    const dump = XXD.exec(rest)?.[1] ?? HEXDUMP.exec(rest)?.[1];
    const hex = dump ?? rest;
    const bytes = parseBytes(hex);
    if (!(bytes instanceof Uint8Array)) {
      throw new HeartwireError('capture_invalid', `${file}:${index + 1}:${bytes.at + 1}: ${bytes.problem}`, {
        fix: bytes.fix,
        seen: line.slice(0, 80),
      });
    }
    // The lines of a dump go on where the one before ended.
    const goesOn = dump !== undefined && dumped && Number.parseInt(rest, 16) > 0;
    dumped = dump !== undefined;
    read += bytes.length;
    chunks.push({
      time,
      fact: { kind: direction, bytes },
      line: index + 1,
      pauseUs: goesOn ? STEP_US : PAUSE_US,
    });
  }
  return imported(chunks, file);
}

/** Reads a log of raw bytes with lines of `#` in front, as gpsd keeps them for its tests. */
export function importRaw(bytes: Uint8Array, file: string): Imported {
  const { chunks, at: from } = notesInFront(bytes, file);
  for (let at = from; at < bytes.length; at += RAW_CHUNK_BYTES) {
    const fact = { kind: 'in', bytes: bytes.slice(at, at + RAW_CHUNK_BYTES) } as const;
    chunks.push({ time: undefined, fact, line: 0, pauseUs: STEP_US });
  }
  return imported(chunks, file);
}

/** The same where each line begins with the time at which it came; the line end belongs to its bytes. */
export function importTimedLines(bytes: Uint8Array, file: string): Imported {
  const { chunks, at: from } = notesInFront(bytes, file);
  let line = chunks.length;
  for (let at = from; at < bytes.length; ) {
    const newline = bytes.indexOf(10, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    line += 1;
    const text = Array.from(bytes.subarray(at, end), (byte) => String.fromCharCode(byte)).join('');
    const time = lineTime(text);
    const content = bytes.slice(time === undefined ? at : end - time.rest.length, end);
    if (content.length > 0)
      chunks.push({ time, fact: { kind: 'in', bytes: content }, line, pauseUs: STEP_US });
    at = end;
  }
  if (!chunks.some(({ time }) => time !== undefined)) {
    throw new HeartwireError('capture_invalid', `${file}: No line of it begins with a time.`, {
      fix: 'Leave --times out, or write times such as [2026-01-01 12:00:00.123] in front.',
    });
  }
  return imported(chunks, file);
}

function notesInFront(bytes: Uint8Array, file: string): { readonly chunks: Chunk[]; readonly at: number } {
  const chunks: Chunk[] = [];
  let at = 0;
  for (let line = 1; bytes[at] === 0x23; line++) {
    const newline = bytes.indexOf(10, at);
    const end = newline < 0 ? bytes.length : newline;
    const text = new TextDecoder().decode(bytes.subarray(at + 1, end)).trim();
    if (text !== '') chunks.push({ time: undefined, fact: { kind: 'note', text }, line, pauseUs: STEP_US });
    at = end + 1;
  }
  if (bytes.length - at > MOST_LINE_BYTES * 16) {
    throw new HeartwireError('capture_invalid', `${file}: The log is longer than 256 MiB.`, {
      fix: 'Cut it into several.',
    });
  }
  return { chunks, at };
}

/** What a line, or a part of a log, stands for. */
interface Chunk {
  readonly time: LineTime | undefined;
  readonly fact: TraceFact;
  readonly line: number;
  /** How long after the one before it is taken to come, where no line has a time. */
  readonly pauseUs: number;
}

function imported(chunks: readonly Chunk[], file: string): Imported {
  if (!chunks.some(({ fact }) => 'bytes' in fact)) {
    throw new HeartwireError('capture_invalid', `${file}: There are no bytes in it.`, {
      fix: 'Check that it is the right file.',
    });
  }
  const open: TraceEvent = {
    atUs: 0,
    connection: 'c1',
    fact: { kind: 'life', word: 'open', detail: 'import' },
    line: 0,
  };
  const clock = new LineClock();
  const timed = chunks.map(({ time, fact, line }) => ({
    atUs: clock.at(time),
    connection: 'c1',
    fact,
    line,
  }));
  if (!clock.known) return untimed(open, chunks, file);
  const { startMs, steppedBack } = clock;
  const warnings =
    steppedBack === 0
      ? []
      : [`${file}: ${steppedBack} times lie before the one in front; their order counts.`];
  return { startMs, events: [open, ...timed], meta: '', warnings };
}

/** Without times what is assumed is said, because it decides about frames that end with silence. */
function untimed(open: TraceEvent, chunks: readonly Chunk[], file: string): Imported {
  let atUs = 0;
  const events = chunks.map(({ fact, line, pauseUs }, index) => {
    atUs += index === 0 ? STEP_US : pauseUs;
    return { atUs, connection: 'c1', fact, line };
  });
  const pauses = chunks.some(({ pauseUs }, index) => index > 0 && pauseUs === PAUSE_US);
  const assumed = pauses
    ? `each line, or dump, is taken to come ${PAUSE_US / 1_000} ms after the one before, which is a silence that ends a frame of gap framing`
    : 'the bytes are taken to come without a pause, so that no silence ends a frame of gap framing';
  return {
    startMs: 0,
    events: [open, ...events],
    meta: '',
    warnings: [`${file}: There are no times in it: ${assumed}.`],
  };
}

/** The time in front of a line of a log. */
interface LineTime {
  /** Microseconds since the epoch; since midnight where the log gives no date. */
  readonly us: number;
  readonly dated: boolean;
  /** What stands behind it. */
  readonly rest: string;
}

/** `2026-01-01 12:00:00.123`, `2026/01/01T12:00:00Z`, `12:00:00,123`; in brackets or with a space behind it. */
const CLOCK =
  /^(?:(\d{4})[-/](\d\d)[-/](\d\d)[T ])?(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))?$/;
/** Seconds since some start, or since the epoch. */
const SECONDS = /^(\d{1,10})\.(\d{1,9})$/;
const BRACKETED = /^[[(]([^\])]{1,40})[\])]:?\s?(.*)$/s;
const DATE_AND_TIME = /^(\d{4}[-/]\d\d[-/]\d\d[T ]\S{1,24}|\S{1,24}):?\s(.*)$/s;

/** Reads the time in front of a line; undefined where it begins with something else. A time without a zone is UTC. */
function lineTime(line: string): LineTime | undefined {
  const [, text = '', rest = ''] = BRACKETED.exec(line) ?? DATE_AND_TIME.exec(line) ?? [];
  const [, seconds, decimals = ''] = SECONDS.exec(text) ?? [];
  if (seconds !== undefined) return { us: microseconds(Number(seconds), decimals), dated: true, rest };
  const clock = CLOCK.exec(text);
  if (clock === null) return undefined;
  const [, year, month, day, hours, minutes, whole, fraction = '', sign, zoneHours, zoneMinutes] = clock;
  const dated = year !== undefined;
  const [h, m, s] = [Number(hours), Number(minutes), Number(whole)];
  if (h > 23 || m > 59 || s > 60) return undefined;
  const midnight = dated ? Date.UTC(Number(year), Number(month) - 1, Number(day)) / 1_000 : 0;
  const ahead = (sign === '-' ? -60 : 60) * (60 * Number(zoneHours ?? 0) + Number(zoneMinutes ?? 0));
  return { us: microseconds(midnight + 3_600 * h + 60 * m + s - ahead, fraction), dated, rest };
}

const microseconds = (seconds: number, decimals: string): number =>
  seconds * 1e6 + Number(decimals.slice(0, 6).padEnd(6, '0'));

const HALF_DAY_US = 12 * 3_600 * 1e6;

/** Times of one log, in the order of its lines: it may go over midnight, and its clock may step back. */
class LineClock {
  #startMs: number | undefined;
  #days = 0;
  #lastUs = 0;
  /** Lines whose time lay before that of the line in front. */
  steppedBack = 0;

  /** What the wall clock showed at the first time. */
  get startMs(): number {
    return this.#startMs ?? 0;
  }

  /** Some line had a time. */
  get known(): boolean {
    return this.#startMs !== undefined;
  }

  /** The time of a line, in microseconds since the first; that of the line before where it has none. */
  at(time: LineTime | undefined): number {
    if (time === undefined) return this.#lastUs;
    this.#startMs ??= Math.floor(time.us / 1_000);
    let us = time.us + this.#days - this.#startMs * 1_000;
    if (!time.dated && us < this.#lastUs - HALF_DAY_US) {
      this.#days += 2 * HALF_DAY_US;
      us += 2 * HALF_DAY_US;
    }
    if (us < this.#lastUs) this.steppedBack += 1;
    this.#lastUs = Math.max(us, this.#lastUs);
    return this.#lastUs;
  }
}
