import { HeartwireError } from '../errors.ts';
import { parseFact, type TraceEvent, type TraceFact } from '../trace/index.ts';
import { type CaptureFrame, readCapture } from './capture-reader.ts';
import { LINKTYPE_USER0 } from './pcapng.ts';
import type { PacketTime } from './tcp-conversations.ts';
import { TcpConversations } from './tcp-conversations.ts';
import { KNOWN_LINK_TYPES, tcpSegment } from './tcp-segment.ts';

export interface ImportOptions {
  /** The TCP port of the server; not needed for captures that Heartwire wrote. */
  readonly port?: number | undefined;
  /** The port is the device's, which was dialled; else it is ours, and devices dialled in. */
  readonly dialled?: boolean;
}

/** What an import has found; times count from `startMs`. */
export interface Imported {
  readonly startMs: number;
  readonly events: readonly TraceEvent[];
  /** The words of a `#meta` line, where the capture holds one. */
  readonly meta: string;
  /** What was left out, in sentences. */
  readonly warnings: readonly string[];
}

interface Collected {
  readonly at: PacketTime;
  readonly connection: string;
  readonly fact: TraceFact;
}

/** Reads a capture: frames that Heartwire exported, or the TCP streams of one port. Throws `capture_invalid`. */
export function importCapture(bytes: Uint8Array, file: string, options: ImportOptions = {}): Imported {
  const collected: Collected[] = [];
  const add = (at: PacketTime, connection: string, fact: TraceFact) =>
    void collected.push({ at, connection, fact });
  const conversations = new TcpConversations(options.port ?? 0, options.dialled === true, add);
  const strange = new Map<number, number>();
  let meta = '';
  let tcp = 0;
  let cut = 0;
  let packet = 0;
  for (const frame of readCapture(bytes, file)) {
    const at = { epochUs: frame.epochUs, packet: packet++ };
    if (frame.linkType === LINKTYPE_USER0) {
      meta ||= frame.interfaceDescription;
      if (frame.bytes.length < frame.originalLength) cut++;
      for (const fact of ownFacts(frame)) add(at, frame.interfaceName || `c${frame.interfaceId + 1}`, fact);
      continue;
    }
    if (!KNOWN_LINK_TYPES.has(frame.linkType)) {
      strange.set(frame.linkType, (strange.get(frame.linkType) ?? 0) + 1);
      continue;
    }
    const segment = tcpSegment(frame.linkType, frame.bytes);
    if (segment === undefined) continue;
    tcp++;
    if (segment.missing > 0) cut++;
    conversations.take(at, segment);
  }
  if (tcp > 0 && options.port === undefined) {
    throw new HeartwireError('capture_invalid', `${file}: The capture holds TCP, and no port is named.`, {
      fix: 'Name the port of the server with --port.',
    });
  }
  conversations.finish();
  const warnings = [...strange].map(
    ([linkType, count]) => `${file}: ${count} packets of link type ${linkType} were left out.`,
  );
  if (cut > 0) warnings.push(`${file}: ${cut} packets are not whole; capture with tcpdump -s 0.`);
  if (collected.length === 0) {
    const what = options.port === undefined ? 'no frames' : `nothing to or from port ${options.port}`;
    throw new HeartwireError('capture_invalid', `${file}: The capture holds ${what}.`, {
      fix: 'Check the port, and that the capture was made while devices were connected.',
    });
  }
  return { ...inOrder(collected), meta, warnings };
}

/** In the order of the packets: what lay behind bytes that the capture lost is known late. */
function inOrder(collected: readonly Collected[]): Pick<Imported, 'startMs' | 'events'> {
  const ordered = collected.toSorted((a, b) => a.at.packet - b.at.packet);
  const startMs =
    ordered.reduce(
      (least, { at: { epochUs } }) => (epochUs < least ? epochUs : least),
      ordered[0]?.at.epochUs ?? 0n,
    ) / 1_000n;
  let last = 0;
  const events = ordered.map(({ at: { epochUs }, connection, fact }) => {
    // Clocks of captures may step back; the order of the packets counts.
    last = Math.max(last, Number(epochUs - startMs * 1_000n));
    return { atUs: last, connection, fact, line: 0 };
  });
  return { startMs: Number(startMs), events };
}

/** A packet of our own export: bytes, and what its comments say. */
function ownFacts({ bytes, direction, comments }: CaptureFrame): TraceFact[] {
  const facts: TraceFact[] = bytes.length === 0 ? [] : [{ kind: direction ?? 'in', bytes }];
  for (const comment of comments) {
    const [, sign = '', rest = ''] = /^([=*?]) (.*)$/s.exec(comment) ?? [];
    const fact = sign === '' ? undefined : parseFact(sign, rest);
    if (fact !== undefined && !('problem' in fact)) facts.push(fact);
    // Comments that people wrote in Wireshark are notes; ours on discarded bytes say what the decoder says again.
    else if (!/^(?:discarded|invalid): /.test(comment))
      facts.push({ kind: 'note', text: comment.replace(/\s+/g, ' ') });
  }
  return facts;
}
