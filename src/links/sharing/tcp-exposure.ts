import { createServer, type Server, type Socket } from 'node:net';
import { plainAddress } from '../../system/index.ts';
import { formatHostPort } from '../address.ts';
import { listeningHost } from '../names/name-resolver.ts';
import { ComPortServer } from '../rfc2217/com-port-server.ts';
import type { SerialSettings } from '../serial-address.ts';
import { listenEnd } from '../tcp-end.ts';
import type { ExposeAddress, Exposure, ExposureHandlers, Program } from './exposure.ts';

/** Programs at one address at once. */
const MOST_PROGRAMS = 8;
/** What a program has not read; one with more is cut off. */
const MOST_UNREAD_BYTES = 256 * 1024;

/** A port of this machine that is the device's: raw bytes, or RFC 2217. */
export class TcpExposure implements Exposure {
  readonly #address: Extract<ExposeAddress, { kind: 'tcp' | 'rfc2217' }>;
  readonly #settings: SerialSettings | undefined;
  readonly #handlers: ExposureHandlers;
  readonly #sockets = new Map<Socket, string>();
  #server: Server | undefined;
  #over = false;

  /** `settings` are those of the line, where the bridge knows them. */
  constructor(
    address: Extract<ExposeAddress, { kind: 'tcp' | 'rfc2217' }>,
    settings: SerialSettings | undefined,
    handlers: ExposureHandlers,
  ) {
    this.#address = address;
    this.#settings = settings;
    this.#handlers = handlers;
  }

  start(): void {
    const { host, port, kind } = this.#address;
    const server = createServer({ noDelay: true }, (socket) => this.#joined(socket));
    this.#server = server;
    server.on('error', (error) => this.#failed(error));
    server.on('listening', () => {
      const bound = server.address();
      const taken = bound !== null && typeof bound === 'object' ? bound.port : port;
      if (this.#over) server.close();
      else this.#handlers.opened(`${kind} ${formatHostPort(host, taken)}`);
    });
    void listeningHost(host).then(
      (address) => {
        if (!this.#over) server.listen({ host: address, port });
      },
      (error: unknown) => this.#failed(error),
    );
  }

  stop(): void {
    this.#over = true;
    this.#server?.close();
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  programs(): readonly string[] {
    return [...this.#sockets.values()];
  }

  #failed(error: unknown): void {
    if (this.#over) return;
    const { host, port } = this.#address;
    this.#server?.close();
    this.#handlers.failed(listenEnd(error, formatHostPort(host, port), port));
  }

  #joined(socket: Socket): void {
    const name = formatHostPort(plainAddress(socket.remoteAddress ?? ''), socket.remotePort ?? 0);
    socket.on('error', () => undefined);
    if (this.#over || this.#sockets.size >= MOST_PROGRAMS) {
      socket.destroy();
      return;
    }
    this.#sockets.set(socket, name);
    const send = (bytes: Uint8Array): void => {
      if (socket.writableLength > MOST_UNREAD_BYTES) socket.destroy();
      else socket.write(bytes);
    };
    const said = (bytes: Uint8Array): void => {
      if (!this.#handlers.said(program, bytes)) socket.pause();
    };
    const line =
      this.#address.kind === 'rfc2217'
        ? new ComPortServer(this.#settings, { send, data: said })
        : { push: said, write: send };
    const program: Program = {
      name,
      readOnly: this.#address.readOnly,
      write: (bytes) => line.write(bytes),
      resume: () => void socket.resume(),
    };
    socket.on('data', (chunk) => line.push(chunk));
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#handlers.left(program);
    });
    this.#handlers.joined(program);
  }
}
