import type { ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, Ring, type Timer } from '../../system/index.ts';

/** Bytes of one connection that are read as requests in one turn of the loop: some eighty of the shortest. */
const SLICE_BYTES = 2_048;

/**
 * Gives each connection one request a turn of the loop, in the order in which the requests came. A pipelined request
 * waits until the one before it is answered, and so do the bytes behind it: they are not read as requests before.
 */
export class RequestTurns {
  readonly #connections = new WeakMap<Duplex, Pipeline>();
  readonly #clock: Clock;
  readonly #idleMs: number;

  /** A connection ends when its peer takes nothing of an answer for `idleMs`. */
  constructor(clock: Clock, idleMs: number) {
    this.#clock = clock;
    this.#idleMs = idleMs;
  }

  /** Paces every connection of a server; `event` is the one with which it begins to read a connection. */
  pace(server: Server, event: 'connection' | 'secureConnection'): void {
    const [begin] = server.listeners(event).filter((each) => typeof each === 'function');
    if (begin === undefined) return;
    // The listeners are all functions; what they take is a socket.
    server.removeListener(event, begin as (socket: Socket) => void);
    server.prependListener(event, (socket: Socket) => {
      const ends = new Set(socket.listeners('end'));
      begin.call(server, socket);
      const [parse] = socket.listeners('data');
      const end = socket.listeners('end').find((each) => !ends.has(each));
      if (parse === undefined || end === undefined) return;
      this.#connections.set(
        socket,
        new Pipeline(socket, parse as Parser, end as () => void, this.#clock, this.#idleMs),
      );
    });
  }

  /** Answers a request in its turn. The next one has its turn when `response` is closed. */
  answer(socket: Duplex, response: ServerResponse, act: () => void): void {
    const pipeline = this.#connections.get(socket);
    if (pipeline === undefined) return act();
    pipeline.enter(() => {
      response.once('close', () => pipeline.leave());
      act();
    });
  }

  /** What is answered now is a stream: it ends when the other side has nothing more to say. */
  streams(socket: Duplex): void {
    this.#connections.get(socket)?.stream();
  }

  /** Hands a connection over when all that it asked for before is answered, with the bytes that were not read yet. */
  handOver(socket: Duplex, head: Buffer, act: (head: Buffer) => void): void {
    const pipeline = this.#connections.get(socket);
    if (pipeline === undefined) return act(head);
    pipeline.handOver(head, act);
  }
}

type Parser = (this: Socket, chunk: Buffer) => void;

/** The requests of one connection. */
class Pipeline {
  readonly #socket: Socket;
  readonly #parse: Parser;
  readonly #end: () => void;
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #waiting = new Ring<() => void>();
  readonly #unread = new Ring<Buffer>();
  #ended = false;
  /** A request is being answered, or the turn in which one was is not over. */
  #busy = false;
  #paused = false;
  #streaming = false;
  #watch: Timer | undefined;
  #unwatched = false;

  constructor(socket: Socket, parse: Parser, end: () => void, clock: Clock, idleMs: number) {
    this.#socket = socket;
    this.#parse = parse;
    this.#end = end;
    this.#clock = clock;
    this.#idleMs = idleMs;
    socket.once('close', () => this.#stopWatch());
    socket.on('data', this.#received);
    socket.removeListener('data', parse);
    socket.on('end', this.#received);
    socket.removeListener('end', end);
  }

  enter(act: () => void): void {
    if (!this.#busy) {
      this.#busy = true;
      act();
      this.#watchAnswer();
    } else this.#waiting.push(act);
  }

  leave(): void {
    if (this.#waiting.length > 0 || this.#unread.length > 0) setImmediate(this.#turn);
    else this.#turn();
  }

  stream(): void {
    this.#streaming = true;
    this.#stopWatch();
    if (this.#ended) this.#end.call(this.#socket);
  }

  handOver(head: Buffer, act: (head: Buffer) => void): void {
    const socket = this.#socket;
    const rest = Buffer.concat([head, ...this.#unread]);
    this.#unread.clear();
    this.#ended = this.#paused = false;
    socket.removeListener('data', this.#received);
    socket.removeListener('end', this.#received);
    if (!this.#busy) {
      this.#stopWatch();
      return act(rest);
    }
    const failed = (): void => void socket.destroy();
    socket.on('error', failed);
    socket.on('timeout', failed);
    this.#waiting.push(() => {
      socket.removeListener('error', failed);
      socket.removeListener('timeout', failed);
      this.#stopWatch();
      act(rest);
    });
  }

  readonly #received = (chunk?: Buffer): void => {
    if (chunk === undefined) this.#ended = true;
    else
      for (let at = 0; at < chunk.length; at += SLICE_BYTES)
        this.#unread.push(chunk.subarray(at, at + SLICE_BYTES));
    if (!this.#busy) this.#next();
    else if (chunk !== undefined) this.#hold();
    else if (this.#streaming) this.#end.call(this.#socket);
  };

  readonly #turn = (): void => {
    this.#busy = false;
    this.#next();
  };

  #next(): void {
    if (!this.#socket.writable) {
      // It was ended with an answer, or is gone: nothing behind that is answered.
      this.#waiting.clear();
      this.#unread.clear();
      return;
    }
    const act = this.#waiting.shift();
    if (act !== undefined) {
      this.enter(act);
      return;
    }
    const slice = this.#unread.shift();
    if (slice === undefined) {
      this.#release();
      if (this.#ended) this.#end.call(this.#socket);
      return;
    }
    this.#parse.call(this.#socket, slice);
    if (this.#unread.length === 0) return this.#busy ? undefined : this.#next();
    this.#hold();
    if (this.#busy) return;
    // The slice held no whole request.
    this.#busy = true;
    setImmediate(this.#turn);
  }

  /**
   * Ends the connection when nothing of what is to be sent was taken since the last look. The socket's own idle
   * time-out does not do: each byte that the peer sends starts it again.
   */
  #watchAnswer(): void {
    if (this.#watch !== undefined || this.#unwatched) return;
    const before = this.#taken();
    this.#watch = this.#clock.setTimer(this.#clock.now().monoMs + this.#idleMs, () => {
      this.#watch = undefined;
      if (this.#socket.writableLength > 0 && this.#taken() === before) this.#socket.destroy();
      else if (this.#busy || this.#socket.writableLength > 0) this.#watchAnswer();
    });
  }

  /** The connection is gone, or its new owner watches it. */
  #stopWatch(): void {
    this.#unwatched = true;
    this.#watch?.cancel();
  }

  /** Bytes that the system has taken to send. */
  #taken(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** What comes meanwhile stays in the socket, and the other side is slowed down. */
  #hold(): void {
    this.#paused = true;
    // The server pauses and resumes it too, by how much it has to send.
    if (!this.#socket.isPaused()) this.#socket.pause();
  }

  #release(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }
}
