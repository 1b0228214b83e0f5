import { MinHeap } from '../system/index.ts';
import type { TraceFact } from '../trace/index.ts';
import type { TcpSegment } from './tcp-segment.ts';

type Add = (at: PacketTime, connection: string, fact: TraceFact) => void;

interface Side {
  readonly stream: TcpStream;
  finSeen: boolean;
}

interface LinkProtocol {
  readonly name: string;
  /** Of the client, whose SYN this is. */
  readonly isn: number | undefined;
  readonly client: Side;
  readonly server: Side;
  readonly serverAddress: string;
  readonly clientAddress: string;
  open: boolean;
  over: boolean;
}

const life = (word: 'dial' | 'open' | 'close' | 'error', detail: string): TraceFact => ({
  kind: 'life',
  word,
  detail,
});

/** Follows the TCP connections of one server port through a capture, and reports the bytes of each. */
export class TcpConversations {
  readonly #port: number;
  readonly #dialled: boolean;
  readonly #add: Add;
  readonly #byKey = new Map<string, LinkProtocol>();
  #count = 0;

  /** `dialled`: the server is the device; else the client is. */
  constructor(port: number, dialled: boolean, add: Add) {
    this.#port = port;
    this.#dialled = dialled;
    this.#add = add;
  }

  take(at: PacketTime, segment: TcpSegment): void {
    const fromClient =
      segment.toPort === this.#port && !(segment.fromPort === this.#port && segment.syn && segment.ack);
    if (!fromClient && segment.fromPort !== this.#port) return;
    const from = `${segment.from}:${segment.fromPort}`;
    const to = `${segment.to}:${segment.toPort}`;
    const [client, server] = fromClient ? [from, to] : [to, from];
    const linkProtocol = this.#of(at, `${client} ${server}`, client, server, segment, fromClient);
    if (linkProtocol === undefined) return;
    const side = fromClient ? linkProtocol.client : linkProtocol.server;
    const first = segment.syn ? (segment.seq + 1) >>> 0 : segment.seq;
    if (segment.syn) side.stream.begin(first);
    if (!fromClient && segment.syn) this.#opened(at, linkProtocol);
    if (segment.payload.length > 0) {
      this.#opened(at, linkProtocol);
      this.#report(linkProtocol, fromClient, side.stream.push(first, segment.payload, at));
    }
    if (segment.rst) return this.#ended(at, linkProtocol, fromClient, 'link_reset');
    if (segment.fin) side.finSeen = true;
    if (linkProtocol.client.finSeen && linkProtocol.server.finSeen) {
      this.#ended(at, linkProtocol, fromClient, 'link_closed');
    }
  }

  /** The capture is over: what still waits for missing segments is reported with its gaps. */
  finish(): void {
    for (const linkProtocol of this.#byKey.values()) this.#flush(linkProtocol);
  }

  #of(
    at: PacketTime,
    key: string,
    client: string,
    server: string,
    segment: TcpSegment,
    fromClient: boolean,
  ): LinkProtocol | undefined {
    const known = this.#byKey.get(key);
    const begins = segment.syn && fromClient;
    if (known !== undefined && !(begins && known.isn !== segment.seq)) return known;
    // The last acknowledgements of a connection that is over begin no new one.
    if (!begins && segment.payload.length === 0) return undefined;
    if (known !== undefined) this.#flush(known);
    const side = (): Side => ({ stream: new TcpStream(), finSeen: false });
    const made: LinkProtocol = {
      name: `c${++this.#count}`,
      isn: begins ? segment.seq : undefined,
      client: side(),
      server: side(),
      serverAddress: server,
      clientAddress: client,
      open: false,
      over: false,
    };
    this.#byKey.set(key, made);
    if (begins && this.#dialled) this.#add(at, made.name, life('dial', server));
    return made;
  }

  #opened(at: PacketTime, linkProtocol: LinkProtocol): void {
    if (linkProtocol.open || linkProtocol.over) return;
    linkProtocol.open = true;
    const peer = this.#dialled ? linkProtocol.serverAddress : linkProtocol.clientAddress;
    this.#add(at, linkProtocol.name, life('open', peer));
  }

  #report({ name }: LinkProtocol, fromClient: boolean, parts: readonly StreamPart[]): void {
    const kind = fromClient === this.#dialled ? 'out' : 'in';
    for (const part of parts) {
      if (part.kind === 'bytes') this.#add(part.at, name, { kind, bytes: part.bytes });
      else
        this.#add(part.at, name, {
          kind: 'note',
          text: `${part.bytes} bytes ${kind === 'in' ? 'from' : 'to'} the peer are missing from the capture`,
        });
    }
  }

  #ended(at: PacketTime, linkProtocol: LinkProtocol, fromClient: boolean, code: string): void {
    if (linkProtocol.over) return;
    this.#flush(linkProtocol);
    linkProtocol.over = true;
    const byPeer = fromClient !== this.#dialled;
    if (linkProtocol.open) {
      const how = code === 'link_reset' ? 'reset' : 'closed';
      const peer = this.#dialled ? linkProtocol.serverAddress : linkProtocol.clientAddress;
      this.#add(
        at,
        linkProtocol.name,
        life(
          'close',
          byPeer || code === 'link_closed'
            ? `${code} ${peer} ${how} the link.`
            : `link_ended We ${how} the link.`,
        ),
      );
    } else if (this.#dialled) {
      this.#add(
        at,
        linkProtocol.name,
        life('error', `connect_refused Nothing listens at ${linkProtocol.serverAddress}.`),
      );
    }
  }

  #flush(linkProtocol: LinkProtocol): void {
    this.#report(linkProtocol, true, linkProtocol.client.stream.finish());
    this.#report(linkProtocol, false, linkProtocol.server.stream.finish());
  }
}

/** Bytes that may wait for a segment that is missing. */
const MOST_WAITING = 4 * 1024 * 1024;
/** What a segment that waits takes besides its bytes. */
const SEGMENT_OVERHEAD = 64;

/** The packet that brought something: its time stamp, and its place in the capture. */
export interface PacketTime {
  readonly epochUs: bigint;
  readonly packet: number;
}

/** What comes out of one direction of a connection, in the order of its bytes, each with when the peer had it. */
type StreamPart =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly at: PacketTime }
  /** The capture does not hold these bytes. */
  | { readonly kind: 'gap'; readonly bytes: number; readonly at: PacketTime };

interface Waiting {
  /** Of its first byte, counted from where the stream began. */
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly at: PacketTime;
}

/** How far b lies behind a in the circle of sequence numbers; negative where before. */
const distance = (a: number, b: number): number => (b - a) | 0;
const later = (a: PacketTime | undefined, b: PacketTime): PacketTime =>
  a !== undefined && a.packet > b.packet ? a : b;

/** Puts the segments of one direction in order: retransmissions count once, overlaps and late ones find their place. */
export class TcpStream {
  /** The sequence number of the next byte, and its place in the stream. */
  #next: number | undefined;
  #position = 0;
  readonly #waiting = new MinHeap<Waiting>((a, b) => a.position < b.position);
  #waitingBytes = 0;
  #lastAt: PacketTime | undefined;

  /**
   * The sequence number of the first byte, as a SYN says, which may be sent again; a capture that begins later takes the
   * first one it sees.
   */
  begin(seq: number): void {
    this.#next ??= seq >>> 0;
  }

  push(seq: number, bytes: Uint8Array, at: PacketTime): StreamPart[] {
    if (bytes.length === 0) return [];
    this.#next ??= seq;
    this.#waiting.push({ position: this.#position + distance(this.#next, seq), bytes, at });
    this.#waitingBytes += bytes.length + SEGMENT_OVERHEAD;
    const parts: StreamPart[] = [];
    this.#take(parts);
    while (this.#waitingBytes > MOST_WAITING) this.#skip(parts);
    return parts;
  }

  /** Nothing follows: what waits is reported, with the gaps before it. */
  finish(): StreamPart[] {
    const parts: StreamPart[] = [];
    while (this.#waiting.first !== undefined) this.#skip(parts);
    return parts;
  }

  /** What follows without a gap. */
  #take(parts: StreamPart[]): void {
    for (;;) {
      const segment = this.#waiting.first;
      if (segment === undefined || segment.position > this.#position) return;
      this.#waiting.pop();
      this.#waitingBytes -= segment.bytes.length + SEGMENT_OVERHEAD;
      const fresh = segment.bytes.subarray(this.#position - segment.position);
      if (fresh.length === 0) continue;
      // Bytes behind a segment that came late had to wait for it.
      this.#lastAt = later(this.#lastAt, segment.at);
      parts.push({ kind: 'bytes', bytes: fresh, at: this.#lastAt });
      this.#advance(fresh.length);
    }
  }

  /** Gives up what is missing before the first segment that waits. Bytes behind it were not held up in the peer. */
  #skip(parts: StreamPart[]): void {
    const segment = this.#waiting.first;
    if (segment === undefined) return;
    const gap = segment.position - this.#position;
    this.#lastAt = later(this.#lastAt, segment.at);
    parts.push({ kind: 'gap', bytes: gap, at: this.#lastAt });
    this.#advance(gap);
    this.#take(parts);
  }

  #advance(bytes: number): void {
    this.#next = ((this.#next ?? 0) + bytes) >>> 0;
    this.#position += bytes;
  }
}
