import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { traceName } from '../runtime/trace-file.ts';
import type { TraceEvent, TraceHead } from '../trace/event.ts';
import { TraceParser } from '../trace/parser.ts';

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
 * @throws HeartwireError `trace_invalid`; the error of `node:fs` where the file cannot be read
 */
export function traceFixture(file: string | URL): Trace {
  const path = typeof file === 'string' ? file : fileURLToPath(file);
  const bytes = readFileSync(path);
  return parse(path, bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);
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

function parse(name: string, bytes: Uint8Array): Trace {
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
  parser.finish();
  // The parser tells the head before it is finished, or throws.
  if (head === undefined) throw new Error(`${name} has no head`);
  return { name: traceName(name), head, events, warnings };
}
