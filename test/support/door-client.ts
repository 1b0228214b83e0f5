import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ServerMessage } from '../../src/contract/feed/server-messages.ts';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import type { TransportName } from '../../src/feed/hub/transport.ts';
import { FeedView } from './feed-view.ts';

export const DOORS: readonly TransportName[] = ['websocket', 'json_lines', 'sse'];

/** Where both are: the port of HTTP, and that of JSON lines. */
export interface DoorPorts {
  readonly port: number;
  readonly linesPort: number;
}

/** What reads one transport from bytes; keeps what is not whole yet. */
type Reader = (bytes: Buffer) => void;

const SUBSCRIBE_ID = 'all';

/**
 * A subscriber over any transport by nothing but a socket, so that it may say and leave out whatever it likes. It
 * follows the client's rule with what it reads.
 */
export class DoorClient {
  readonly door: TransportName;
  readonly socket: Socket;
  readonly view = new FeedView();
  readonly messages: ServerMessage[] = [];
  readonly closed: Promise<void>;
  /** Of the close frame of a WebSocket. */
  closeCode: number | undefined;
  /** Of HTTP. */
  head = '';
  /** Of WebSocket, and JSON. */
  pings = 0;
  pongs = 0;
  comments = 0;
  /** Whether it answers JSON pings; those of WebSocket it answers always. */
  answers = false;
  readonly #read: Reader;

  private constructor(door: TransportName, socket: Socket) {
    this.door = door;
    this.socket = socket;
    const readers: Readonly<Record<TransportName, Reader>> = {
      websocket: this.#behindHead(this.#frames()),
      json_lines: splitAt('\n', (line) => this.#take(line)),
      sse: this.#behindHead(splitAt('\n\n', (block) => this.#event(block))),
    };
    this.#read = readers[door];
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    // A reset is one of the ways in which the server may end it.
    socket.on('error', () => socket.destroy());
    this.closed = once(socket, 'close').then(() => undefined);
  }

  /** Connects, and says nothing but what its transport wants said before there is a welcome. */
  static knock(door: TransportName, ports: DoorPorts, topics: readonly string[] = ['#']): DoorClient {
    const port = door === 'json_lines' ? ports.linesPort : ports.port;
    const client = new DoorClient(door, connect({ port, host: '127.0.0.1', noDelay: true }));
    if (door === 'websocket') client.socket.write(request('/ws', UPGRADE));
    if (door === 'json_lines') client.socket.write('\n');
    if (door === 'sse') {
      client.view.subscribing('', topics);
      client.socket.write(request(`/api/feed?topics=${topics.map(encodeURIComponent).join(',')}`));
    }
    return client;
  }

  /** One that follows everything, and has been told all that there is. */
  static async follow(
    door: TransportName,
    ports: DoorPorts,
    topics: readonly string[] = ['#'],
  ): Promise<DoorClient> {
    const client = DoorClient.knock(door, ports, topics);
    await client.until(() => client.types.includes('welcome'));
    if (door !== 'sse') {
      client.view.subscribing(SUBSCRIBE_ID, topics);
      client.say({ type: 'subscribe', id: SUBSCRIBE_ID, topics: [...topics] });
    }
    await client.until(() => client.types.includes('synced'));
    return client;
  }

  /** It was answered with a status that is an error; what comes with it is no message. */
  get refused(): boolean {
    return /^HTTP\/1\.1 [45]/.test(this.head);
  }

  /** As it was welcomed; empty before. */
  get clientId(): string {
    const [first] = this.messages;
    return first?.type === 'welcome' ? first.payload.client_id : '';
  }

  get types(): readonly string[] {
    return this.messages.map(({ type }) => type);
  }

  /** How it was told that the connection ends; undefined where it was not. */
  get closing(): Extract<ServerMessage, { type: 'closing' }>['payload'] | undefined {
    const last = this.messages.at(-1);
    return last?.type === 'closing' ? last.payload : undefined;
  }

  /** A message, or any text that stands where one should. */
  say(message: JsonObject | string): void {
    this.sayBytes(Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)));
  }

  sayBytes(text: Uint8Array): void {
    if (this.door === 'websocket') this.frame(0x81, text);
    else this.socket.write(Buffer.concat([text, Buffer.from('\n')]));
  }

  /** One masked frame (the mask is zero); `head` is FIN and opcode, `claimed` the length that it says. */
  frame(head: number, payload: Uint8Array, claimed = payload.length): void {
    const length =
      claimed < 126
        ? Buffer.of(0x80 | claimed)
        : claimed < 65_536
          ? Buffer.of(0xfe, claimed >> 8, claimed & 255)
          : Buffer.concat([Buffer.of(0xff), bigEndian(claimed)]);
    this.socket.write(Buffer.concat([Buffer.of(head), length, Buffer.alloc(4), payload]));
  }

  /** Resolves once something is so, looked at whenever something has come; rejects where the connection ends before. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.socket.closed) throw new Error(`${this.door} ended before; ${this.types.join()} ${this.head}`);
      await Promise.race([once(this.socket, 'data'), this.closed]);
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #behindHead(body: Reader): Reader {
    return (bytes) => {
      if (this.head.endsWith('\r\n\r\n')) return this.refused ? undefined : body(bytes);
      this.head += bytes.toString('latin1');
      const end = this.head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const rest = Buffer.from(this.head.slice(end + 4), 'latin1');
      this.head = this.head.slice(0, end + 4);
      if (rest.length > 0 && !this.refused) body(rest);
    };
  }

  #frames(): Reader {
    let rest: Buffer = Buffer.alloc(0);
    return (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      for (;;) {
        const short = rest[1] ?? 0;
        const headLength = short === 127 ? 10 : short === 126 ? 4 : 2;
        if (rest.length < headLength) return;
        const length =
          short === 127 ? Number(rest.readBigUInt64BE(2)) : short === 126 ? rest.readUInt16BE(2) : short;
        if (rest.length < headLength + length) return;
        const payload = rest.subarray(headLength, headLength + length);
        this.#frame(rest[0] ?? 0, payload);
        rest = rest.subarray(headLength + length);
      }
    };
  }

  #frame(head: number, payload: Buffer): void {
    if (head === 0x81) this.#take(payload.toString());
    else if (head === 0x89) {
      this.pings++;
      this.frame(0x8a, payload);
    } else if (head === 0x8a) this.pongs++;
    else if (head === 0x88) {
      this.closeCode = payload.readUInt16BE(0);
      this.frame(0x88, payload.subarray(0, 2));
    } else throw new Error(`an unexpected frame ${head}`);
  }

  #event(block: string): void {
    if (block === ': heartbeat') this.comments++;
    const [, data] = /^data: (.*)$/m.exec(block) ?? [];
    if (data !== undefined) this.#take(data);
  }

  #take(text: string): void {
    // What a server sends is JSON.
    const message = JSON.parse(text) as ServerMessage;
    this.messages.push(message);
    this.view.receive(message);
    if (message.type !== 'ping') return;
    this.pings++;
    if (this.answers) this.say({ type: 'pong' });
  }
}

const UPGRADE =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

function request(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n`;
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** Tells what stands between two ends; texts of a server are UTF-8 without either end inside. */
function splitAt(end: string, tell: (text: string) => void): Reader {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (let at = rest.indexOf(end); at >= 0; at = rest.indexOf(end)) {
      const text = rest.subarray(0, at).toString();
      rest = rest.subarray(at + end.length);
      if (text !== '') tell(text);
    }
  };
}
