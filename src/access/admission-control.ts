import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Answer, pathOf, refusal, STREAM_PATH } from '../server/http/routes.ts';
import { AddressPace } from '../system/address-caps.ts';
import type { Clock } from '../system/clock.ts';
import { type Admission, hostAdmitted, originAdmitted } from './admission.ts';
import { type Caller, callerOf, isLoopback, isTrusted, plainAddress } from './caller.ts';
import { type AdmissionLimits, ConnectionGate } from './connection-gate.ts';
import { ANYBODY, type Grant } from './grant.ts';
import { refusedAddress } from './request-access.ts';
import type { RequestLimits } from './request-limits.ts';

const RETRY_AFTER_S = 5;
/** At one request a second, which is the lowest rate, one more is free by then. */
const REQUEST_AFTER_S = 1;

/** Somebody is let in, or is sent away with an answer. */
export type Verdict =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly answer: Answer };

/**
 * Everybody who comes to the HTTP port passes here twice: with his connection, which is counted, and with each request,
 * which is let in or not. What may be decided of a request before it is understood is decided in `admit`, for plain
 * requests, streams and upgrades alike.
 */
export class AdmissionControl {
  readonly #admission: Admission;
  readonly #gate: ConnectionGate;
  readonly #refused: (address: string, answer: Answer) => void;
  readonly #unwelcome = new WeakSet<Socket>();
  readonly #clock: Clock;
  readonly #byAddress: AddressPace;
  readonly #byToken: AddressPace;

  /** `refused` hears of whom names or tokens in addresses keep out; a page is not told why its WebSocket failed. */
  constructor(
    admission: Admission,
    limits: AdmissionLimits & RequestLimits,
    clock: Clock,
    refused: (address: string, answer: Answer) => void = () => undefined,
  ) {
    this.#admission = admission;
    this.#gate = new ConnectionGate(limits, clock);
    this.#clock = clock;
    this.#byAddress = new AddressPace(limits.requestsPerSecond, limits.requestBurst);
    this.#byToken = new AddressPace(limits.requestsPerSecond, limits.requestBurst);
    this.#refused = refused;
  }

  /** Other limits hold for connections and requests that come from now on. */
  follow(limits: AdmissionLimits & RequestLimits): void {
    this.#gate.follow(limits);
    this.#byAddress.follow(limits.requestsPerSecond, limits.requestBurst);
    this.#byToken.follow(limits.requestsPerSecond, limits.requestBurst);
  }

  /** The answer to a request beyond the rate of its token; undefined where it is within, or shows none. */
  pacedToken(request: IncomingMessage, caller: Caller, { subject }: Grant): Answer | undefined {
    if (subject === ANYBODY || this.#byToken.take(subject, this.#clock.now().monoMs)) return undefined;
    return tooManyRequests(`The token ${subject}`, request, caller);
  }

  /** Counts a new connection; one that is too many is answered with its first request, so that it is said why. */
  arrived(socket: Socket, handshake: boolean): void {
    // The connections of a proxy are those of many.
    if (isTrusted(plainAddress(socket.remoteAddress), this.#admission.trustedProxies ?? [])) return;
    if (!this.#gate.arrived(socket, handshake)) this.#unwelcome.add(socket);
  }

  /** Whether a request is let in, and as whose. An upgrade is one a connection, and those are counted already. */
  admit(request: IncomingMessage, kind: 'request' | 'upgrade' = 'request'): Verdict {
    const caller = callerOf(request, this.#admission.trustedProxies);
    const crowded = this.#crowded(request, caller);
    if (crowded !== undefined) return { ok: false, answer: crowded };
    const tooMany = kind === 'request' ? this.#paced(request, caller) : undefined;
    if (tooMany !== undefined) return { ok: false, answer: tooMany };
    const answer =
      repeatedHeader(request) ?? refusedByName(caller, this.#admission) ?? refusedAddress(request.url ?? '');
    if (answer === undefined) return { ok: true, caller };
    this.#refused(plainAddress(caller.remoteAddress), answer);
    return { ok: false, answer };
  }

  #paced(request: IncomingMessage, caller: Caller): Answer | undefined {
    const address = plainAddress(caller.remoteAddress);
    if (this.#byAddress.take(address, this.#clock.now().monoMs)) return undefined;
    return tooManyRequests(address, request, caller);
  }

  #crowded(request: IncomingMessage, { remoteAddress }: Caller): Answer | undefined {
    if (!this.#unwelcome.has(request.socket)) return undefined;
    const address = plainAddress(remoteAddress);
    const message = `${address} holds too many connections, or opens them too fast; close some and come back later.`;
    return refusal(429, 'too_many_connections', message, {
      'Retry-After': String(RETRY_AFTER_S),
      Connection: 'close',
    });
  }
}

/** Headers that say who asks, and for what; of two lines, a proxy might believe the one and we the other. */
const ONCE = ['host', 'origin', 'authorization'];

function repeatedHeader({ rawHeaders }: IncomingMessage): Answer | undefined {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (!ONCE.includes(name)) continue;
    if (seen.has(name)) {
      const message = `The request has more than one \`${name}\` header; send exactly one.`;
      return refusal(400, 'bad_request', message, { Connection: 'close' });
    }
    seen.add(name);
  }
  return undefined;
}

function tooManyRequests(asking: string, request: IncomingMessage, { proxy }: Caller): Answer {
  const browser = request.headers.accept?.includes('text/event-stream') === true;
  if (browser && pathOf(request.url ?? '/') === STREAM_PATH) return laterStream();
  const message = `${asking} sends too many requests; wait a second, or raise server.max_requests_per_second in devices.yaml.`;
  return refusal(429, 'too_many_requests', message, {
    'Retry-After': String(REQUEST_AFTER_S),
    // What is pipelined behind it need not be refused one by one; the connections of a proxy are those of many.
    ...(proxy === 'trusted' ? {} : { Connection: 'close' }),
  });
}

/** For a browser that opens a stream: a refusal by status would keep it from ever coming back. */
function laterStream(): Answer {
  return {
    status: 200,
    headers: {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      Connection: 'close',
    },
    body: `retry: ${REQUEST_AFTER_S * 1_000}\n\n`,
  };
}

/** Why a request does not get in by the names that it carries; undefined where it does. */
export function refusedByName(caller: Caller, admission: Admission): Answer | undefined {
  const { host, origin, remoteAddress } = caller;
  if (caller.proxy === 'unnamed' && isLoopback(remoteAddress)) {
    // Everybody behind it would count as a program on this machine.
    const address = plainAddress(remoteAddress);
    return refusal(
      403,
      'proxy_not_trusted',
      `This request came through a proxy at ${address}; add ${address} to server.trusted_proxies in devices.yaml.`,
      { Connection: 'close' },
    );
  }
  if (!hostAdmitted(host, admission, caller.localAddress)) {
    const name = host === undefined ? 'no name' : `"${host.slice(0, 100)}"`;
    return refusal(
      403,
      'host_not_allowed',
      `This bridge does not answer to ${name}; add the host name to server.hosts in devices.yaml.`,
      { Connection: 'close' },
    );
  }
  if (origin === undefined || originAdmitted(origin, host, admission, caller.scheme)) return undefined;
  return refusal(
    403,
    'origin_not_allowed',
    `Pages of ${origin.slice(0, 100)} may not use this bridge; add the origin to server.origins in devices.yaml.`,
  );
}
