import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { DEFAULT_SERVER, type ServerConfig } from '../config/index.ts';
import { AddressCount, AddressPace, type Clock, isLoopback, plainAddress } from '../system/index.ts';
import { type Caller, callerOf, isTrusted } from './caller.ts';
import { ANYBODY, type Grant } from './grant.ts';
import { type Admission, refusedByName, repeatedHeader } from './host-and-origin.ts';
import { type Answer, refusal } from './http-answer.ts';
import { pathOf, STREAM_PATH } from './paths.ts';
import { refusedAddress } from './request-access.ts';

/** What one address may take of a port, off loopback. */
export interface AdmissionLimits {
  /** Subscribers of one address. Twice as many connections are served, so that pages load while all are taken. */
  readonly maxConnectionsPerAddress: number;
  /** New connections of one address per second, on average and at once. */
  readonly connectsPerSecondPerAddress: number;
  readonly connectBurstPerAddress: number;
}

/** HTTP requests of one address, and of one token, per second, on average and at once; loopback is no exception. */
export interface RequestLimits {
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
}

/** Seconds' worth of a rate that may come at once. */
const CONNECT_BURST_S = 6;
const REQUEST_BURST_S = 5;

/** The limits for connections, as they are configured. */
export function admissionLimits(server: ServerConfig): AdmissionLimits {
  const { maxConnectionsPerAddress, maxConnectsPerSecond: rate } = server;
  return {
    maxConnectionsPerAddress,
    connectsPerSecondPerAddress: rate,
    connectBurstPerAddress: rate * CONNECT_BURST_S,
  };
}

/** The limits for requests, as they are configured. */
export function requestLimits({ maxRequestsPerSecond: rate }: ServerConfig): RequestLimits {
  return { requestsPerSecond: rate, requestBurst: rate * REQUEST_BURST_S };
}

export const DEFAULT_ADMISSION_LIMITS: AdmissionLimits = admissionLimits(DEFAULT_SERVER);
export const DEFAULT_REQUEST_LIMITS: RequestLimits = requestLimits(DEFAULT_SERVER);

/** Connections served, and connections answered with the reason of their refusal, as multiples of what subscribers may hold. */
const SERVED = 2;
const ANSWERED = 3;

/** Counts the connections to one port by address, from the first byte on: before a request, before any handshake. */
export class ConnectionLimiter {
  #limits: AdmissionLimits;
  readonly #clock: Clock;
  readonly #held = new AddressCount();
  readonly #pace: AddressPace;

  constructor(limits: AdmissionLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#pace = new AddressPace(limits.connectsPerSecondPerAddress, limits.connectBurstPerAddress);
  }

  /** Applies other limits to connections that come from now on; open ones stay. */
  follow(limits: AdmissionLimits): void {
    this.#limits = limits;
    this.#pace.follow(limits.connectsPerSecondPerAddress, limits.connectBurstPerAddress);
  }

  /**
   * Counts a new connection until it is closed; false where it is one too many and has to be refused. It is destroyed
   * at once where there are far too many, or where an answer would cost a `handshake` first.
   */
  accepts(socket: Socket, handshake: boolean): boolean {
    const address = plainAddress(socket.remoteAddress);
    if (isLoopback(address)) return true;
    const held = this.#held.add(address);
    socket.once('close', () => this.#held.remove(address));
    const { maxConnectionsPerAddress: most } = this.#limits;
    const tooFast = !this.#pace.take(address, this.#clock.now().monoMs);
    if (!tooFast && held <= SERVED * most) return true;
    if (handshake || held > ANSWERED * most) socket.destroy();
    return false;
  }
}

const RETRY_AFTER_S = 5;
/** Bytes of an answer that count as one more request each: putting them on the line costs as much. */
const BYTES_A_REQUEST = 64 * 1024;

/** A request is admitted, or rejected with an answer. */
export type Verdict =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly answer: Answer };

/**
 * Judges every connection to the HTTP port when it comes, and every request on it before its content is read: plain
 * requests, streams and upgrades alike.
 *
 *     connection -> accept   counted by address; one too many is marked
 *     request    -> admit    marked connection, rate of the address, Host and Origin, token in the address
 *     grant      -> limitToken   rate of the token
 */
export class AdmissionControl {
  readonly #admission: Admission;
  readonly #connections: ConnectionLimiter;
  readonly #rejected: (address: string, answer: Answer) => void;
  /** Sockets that are one too many; their first request is answered with the reason. */
  readonly #overLimit = new WeakSet<Socket>();
  readonly #clock: Clock;
  readonly #byAddress: AddressPace;
  readonly #byToken: AddressPace;

  /** `rejected` is called for names and tokens in addresses only, because a page does not see why its WebSocket failed. */
  constructor(
    admission: Admission,
    limits: AdmissionLimits & RequestLimits,
    clock: Clock,
    rejected: (address: string, answer: Answer) => void = () => undefined,
  ) {
    this.#admission = admission;
    this.#connections = new ConnectionLimiter(limits, clock);
    this.#clock = clock;
    this.#byAddress = new AddressPace(limits.requestsPerSecond, limits.requestBurst);
    this.#byToken = new AddressPace(limits.requestsPerSecond, limits.requestBurst);
    this.#rejected = rejected;
  }

  /** Applies other limits to connections and requests that come from now on. */
  follow(limits: AdmissionLimits & RequestLimits): void {
    this.#connections.follow(limits);
    this.#byAddress.follow(limits.requestsPerSecond, limits.requestBurst);
    this.#byToken.follow(limits.requestsPerSecond, limits.requestBurst);
  }

  /** Counts a new connection; one too many is refused with the answer to its first request, which can say why. */
  accept(socket: Socket, handshake: boolean): void {
    // A proxy carries the connections of many clients.
    if (isTrusted(plainAddress(socket.remoteAddress), this.#admission.trustedProxies ?? [])) return;
    if (!this.#connections.accepts(socket, handshake)) this.#overLimit.add(socket);
  }

  /** Whether a request is admitted, and with which caller. Upgrades have no rate: a connection has one at most. */
  admit(request: IncomingMessage, kind: 'request' | 'upgrade' = 'request'): Verdict {
    const caller = callerOf(request, this.#admission.trustedProxies);
    const limited =
      this.#limitConnection(request, caller) ??
      (kind === 'request' ? this.#limitAddress(request, caller) : undefined);
    if (limited !== undefined) return { ok: false, answer: limited };
    const answer =
      repeatedHeader(request) ?? refusedByName(caller, this.#admission) ?? refusedAddress(request.url ?? '');
    if (answer === undefined) return { ok: true, caller };
    this.#rejected(plainAddress(caller.remoteAddress), answer);
    return { ok: false, answer };
  }

  /** The answer to a request beyond the rate of its token; undefined within the rate, and without a token. */
  limitToken(request: IncomingMessage, caller: Caller, { subject }: Grant): Answer | undefined {
    const { monoMs } = this.#clock.now();
    if (subject === ANYBODY || this.#byToken.take(subject, monoMs)) return undefined;
    return tooManyRequests(`The token ${subject}`, this.#byToken.waitMs(subject, monoMs), request, caller);
  }

  /** A request was answered: a long answer counts as several requests. */
  answered({ remoteAddress }: Caller, { subject }: Grant, bytes: number): void {
    const more = Math.floor(bytes / BYTES_A_REQUEST);
    if (more === 0) return;
    const { monoMs } = this.#clock.now();
    this.#byAddress.chargeMany(plainAddress(remoteAddress), monoMs, more);
    if (subject !== ANYBODY) this.#byToken.chargeMany(subject, monoMs, more);
  }

  #limitAddress(request: IncomingMessage, caller: Caller): Answer | undefined {
    const address = plainAddress(caller.remoteAddress);
    const { monoMs } = this.#clock.now();
    if (this.#byAddress.take(address, monoMs)) return undefined;
    return tooManyRequests(address, this.#byAddress.waitMs(address, monoMs), request, caller);
  }

  #limitConnection(request: IncomingMessage, { remoteAddress }: Caller): Answer | undefined {
    if (!this.#overLimit.has(request.socket)) return undefined;
    const address = plainAddress(remoteAddress);
    const message = `${address} holds too many connections, or opens them too fast; close some and come back later.`;
    return refusal(429, 'too_many_connections', message, {
      'Retry-After': String(RETRY_AFTER_S),
      Connection: 'close',
    });
  }
}

function tooManyRequests(
  sender: string,
  waitMs: number,
  request: IncomingMessage,
  { proxy }: Caller,
): Answer {
  const afterS = Math.max(1, Math.ceil(waitMs / 1_000));
  const browser = request.headers.accept?.includes('text/event-stream') === true;
  if (browser && pathOf(request.url ?? '/') === STREAM_PATH) return laterStream(afterS);
  const message = `${sender} sends too many requests, or is answered too much; wait ${afterS} s, or raise server.max_requests_per_second in devices.yaml.`;
  return refusal(429, 'too_many_requests', message, {
    'Retry-After': String(afterS),
    // Closing saves a refusal for each request pipelined behind it; a proxy carries the connections of many clients.
    ...(proxy === 'trusted' ? {} : { Connection: 'close' }),
  });
}

/** For a browser that opens a stream: after a refusal by status it would never reconnect. */
function laterStream(afterS: number): Answer {
  return {
    status: 200,
    headers: {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      Connection: 'close',
    },
    body: `retry: ${afterS * 1_000}\n\n`,
  };
}
