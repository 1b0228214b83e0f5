import { HeartwireError } from '../errors.ts';
import { MOST_LINE_BYTES, parseBytes } from './bytes-text.ts';
import type { TraceEvent, TraceFact } from './event.ts';
import type { Imported } from './import-capture.ts';

/** Bytes of one chunk of a raw log. */
const RAW_CHUNK_BYTES = 256;

/** `00000010: 0011 2233  ..`, as xxd writes it, and `00000010  00 11 22 33  |...|`, as hexdump -C does. */
const XXD = /^[0-9a-fA-F]{6,16}:\s+((?:[0-9a-fA-F]{2,4} )*[0-9a-fA-F]{2,4})(?: {1,}.*)?$/;
const HEXDUMP = /^[0-9a-fA-F]{6,16}\s{2}((?:[0-9a-fA-F]{2} {1,2})*[0-9a-fA-F]{2})\s*(?:\|.*\|)?\s*$/;
/** `I 0000 00 11 22`, as text2pcap reads it, or `< 00 11` and `> 00 11`. */
const DIRECTED = /^([<>IO])\s+(.*)$/;

/** Reads hex of any of the usual forms, one chunk a line, from the peer unless < or > says otherwise. */
export function importHex(text: string, file: string): Imported {
  const events: TraceEvent[] = [];
  let read = 0;
  let dumped = false;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    // An offset alone ends what hexdump writes, and says how long it was.
    if (dumped && /^0[0-9a-fA-F]{5,15}$/.test(line) && Number.parseInt(line, 16) === read) continue;
    const [, sign = '<', rest = line] = DIRECTED.exec(line) ?? [];
    const dump = XXD.exec(rest)?.[1] ?? HEXDUMP.exec(rest)?.[1];
    dumped = dump !== undefined;
    const hex = dump ?? rest;
    const bytes = parseBytes(hex);
    if (!(bytes instanceof Uint8Array)) {
      throw new HeartwireError('capture_invalid', `${file}:${index + 1}:${bytes.at + 1}: ${bytes.problem}`, {
        mend: bytes.mend,
        seen: line.slice(0, 80),
      });
    }
    read += bytes.length;
    events.push(event({ kind: sign === '>' || sign === 'O' ? 'out' : 'in', bytes }, index + 1));
  }
  return imported(events, file);
}

/** Reads a log of raw bytes with lines of `#` in front, as gpsd keeps them for its tests. */
export function importRaw(bytes: Uint8Array, file: string): Imported {
  const events: TraceEvent[] = [];
  let at = 0;
  for (let line = 1; bytes[at] === 0x23; line++) {
    const newline = bytes.indexOf(10, at);
    const end = newline < 0 ? bytes.length : newline;
    const text = new TextDecoder().decode(bytes.subarray(at + 1, end)).trim();
    if (text !== '') events.push(event({ kind: 'note', text }, line));
    at = end + 1;
  }
  if (bytes.length - at > MOST_LINE_BYTES * 16) {
    throw new HeartwireError('capture_invalid', `${file}: The log is longer than 256 MiB.`, {
      mend: 'Cut it into several.',
    });
  }
  for (; at < bytes.length; at += RAW_CHUNK_BYTES) {
    events.push(event({ kind: 'in', bytes: bytes.slice(at, at + RAW_CHUNK_BYTES) }, 0));
  }
  return imported(events, file);
}

const event = (fact: TraceFact, line: number): TraceEvent => ({ atUs: 0, connection: 'c1', fact, line });

/** Neither form knows times: a millisecond from chunk to chunk keeps their order visible. */
function imported(events: readonly TraceEvent[], file: string): Imported {
  if (!events.some(({ fact }) => 'bytes' in fact)) {
    throw new HeartwireError('capture_invalid', `${file}: There are no bytes in it.`, {
      mend: 'Check that it is the right file.',
    });
  }
  const open: TraceEvent = {
    atUs: 0,
    connection: 'c1',
    fact: { kind: 'life', word: 'open', detail: 'import' },
    line: 0,
  };
  const timed = events.map((each, index) => ({ ...each, atUs: (index + 1) * 1_000 }));
  return { startMs: 0, events: [open, ...timed], meta: '', warnings: [] };
}
