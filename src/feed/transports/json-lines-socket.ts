import type { Socket } from 'node:net';
import { JsonScanner } from '../../contract/feed/index.ts';
import type { Clock } from '../../system/index.ts';
import { endSocket, type TransportSocket } from '../hub/connection.ts';

/** Receives what a TCP client sent. */
export interface JsonLinesSink {
  /** `lines`: its first object had a newline behind it, or an empty line before it. */
  text(text: string, lines: boolean): void;
  /** The same, of a newline behind which nothing follows yet. */
  newline(): void;
  /** More bytes than a message may have. */
  tooLarge(): void;
  notUtf8(): void;
  /** Its first bytes are no object: it does not speak this protocol. */
  foreign(): void;
  /** The peer sends nothing more, and all that it sent was delivered. It may still read. */
  peerEnded(): void;
}

export interface JsonLinesSocketOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  readonly closeTimeoutMs: number;
}

/** How long messages that came together may take of one turn of the loop. */
const TURN_MS = 4;

type Found =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'not_utf8' | 'too_large' | 'foreign' };

/** JSON objects over plain TCP. There is no ping below the level of messages, and the end needs no handshake. */
export class JsonLinesSocket implements TransportSocket {
  readonly pingFrame = undefined;
  readonly answersPings = false;
  readonly #options: JsonLinesSocketOptions;
  readonly #scanner: JsonScanner;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #sink: JsonLinesSink | undefined;
  /** A message that waits for the next turn of the loop. */
  #next: Found | undefined;
  #turn: NodeJS.Immediate | undefined;
  #paused = false;
  #reading = false;
  #ended = false;
  #peerEnded = false;

  constructor(options: JsonLinesSocketOptions) {
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
    this.#options.socket.on('end', () => {
      this.#peerEnded = true;
      this.#readOn();
    });
  }

  pause(): void {
    this.#paused = true;
    this.#options.socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#readOn();
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { socket, clock, closeTimeoutMs } = this.#options;
    // Later bytes are ignored, but must be read so that the end behind them is seen.
    socket.resume();
    endSocket(socket, clock, closeTimeoutMs);
  }

  #readOn(): void {
    this.#read();
    if (this.#paused || this.#turn !== undefined) return;
    if (!this.#peerEnded) this.#options.socket.resume();
    else if (!this.#ended) this.#sink?.peerEnded();
  }

  /** Delivers what has arrived, until the connection is paused or over; a client with very much waits for the others. */
  #read(): void {
    // A message may pause and resume this connection.
    if (this.#reading || this.#turn !== undefined) return;
    this.#reading = true;
    const { clock } = this.#options;
    const endsAtMs = clock.now().monoMs + TURN_MS;
    while (!this.#paused && !this.#ended) {
      const found = this.#next ?? this.#scan();
      this.#next = undefined;
      if (found === undefined) break;
      if (clock.now().monoMs <= endsAtMs) this.#deliver(found);
      else {
        this.#next = found;
        this.#waitForTurn();
        break;
      }
    }
    if (this.#scanner.lines && !this.#ended) this.#sink?.newline();
    this.#reading = false;
  }

  #waitForTurn(): void {
    this.#options.socket.pause();
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      if (!this.#paused && !this.#ended) this.#readOn();
    });
  }

  #scan(): Found | undefined {
    const found = this.#scanner.next();
    if (found?.kind !== 'text') return found;
    try {
      return { kind: 'text', text: this.#decoder.decode(found.bytes) };
    } catch {
      // A fatal decoder throws for one reason only.
      return { kind: 'not_utf8' };
    }
  }

  #deliver(found: Found): void {
    switch (found.kind) {
      case 'text':
        this.#sink?.text(found.text, this.#scanner.lines);
        return;
      case 'not_utf8':
        this.#sink?.notUtf8();
        return;
      case 'too_large':
        this.#sink?.tooLarge();
        this.#ended = true;
        return;
      case 'foreign':
        this.#sink?.foreign();
        this.#ended = true;
        return;
    }
  }
}
