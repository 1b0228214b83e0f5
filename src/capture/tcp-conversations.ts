import type { TraceFact } from '../trace/event.ts';
import type { TcpSegment } from './tcp-segment.ts';
import { type PacketTime, type StreamPart, TcpStream } from './tcp-stream.ts';

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

/** Follows the TCP connections of one server port through a capture, and tells what went over them. */
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
      this.#tell(linkProtocol, fromClient, side.stream.push(first, segment.payload, at));
    }
    if (segment.rst) return this.#ended(at, linkProtocol, fromClient, 'link_reset');
    if (segment.fin) side.finSeen = true;
    if (linkProtocol.client.finSeen && linkProtocol.server.finSeen) {
      this.#ended(at, linkProtocol, fromClient, 'link_closed');
    }
  }

  /** The capture is over: what still waits for missing segments is told with its gaps. */
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

  #tell({ name }: LinkProtocol, fromClient: boolean, parts: readonly StreamPart[]): void {
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
    this.#tell(linkProtocol, true, linkProtocol.client.stream.finish());
    this.#tell(linkProtocol, false, linkProtocol.server.stream.finish());
  }
}
