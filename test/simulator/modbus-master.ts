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
    for (let turn = 0; turn < 40 && got.length === 0; turn++)
      await new Promise((done) => setTimeout(done, 10));
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
