import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { CUT_GZIP, isCutShort, isPacked, traceName, unreadable } from '../links/index.ts';
import { type TraceEvent, type TraceHead, TraceParser } from '../trace/index.ts';

/** A whole trace in memory. */
export interface Trace {
  readonly name: string;
  readonly head: TraceHead;
  readonly events: readonly TraceEvent[];
  /** What is missing of a recording that was cut short, in sentences. */
  readonly warnings: readonly string[];
}

/**
 * Reads a trace from a file, gzipped or not; a `file:` URL is resolved like any other.
 *
 * @throws HeartwireError `trace_invalid`, `trace_unreadable`
 */
export function traceFixture(file: string | URL): Trace {
  const path = typeof file === 'string' ? file : fileURLToPath(file);
  const { bytes, cut } = read(path);
  return parse(path, bytes, cut);
}

function read(path: string): { readonly bytes: Uint8Array; readonly cut: boolean } {
  try {
    const bytes = readFileSync(path);
    if (!isPacked(bytes)) return { bytes, cut: false };
    const plain = gunzipSync(bytes, CUT_GZIP);
    return { bytes: plain, cut: isCutShort(bytes, plain.length) };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/**
 * Reads a trace that stands in the test itself. Lines may be indented, and the first line may be left out.
 *
 * @throws HeartwireError `trace_invalid`
 */
export function traceText(text: string, name = 'inline.trace'): Trace {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.trim());
  const magic = lines[0]?.startsWith('#heartwire-trace') ? [] : ['#heartwire-trace 1'];
  const start = lines.some((line) => line.startsWith('#start')) ? [] : ['#start 2026-01-01T00:00:00.000Z'];
  const [first, ...rest] = [...magic, ...lines];
  return parse(name, new TextEncoder().encode(`${[first, ...start, ...rest].join('\n')}\n`));
}

function parse(name: string, bytes: Uint8Array, cut = false): Trace {
  let head: TraceHead | undefined;
  const events: TraceEvent[] = [];
  const warnings: string[] = [];
  const parser = new TraceParser(name, {
    head: (of) => {
      head = of;
    },
    event: (event) => void events.push(event),
    warning: (text) => void warnings.push(text),
  });
  parser.push(bytes);
  parser.finish(cut);
  // The parser reports the head before it is finished, or throws.
  if (head === undefined) throw new Error(`${name} has no head`);
  return { name: traceName(name), head, events, warnings };
}
