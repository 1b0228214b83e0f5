import {
  builtinProtocol,
  decodePayload,
  encodeFrame,
  type FrameDecoder,
  type FrameSink,
  LineDecoder,
  type Message,
  type RequestName,
  StreamDecoder,
} from '../protocol/index.ts';
import { type Faults, FaultyLine } from './faults.ts';
import type { DeviceIdentity, Random } from './random.ts';
import type { DeviceNews, FrameCounts } from './settings.ts';
import type { Timers } from './timers.ts';

/** On a stream, a fake device has no reason to judge what others register as; on a line, that finds frames again. */
const STREAM_PROTOCOL = builtinProtocol({ identity: 'any' });
const LINE_PROTOCOL = builtinProtocol();

/** How a device talks on one link. */
export interface LinkProtocolSettings {
  readonly role: 'client' | 'server';
  readonly identity: DeviceIdentity;
  /** A client registers on this link; one that does not beats from the start. */
  readonly registers: boolean;
  /** What a client asks before it registers. */
  readonly early: ReadonlyArray<'heartbeat' | 'datetime'>;
  /** Absent: it does not beat. */
  readonly heartbeatEveryMs?: number | undefined;
  /** Absent: it never asks the time. */
  readonly datetimeEveryMs?: number | undefined;
  /** A client hangs up on a peer from which nothing valid came for so long. */
  readonly silenceLimitMs: number;
  readonly faults: Faults;
  /** What the device's clock shows, as `YYYY-MM-DD HH:MM:SS`. */
  readonly localTime: () => string;
}

/** What a conversation needs of its surroundings. */
export interface LinkProtocolPorts {
  readonly timers: Timers;
  readonly random: Random;
  readonly counts: FrameCounts;
  readonly now: () => number;
  send(bytes: Uint8Array): void;
  /** `orderly` writes out what is queued first. */
  hangUp(orderly: boolean): void;
  /** A request of either side succeeded. */
  succeeded(): void;
  report(news: DeviceNews): void;
}

/**
 * The device's half of the protocol on one link. As a client:
 *
 *     early requests ─▶ register ─reply 0─▶ heartbeats, datetime requests ─(short)─▶ hang up
 *                          └──reply ≠ 0──▶ hang up
 *
 * As a server it answers; both answer heartbeat and datetime requests, and a reply is never answered.
 */
export class LinkProtocol {
  readonly #settings: LinkProtocolSettings;
  readonly #ports: LinkProtocolPorts;
  readonly #line: FaultyLine;
  readonly #decoder: FrameDecoder;
  #lastValidAtMs: number;
  #beating = false;
  #mute = false;

  /** `serial` resynchronises inside the bytes instead of hanging up. */
  constructor(settings: LinkProtocolSettings, ports: LinkProtocolPorts, serial: boolean) {
    this.#settings = settings;
    this.#ports = ports;
    this.#line = new FaultyLine((bytes) => ports.send(bytes), settings.faults, ports.random, ports.timers);
    const sink: FrameSink = {
      frame: (bytes, start, end) => this.#received(bytes, start, end),
      discarded: () => undefined,
      // Nothing can follow on a stream that lost its step; a real device hangs up, too.
      fault: () => ports.hangUp(false),
    };
    this.#decoder = serial ? new LineDecoder(LINE_PROTOCOL, sink) : new StreamDecoder(STREAM_PROTOCOL, sink);
    this.#lastValidAtMs = ports.now();
  }

  start(): void {
    const { faults, role, early, registers, silenceLimitMs } = this.#settings;
    if (faults.halfOpenAfterMs !== undefined) {
      this.#ports.timers.after(faults.halfOpenAfterMs, () => this.#fallSilent());
    }
    if (faults.echo === true || role === 'server') return;
    this.#watchSilence(silenceLimitMs);
    for (const name of early) this.#request(name);
    if (registers) this.#request('register');
    else this.#beginToBeat();
  }

  receive(chunk: Uint8Array): void {
    if (this.#mute) return;
    if (this.#settings.faults.echo === true) this.#line.write(chunk);
    else this.#decoder.push(chunk);
  }

  lineIdle(): void {
    if (!this.#mute && this.#settings.faults.echo !== true) this.#decoder.idle();
  }

  /** The link is gone. */
  end(): void {
    this.#mute = true;
    this.#ports.timers.cancelAll();
    this.#decoder.close();
  }

  #fallSilent(): void {
    this.#mute = true;
    this.#ports.timers.cancelAll();
    this.#ports.report({ kind: 'half_open' });
  }

  #received(bytes: Uint8Array, start: number, end: number): void {
    const message = decodePayload(STREAM_PROTOCOL, bytes, start, end);
    this.#ports.counts.received += 1;
    if (message.name === 'unknown' || message.name === 'declared' || message.name === 'echo') return;
    if (message.name === 'invalid') {
      if (message.kind === 'request') this.#answer({ name: 'register', kind: 'reply', error: -1 });
      return;
    }
    this.#lastValidAtMs = this.#ports.now();
    if (message.kind === 'reply') this.#replied(message.name, message.error);
    else this.#asked(message);
  }

  #asked(request: Extract<Message, { kind: 'request' }>): void {
    switch (request.name) {
      case 'register': {
        const refused = this.#settings.role === 'client' || this.#settings.faults.refuse === true;
        this.#answer({ name: 'register', kind: 'reply', error: refused ? -1 : 0 });
        if (refused) return;
        this.#ports.report({ kind: 'peer_registered', ...request.fields });
        this.#ports.succeeded();
        this.#beginToBeat();
        return;
      }
      case 'heartbeat':
        this.#answer({ name: 'heartbeat', kind: 'reply', error: 0 });
        return;
      case 'datetime':
        this.#answer({
          name: 'datetime',
          kind: 'reply',
          error: 0,
          fields: { datetime: this.#settings.localTime() },
        });
        return;
    }
  }

  #replied(name: RequestName, error: number): void {
    if (error !== 0) {
      if (name !== 'register') return;
      this.#ports.report({ kind: 'refused', error });
      this.#ports.hangUp(true);
      return;
    }
    this.#ports.succeeded();
    if (name === 'register') {
      this.#ports.report({ kind: 'registered' });
      this.#beginToBeat();
    } else if (name === 'heartbeat' && this.#beating && this.#settings.faults.shortEveryMs !== undefined) {
      this.#ports.hangUp(true);
    }
  }

  #beginToBeat(): void {
    if (this.#beating) return;
    this.#beating = true;
    this.#repeat('heartbeat', this.#settings.heartbeatEveryMs);
    this.#repeat('datetime', this.#settings.datetimeEveryMs);
  }

  #repeat(name: 'heartbeat' | 'datetime', everyMs: number | undefined): void {
    if (everyMs === undefined) return;
    this.#request(name);
    this.#ports.timers.after(everyMs, () => this.#repeat(name, everyMs));
  }

  #request(name: RequestName): void {
    this.#write(
      name === 'register'
        ? { name, kind: 'request', fields: this.#settings.identity }
        : { name, kind: 'request' },
    );
  }

  #answer(reply: Extract<Message, { kind: 'reply' }>): void {
    const { lateReplyMs } = this.#settings.faults;
    if (lateReplyMs === undefined) this.#write(reply);
    else this.#ports.timers.after(lateReplyMs, () => this.#write(reply));
  }

  #write(message: Exclude<Message, { kind: 'unknown' }>): void {
    this.#ports.counts.sent += 1;
    this.#line.write(encodeFrame(message));
  }

  #watchSilence(afterMs: number): void {
    this.#ports.timers.after(afterMs, () => {
      const leftMs = this.#lastValidAtMs + this.#settings.silenceLimitMs - this.#ports.now();
      if (leftMs > 0) this.#watchSilence(leftMs);
      else this.#ports.hangUp(false);
    });
  }
}
