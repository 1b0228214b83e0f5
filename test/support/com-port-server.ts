import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What a scripted server does otherwise than the standard says. */
export interface ComPortScript {
  /** The answer to a setting, by its command; undefined: as asked. */
  readonly answers?: Readonly<Record<number, readonly number[] | 'none'>>;
  /** How it takes offers, by verb and option, as `fd00`; `none`: not at all. */
  readonly negotiates?: Readonly<Record<string, readonly number[] | 'none'>>;
  /** Sent as soon as a client is there. */
  readonly greeting?: Uint8Array;
}

/** A serial server with RFC 2217 that shares no code with ours: each byte is looked at by itself. */
export class ComPortServer {
  readonly #server: Server;
  readonly #script: ComPortScript;
  readonly sockets: Socket[] = [];
  /** The settings asked for: command, then bytes. */
  readonly orders: number[][] = [];
  readonly #line: number[] = [];
  #pending: number[] = [];

  constructor(script: ComPortScript = {}) {
    this.#script = script;
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      if (script.greeting !== undefined) socket.write(script.greeting);
      socket.on('data', (chunk) => {
        this.#pending.push(...chunk);
        this.#take(socket);
      });
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port; // A listening TCP server has an address of this kind.
  }

  received(): Buffer {
    return Buffer.from(this.#line);
  }

  write(bytes: Uint8Array): void {
    this.sockets[0]?.write(Buffer.from([...bytes].flatMap((byte) => (byte === 255 ? [255, 255] : [byte]))));
  }

  /** Sends something of the option by itself. */
  notify(code: number, ...bytes: number[]): void {
    this.sockets[0]?.write(Buffer.from([255, 250, 44, code, ...bytes, 255, 240]));
  }

  async close(): Promise<void> {
    for (const each of this.sockets) each.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(socket: Socket): void {
    let at = 0;
    const bytes = this.#pending;
    while (at < bytes.length) {
      const byte = bytes[at] ?? 0;
      if (byte !== 255) {
        this.#line.push(byte);
        at += 1;
        continue;
      }
      const next = bytes[at + 1];
      if (next === undefined) break;
      if (next === 255) {
        this.#line.push(255);
        at += 2;
      } else if (next === 250) {
        const end = this.#endOf(at + 2);
        if (end === undefined) break;
        this.#ordered(socket, bytes.slice(at + 2, end));
        at = end + 2;
      } else {
        const option = bytes[at + 2];
        if (option === undefined) break;
        this.#offered(socket, next, option);
        at += 3;
      }
    }
    this.#pending = bytes.slice(at);
  }

  #endOf(from: number): number | undefined {
    for (let at = from; at + 1 < this.#pending.length; at += 1) {
      if (this.#pending[at] !== 255) continue;
      if (this.#pending[at + 1] === 240) return at;
      at += 1;
    }
    return undefined;
  }

  #offered(socket: Socket, verb: number, option: number): void {
    const key = Buffer.from([verb, option]).toString('hex');
    const said = this.#script.negotiates?.[key];
    if (said === 'none') return;
    const yes = verb === 251 ? 253 : 251;
    if (said !== undefined) socket.write(Buffer.from(said));
    else if (verb === 251 || verb === 253) socket.write(Buffer.from([255, yes, option]));
  }

  #ordered(socket: Socket, escaped: readonly number[]): void {
    const [option, command = 0, ...bytes] = escaped.filter(
      (byte, at) => !(byte === 255 && escaped[at - 1] === 255),
    );
    if (option !== 44) return;
    this.orders.push([command, ...bytes]);
    const answer = this.#script.answers?.[command] ?? bytes;
    if (answer === 'none') return;
    const body = answer.flatMap((byte) => (byte === 255 ? [255, 255] : [byte]));
    socket.write(Buffer.from([255, 250, 44, command + 100, ...body, 255, 240]));
  }
}
