import type { ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, Ring, type Timer } from '../../system/index.ts';

/** Bytes of one connection that are read at once at most, where the end of no request's head is in them. */
const SLICE_BYTES = 2_048;
/** Where the head of a request ends, and with it the request where it has no body. */
const END_OF_HEAD = Buffer.from('\r\n\r\n');
/** Pipelined requests of all connections together hold one turn of the loop for so long; the last one may take longer. */
const TURN_MS = 1;

/**
 * Gives each connection one request a turn of the loop, in the order in which the requests came. A pipelined request
 * waits until the one before it is answered, and so do the bytes behind it: they are not read as requests before.
 * Connections with pipelined requests have their turn one after the other, as many in one turn of the loop as its
 * share of time allows.
 */
export class RequestTurns {
  readonly #connections = new WeakMap<Duplex, Pipeline>();
  readonly #queue = new TurnQueue();
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
        new Pipeline(socket, parse as Parser, end as () => void, this.#queue, this.#clock, this.#idleMs),
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

/** Connections that wait for their turn. */
class TurnQueue {
  readonly #waiting = new Ring<() => void>();
  #scheduled = false;

  /** Calls `turn` in a later turn of the loop, behind those that wait already. */
  add(turn: () => void): void {
    this.#waiting.push(turn);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#some);
  }

  /** What is added meanwhile waits for the next turn of the loop. */
  readonly #some = (): void => {
    const endMs = performance.now() + TURN_MS;
    let count = this.#waiting.length;
    const one = (): void => {
      this.#waiting.shift()?.();
      // What the answer leads to in promises belongs to it, and counts.
      if (--count > 0) queueMicrotask(() => process.nextTick(next));
      else this.#more();
    };
    const next = (): void => (performance.now() < endMs ? one() : this.#more());
    one();
  };

  #more(): void {
    this.#scheduled = this.#waiting.length > 0;
    if (this.#scheduled) setImmediate(this.#some);
  }
}

type Parser = (this: Socket, chunk: Buffer) => void;

/** What a connection has read and not parsed yet. */
class Unread {
  readonly #chunks = new Ring<Buffer>();
  /** The rest of the chunk that is being parsed. */
  #rest: Buffer | undefined;

  get empty(): boolean {
    return this.#rest === undefined && this.#chunks.length === 0;
  }

  push(chunk: Buffer): void {
    if (chunk.length > 0) this.#chunks.push(chunk);
  }

  /** What is parsed at once: up to the end of a head, so that it is one request, and little more than its head. */
  shift(): Buffer | undefined {
    const rest = this.#rest ?? this.#chunks.shift();
    if (rest === undefined) return undefined;
    const end = rest.subarray(0, SLICE_BYTES).indexOf(END_OF_HEAD);
    const next = end < 0 ? SLICE_BYTES : end + END_OF_HEAD.length;
    this.#rest = next < rest.length ? rest.subarray(next) : undefined;
    return rest.subarray(0, next);
  }

  /** All of it. */
  take(): Buffer {
    const all = Buffer.concat([this.#rest ?? Buffer.alloc(0), ...this.#chunks]);
    this.clear();
    return all;
  }

  clear(): void {
    this.#rest = undefined;
    this.#chunks.clear();
  }
}

/** The requests of one connection. */
class Pipeline {
  readonly #socket: Socket;
  readonly #parse: Parser;
  readonly #end: () => void;
  readonly #queue: TurnQueue;
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #waiting = new Ring<() => void>();
  readonly #unread = new Unread();
  #ended = false;
  /** A request is being answered, or the turn in which one was is not over. */
  #busy = false;
  #paused = false;
  #streaming = false;
  #watch: Timer | undefined;
  #unwatched = false;

  constructor(
    socket: Socket,
    parse: Parser,
    end: () => void,
    queue: TurnQueue,
    clock: Clock,
    idleMs: number,
  ) {
    this.#socket = socket;
    this.#parse = parse;
    this.#end = end;
    this.#queue = queue;
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
    if (this.#waiting.length > 0 || !this.#unread.empty) this.#queue.add(this.#turn);
    else this.#turn();
  }

  stream(): void {
    this.#streaming = true;
    this.#stopWatch();
    if (this.#ended) this.#end.call(this.#socket);
  }

  handOver(head: Buffer, act: (head: Buffer) => void): void {
    const socket = this.#socket;
    const rest = Buffer.concat([head, this.#unread.take()]);
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
    else this.#unread.push(chunk);
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
    if (this.#unread.empty) return this.#busy ? undefined : this.#next();
    this.#hold();
    if (this.#busy) return;
    // The slice held no whole request.
    this.#busy = true;
    this.#queue.add(this.#turn);
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
