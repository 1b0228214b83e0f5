import { type DeclaredProtocol, findChecksum, payloadJudge } from '../protocol/index.ts';
import type { TraceEvent, TraceHead } from '../trace/index.ts';
import type { Inspected, InspectedFrame } from './inspected.ts';
import { TraceInspector } from './trace-inspector.ts';

/** A protocol that bytes may be of, such as that of a pack. */
export interface Candidate {
  readonly name: string;
  readonly protocol: DeclaredProtocol;
}

/** How well the bytes of a device fit a protocol, and what shows it. */
export interface ProtocolMatch {
  readonly name: string;
  /** Whole frames of declared messages. */
  readonly frames: number;
  /** The messages that they are, or may be. */
  readonly messages: readonly string[];
  /** Bytes that belong to these frames, and all bytes. */
  readonly explained: number;
  readonly total: number;
  /** Bits of checksums and constants that were right: so many coin tosses would have to come out by chance. */
  readonly proof: number;
  /** The checksum of the framing, where it has one; it was right in every frame. */
  readonly checksum?: string | undefined;
  /** The device, as the first bytes name it. */
  readonly identity?: string | undefined;
}

/** Bytes that are looked at, at most: a protocol shows in its first frames. */
const MOST_BYTES = 4_096;
/** Fewer of them belong to something else. */
const LEAST_SHARE = 0.5;

/**
 * The protocols to which the first bytes of a device fit, the best first. A protocol without checksum and constants
 * fits a lot, and `proof` says so.
 */
export function matchProtocols(
  bytes: Uint8Array,
  candidates: readonly Candidate[],
  line: 'stream' | 'serial',
): readonly ProtocolMatch[] {
  const front = bytes.subarray(0, MOST_BYTES);
  return candidates
    .map((candidate) => matchOne(front, candidate, line))
    .filter(({ frames, explained, total }) => frames > 0 && explained >= total * LEAST_SHARE)
    .sort((one, other) => rank(other) - rank(one) || (one.name < other.name ? -1 : 1));
}

/** What is proven counts most; among equals, what leaves no byte over. */
const rank = ({ proof, explained, total }: ProtocolMatch): number => proof + explained / total;

function matchOne(
  bytes: Uint8Array,
  { name, protocol }: Candidate,
  line: 'stream' | 'serial',
): ProtocolMatch {
  const head: TraceHead = { startMs: 0, meta: { session: 'none', line } };
  const inspector = new TraceInspector(head, protocol);
  const event: TraceEvent = { atUs: 0, connection: 'c1', fact: { kind: 'in', bytes }, line: 0 };
  const idle: TraceEvent = { ...event, fact: { kind: 'life', word: 'idle', detail: '' } };
  const found = [...inspector.take(event), ...inspector.take(idle), ...inspector.finish()];
  const proven = found.filter(isMeant).map((frame) => ({ frame, bits: bitsIn(frame, protocol) }));
  // What nothing proves is at least text; any bytes would be such a frame.
  const fitting = proven
    .filter(({ frame, bits }) => bits > 0 || isText(frame.payload))
    .map(({ frame }) => frame);
  const proof = proven.reduce((sum, { bits }) => sum + bits, 0);
  const sums = fitting.map((frame) => checksumOf(frame, protocol));
  const checksum = sums.find((each) => each !== undefined);
  const [first] = fitting;
  const identity =
    first?.meaning.name === 'declared' && first.meaning.message === 'hello'
      ? Object.values(first.meaning.fields).find((value) => typeof value === 'string')
      : undefined;
  return {
    name,
    frames: fitting.length,
    messages: [...new Set(fitting.flatMap(namesOf))],
    explained: fitting.reduce((sum, { bytes: { length } }) => sum + length, 0),
    total: bytes.length,
    proof,
    checksum: typeof checksum === 'object' ? 'crc' : checksum,
    identity,
  };
}

function checksumOf({ framing: kind }: InspectedFrame, { declaration: { framing } }: DeclaredProtocol) {
  const single =
    framing.type === 'several' ? framing.kinds.find(({ name }) => name === kind)?.framing : framing;
  return single?.checksum?.algorithm;
}

/** Bits of checksum and constants that were right in a frame. */
function bitsIn(frame: InspectedFrame, protocol: DeclaredProtocol): number {
  const algorithm = checksumOf(frame, protocol);
  const sum = algorithm === undefined ? undefined : findChecksum(algorithm);
  const part = frame.framing === undefined ? undefined : protocol.part(frame.framing);
  const { payload } = frame;
  const { bits = 0 } = payloadJudge(part ?? protocol, 'device').proof?.(payload, 0, payload.length) ?? {};
  return (sum?.bits ?? 0) + Math.max(0, bits);
}

const isText = (payload: Uint8Array): boolean =>
  payload.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0d || byte === 0x0a);

function isMeant(item: Inspected): item is InspectedFrame {
  if (item.kind !== 'frame') return false;
  const { meaning } = item;
  if (meaning.name === 'declared') return meaning.issues.length === 0;
  return meaning.name === 'unknown' && meaning.answers !== undefined;
}

function namesOf({ meaning }: InspectedFrame): readonly string[] {
  if (meaning.name === 'declared') return [meaning.message];
  return meaning.name === 'unknown' ? (meaning.answers ?? []) : [];
}
