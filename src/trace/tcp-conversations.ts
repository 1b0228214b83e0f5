import type { TraceFact } from './event.ts';
import type { TcpSegment } from './tcp-segment.ts';
import { type StreamPart, TcpStream } from './tcp-stream.ts';

type Add = (epochUs: bigint, connection: string, fact: TraceFact) => void;

interface Side {
  readonly stream: TcpStream;
  /** Bytes told of so far. */
  finSeen: boolean;
}

interface Conversation {
  readonly name: string;
  /** Of the client, whose SYN this is. */
  readonly isn: number | undefined;
  readonly client: Side;
  readonly server: Side;
  readonly serverAddress: string;
  readonly clientAddress: string;
  open: boolean;
  over: boolean;
  lastUs: bigint;
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
  readonly #byKey = new Map<string, Conversation>();
  #count = 0;

  /** `dialled`: the server is the device; else the client is. */
  constructor(port: number, dialled: boolean, add: Add) {
    this.#port = port;
    this.#dialled = dialled;
    this.#add = add;
  }

  take(epochUs: bigint, segment: TcpSegment): void {
    const fromClient =
      segment.toPort === this.#port && !(segment.fromPort === this.#port && segment.syn && segment.ack);
    if (!fromClient && segment.fromPort !== this.#port) return;
    const from = `${segment.from}:${segment.fromPort}`;
    const to = `${segment.to}:${segment.toPort}`;
    const [client, server] = fromClient ? [from, to] : [to, from];
    const conversation = this.#of(epochUs, `${client} ${server}`, client, server, segment, fromClient);
    if (conversation === undefined) return;
    conversation.lastUs = epochUs;
    const side = fromClient ? conversation.client : conversation.server;
    const first = segment.syn ? (segment.seq + 1) >>> 0 : segment.seq;
    if (segment.syn) side.stream.begin(first);
    if (!fromClient && segment.syn) this.#opened(epochUs, conversation);
    if (segment.payload.length > 0) {
      this.#opened(epochUs, conversation);
      this.#tell(epochUs, conversation, fromClient, side.stream.push(first, segment.payload));
    }
    if (segment.rst) return this.#ended(epochUs, conversation, fromClient, 'link_reset');
    if (segment.fin) side.finSeen = true;
    if (conversation.client.finSeen && conversation.server.finSeen) {
      this.#ended(epochUs, conversation, fromClient, 'link_closed');
    }
  }

  /** The capture is over: what still waits for missing segments is told with its gaps. */
  finish(): void {
    for (const conversation of this.#byKey.values()) this.#flush(conversation.lastUs, conversation);
  }

  #of(
    epochUs: bigint,
    key: string,
    client: string,
    server: string,
    segment: TcpSegment,
    fromClient: boolean,
  ): Conversation | undefined {
    const known = this.#byKey.get(key);
    const begins = segment.syn && fromClient;
    if (known !== undefined && !(begins && known.isn !== segment.seq)) return known;
    // The last acknowledgements of a connection that is over begin no new one.
    if (!begins && segment.payload.length === 0) return undefined;
    if (known !== undefined) this.#flush(epochUs, known);
    const side = (): Side => ({ stream: new TcpStream(), finSeen: false });
    const made: Conversation = {
      name: `c${++this.#count}`,
      isn: begins ? segment.seq : undefined,
      client: side(),
      server: side(),
      serverAddress: server,
      clientAddress: client,
      open: false,
      over: false,
      lastUs: epochUs,
    };
    this.#byKey.set(key, made);
    if (begins && this.#dialled) this.#add(epochUs, made.name, life('dial', server));
    return made;
  }

  #opened(epochUs: bigint, conversation: Conversation): void {
    if (conversation.open || conversation.over) return;
    conversation.open = true;
    const peer = this.#dialled ? conversation.serverAddress : conversation.clientAddress;
    this.#add(epochUs, conversation.name, life('open', peer));
  }

  #tell(epochUs: bigint, { name }: Conversation, fromClient: boolean, parts: readonly StreamPart[]): void {
    const kind = fromClient === this.#dialled ? 'out' : 'in';
    for (const part of parts) {
      if (part.kind === 'bytes') this.#add(epochUs, name, { kind, bytes: part.bytes });
      else
        this.#add(epochUs, name, {
          kind: 'note',
          text: `${part.bytes} bytes ${kind === 'in' ? 'from' : 'to'} the peer are missing from the capture`,
        });
    }
  }

  #ended(epochUs: bigint, conversation: Conversation, fromClient: boolean, code: string): void {
    if (conversation.over) return;
    this.#flush(epochUs, conversation);
    conversation.over = true;
    const byPeer = fromClient !== this.#dialled;
    if (conversation.open) {
      const how = code === 'link_reset' ? 'reset' : 'closed';
      const peer = this.#dialled ? conversation.serverAddress : conversation.clientAddress;
      this.#add(
        epochUs,
        conversation.name,
        life(
          'close',
          byPeer || code === 'link_closed'
            ? `${code} ${peer} ${how} the link.`
            : `link_ended We ${how} the link.`,
        ),
      );
    } else if (this.#dialled) {
      this.#add(
        epochUs,
        conversation.name,
        life('error', `connect_refused Nothing listens at ${conversation.serverAddress}.`),
      );
    }
  }

  #flush(epochUs: bigint, conversation: Conversation): void {
    this.#tell(epochUs, conversation, true, conversation.client.stream.finish());
    this.#tell(epochUs, conversation, false, conversation.server.stream.finish());
  }
}
