import { importCapture, importHex, importRaw, isHexLine, readCapture, tcpSegment } from '../capture/index.ts';
import { HeartwireError } from '../errors.ts';
import { parseBytes, TRACE_MAGIC, type TraceEvent, type TraceHead, TraceParser } from '../trace/index.ts';

/** A trace, a capture or hex text, as events of a trace. */
export interface InspectedInput {
  readonly format: 'trace' | 'capture' | 'hex' | 'raw';
  readonly head: TraceHead;
  readonly events: readonly TraceEvent[];
  /** What was left out or assumed, in sentences. */
  readonly warnings: readonly string[];
  /** Of a capture: the TCP ports that may be the server's, the likeliest first. */
  readonly ports: readonly number[];
}

export interface InputOptions {
  /** Of a capture with TCP: the port of the server; the likeliest where it is left out. */
  readonly port?: number | undefined;
  /** The port is the device's, which was dialled. */
  readonly dialled?: boolean | undefined;
}

const CAPTURES: ReadonlySet<number> = new Set([0x0a0d0d0a, 0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1]);

/** Reads what a person dropped or pasted. @throws HeartwireError `trace_invalid`, `capture_invalid` */
export function readInput(bytes: Uint8Array, file: string, options: InputOptions = {}): InspectedInput {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 4 && CAPTURES.has(view.getUint32(0))) return capture(bytes, file, options);
  const front = new TextDecoder('latin1').decode(bytes.subarray(0, 4_096));
  if (front.replace(/^\xef\xbb\xbf/, '').startsWith(TRACE_MAGIC.split(' ')[0] ?? TRACE_MAGIC))
    return trace(bytes, file);
  return hexOrRaw(bytes, front, file);
}

function trace(bytes: Uint8Array, file: string): InspectedInput {
  const events: TraceEvent[] = [];
  const warnings: string[] = [];
  let head: TraceHead = { startMs: 0, meta: {} };
  const parser = new TraceParser(file, {
    head: (found) => {
      head = found;
    },
    event: (event) => void events.push(event),
    warning: (text) => void warnings.push(text),
  });
  try {
    parser.push(bytes);
    parser.finish();
  } catch (error) {
    // What stands before the first wrong line is right.
    if (!(error instanceof HeartwireError) || events.length === 0) throw error;
    warnings.push(`${error.message} Everything before it is shown.`);
  }
  return { format: 'trace', head, events, warnings, ports: [] };
}

function capture(bytes: Uint8Array, file: string, { port, dialled }: InputOptions): InspectedInput {
  const ports = serverPorts(bytes, file);
  const chosen = port ?? ports[0];
  const { startMs, events, meta, warnings } = importCapture(bytes, file, {
    port: chosen,
    ...(dialled === undefined ? {} : { dialled }),
  });
  return { format: 'capture', head: { startMs, meta: wordsOf(meta) }, events, warnings, ports };
}

/** The words of a `#meta` line; none where they cannot be read. */
function wordsOf(meta: string): TraceHead['meta'] {
  let words: TraceHead['meta'] = {};
  const parser = new TraceParser('#meta', {
    head: (head) => {
      words = head.meta;
    },
    event: () => undefined,
    warning: () => undefined,
  });
  try {
    parser.push(new TextEncoder().encode(`${TRACE_MAGIC}\n#start 1970-01-01T00:00:00Z\n#meta ${meta}\n`));
    parser.finish();
  } catch (error) {
    if (!(error instanceof HeartwireError)) throw error;
  }
  return words;
}

/** TCP ports of a capture: those to which connections were opened first, then by how much went over them. */
export function serverPorts(bytes: Uint8Array, file: string): readonly number[] {
  const opened = new Map<number, number>();
  const carried = new Map<number, number>();
  const add = (counts: Map<number, number>, port: number, by: number): void =>
    void counts.set(port, (counts.get(port) ?? 0) + by);
  for (const { linkType, bytes: packet } of readCapture(bytes, file)) {
    const segment = tcpSegment(linkType, packet);
    if (segment === undefined) continue;
    if (segment.syn) add(opened, segment.ack ? segment.fromPort : segment.toPort, 1);
    for (const port of [segment.fromPort, segment.toPort]) add(carried, port, segment.payload.length);
  }
  const score = (port: number): number => (opened.has(port) ? 2 ** 52 : 0) + (carried.get(port) ?? 0);
  // The port of a server is the lower one, where nothing else tells.
  return [...carried.keys()].sort((a, b) => score(b) - score(a) || a - b).slice(0, MOST_PORTS);
}

const MOST_PORTS = 20;

function hexOrRaw(bytes: Uint8Array, front: string, file: string): InspectedInput {
  const text = new TextDecoder().decode(bytes);
  const [line = ''] = front.split(/\r?\n/).filter((each) => each.trim() !== '' && !each.startsWith('#'));
  const pasted = isHexLine(line.trim()) || parseBytes(line.trim()) instanceof Uint8Array;
  const { startMs, events, warnings } = pasted ? importHex(text, file) : importRaw(bytes, file);
  return { format: pasted ? 'hex' : 'raw', head: { startMs, meta: {} }, events, warnings, ports: [] };
}
