import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** The checksum of Modbus RTU, by its specification; shares no code with Heartwire. */
export function withCrc(bytes: readonly number[]): Uint8Array {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return Uint8Array.from([...bytes, crc & 0xff, crc >> 8]);
}

/** How long a reply may take. */
const REPLY_MS = 400;

/** A master in a few lines: asks in RTU frames over TCP, one after the other. */
export class ModbusMaster implements AsyncDisposable {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async dial(port: number): Promise<ModbusMaster> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new ModbusMaster(socket);
  }

  /** The reply without its checksum, as hex; `nothing` where none comes. */
  async ask(...bytes: readonly number[]): Promise<string> {
    const got: Buffer[] = [];
    const take = (chunk: Buffer): void => void got.push(chunk);
    this.#socket.on('data', take);
    this.#socket.write(withCrc(bytes));
    // Where none comes, the wait is given up.
    await once(this.#socket, 'data', { signal: AbortSignal.timeout(REPLY_MS) }).catch(() => undefined);
    this.#socket.off('data', take);
    const reply = [...Buffer.concat(got)];
    if (reply.length === 0) return 'nothing';
    const content = reply.slice(0, -2);
    if (Buffer.compare(withCrc(content), Buffer.from(reply)) !== 0)
      return `bad crc: ${Buffer.from(reply).toString('hex')}`;
    return Buffer.from(content).toString('hex');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.destroy();
    await closed;
  }
}
