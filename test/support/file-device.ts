import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A device that takes and sends files in chunks, written by hand against the bytes; its link is cut when wanted. */
export class FileDevice implements AsyncDisposable {
  readonly #server: Server;
  #socket: Socket | undefined;
  /** Fulfilled once the present link is lost, however that happens. */
  #lost: Promise<undefined> = Promise.resolve(undefined);
  #held = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  /** Acknowledged chunks of ours, and who waits for the next acknowledgement. */
  #acknowledged: ((error: number) => void) | undefined;
  /** Called with every chunk that came, before it is answered; true cuts the link instead of answering. */
  cut: (index: number) => boolean = () => false;
  /** Every payload that came, and the error codes that messages are answered with, by id. */
  readonly received: Buffer[] = [];
  readonly errors = new Map<number, number>();
  links = 0;
  repeated = 0;

  constructor() {
    this.#server = createServer((socket) => {
      this.links += 1;
      this.#socket = socket;
      this.#held = Buffer.alloc(0);
      socket.setNoDelay(true);
      socket.on('data', (bytes) => this.#read(socket, bytes));
      socket.on('error', () => undefined);
      this.#lost = new Promise((resolve) => {
        socket.on('close', () => {
          if (this.#socket === socket) this.#socket = undefined;
          resolve(undefined);
        });
      });
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port; // A listening TCP server has an address of this kind.
  }

  get sha256(): string {
    const hash = createHash('sha256');
    for (const chunk of this.#chunks) hash.update(chunk);
    return hash.digest('hex');
  }

  hangUp(): void {
    this.#socket?.destroy();
  }

  /** Sends one chunk, and waits for what the bridge says of it; undefined where the link was lost. */
  async send(chunk: Buffer): Promise<number | undefined> {
    const socket = this.#socket;
    if (socket === undefined) return undefined;
    const answered = new Promise<number>((resolve) => {
      this.#acknowledged = resolve;
    });
    socket.write(framed(chunk));
    return Promise.race([answered, this.#lost]);
  }

  #read(socket: Socket, bytes: Buffer): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    while (this.#held.length >= 4 && this.#held.length >= 4 + this.#held.readUInt32BE(0)) {
      const end = 4 + this.#held.readUInt32BE(0);
      const payload = this.#held.subarray(4, end);
      this.#held = this.#held.subarray(end);
      this.#answer(socket, payload);
    }
  }

  #answer(socket: Socket, payload: Buffer): void {
    const id = payload.readInt8(0);
    this.received.push(Buffer.from(payload));
    if (this.received.length > 1_000) this.received.shift();
    if (id === 0x20 && payload.length === 2) {
      const waiting = this.#acknowledged;
      this.#acknowledged = undefined;
      waiting?.(payload.readInt8(1));
      return;
    }
    if (id === 0x20) {
      const index = payload.readUInt32BE(3);
      if (index < this.#chunks.length) this.repeated += 1;
      if (index > this.#chunks.length) return void socket.write(framed(Buffer.from([id, 0xff])));
      this.#chunks[index] = Buffer.from(payload.subarray(13, 13 + payload.readUInt16BE(11)));
      if (this.cut(index)) return void socket.destroy();
    }
    if (payload.length === 2) return;
    const reply = Buffer.from([id, 0]);
    reply.writeInt8(this.errors.get(id) ?? 0, 1);
    socket.write(framed(reply));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function framed(payload: Buffer): Buffer {
  const frame = Buffer.alloc(4 + payload.length);
  frame.writeUInt32BE(payload.length);
  payload.copy(frame, 4);
  return frame;
}
