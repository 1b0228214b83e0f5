import type { Socket } from 'node:net';
import { JsonScanner } from '../../feed/wire/json-scan.ts';
import type { Clock } from '../clock.ts';
import type { Carrier } from './connection.ts';
import { endSocket } from './end-socket.ts';

/** What the other side of a TCP connection said. */
export interface JsonLinesSink {
  text(text: string): void;
  /** More bytes than a message may have. */
  tooLarge(): void;
  notUtf8(): void;
  /** It begins with something that is no object: whoever this is, it does not speak the protocol. */
  foreign(): void;
}

export interface JsonLinesCarrierOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  readonly closeTimeoutMs: number;
}

/** JSON objects over plain TCP. There is no ping below the level of messages, and the end needs no handshake. */
export class JsonLinesCarrier implements Carrier {
  readonly pingFrame = undefined;
  readonly answersPings = false;
  readonly #options: JsonLinesCarrierOptions;
  readonly #scanner: JsonScanner;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #sink: JsonLinesSink | undefined;
  #paused = false;
  #reading = false;
  #ended = false;

  constructor(options: JsonLinesCarrierOptions) {
    this.#options = options;
    this.#scanner = new JsonScanner(options.maxMessageBytes);
  }

  get open(): boolean {
    return !this.#ended && this.#options.socket.writable;
  }

  /** From now on what arrives goes to the sink. */
  start(sink: JsonLinesSink): void {
    this.#sink = sink;
    this.#options.socket.on('data', (chunk) => {
      if (this.#ended) return;
      this.#scanner.push(chunk);
      this.#read();
    });
  }

  pause(): void {
    this.#paused = true;
    this.#options.socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#read();
    if (!this.#paused) this.#options.socket.resume();
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { socket, clock, closeTimeoutMs } = this.#options;
    // What still comes is not heard, but must be read for the end behind it to be seen.
    socket.resume();
    endSocket(socket, clock, closeTimeoutMs);
  }

  /** Goes on with what has arrived, up to where the connection is paused or over. */
  #read(): void {
    // What one message brings about may pause and resume this connection.
    if (this.#reading) return;
    this.#reading = true;
    while (!this.#paused && !this.#ended) {
      const found = this.#scanner.next();
      if (found === undefined) break;
      switch (found.kind) {
        case 'text':
          this.#tell(found.bytes);
          break;
        case 'too_large':
          this.#sink?.tooLarge();
          this.#ended = true;
          break;
        case 'foreign':
          this.#sink?.foreign();
          this.#ended = true;
          break;
      }
    }
    this.#reading = false;
  }

  #tell(bytes: Uint8Array): void {
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch {
      // A fatal decoder throws for one reason only.
      this.#sink?.notUtf8();
      return;
    }
    this.#sink?.text(text);
  }
}
