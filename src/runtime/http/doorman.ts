import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { type Admission, hostAdmitted, originAdmitted } from './admission.ts';
import { type Caller, callerOf, isLoopback, isTrusted, plainAddress } from './caller.ts';
import { ConnectionGate, type DoorLimits } from './connection-gate.ts';
import { refusedAddress } from './request-access.ts';
import { type Answer, refusal } from './routes.ts';

const RETRY_AFTER_S = 5;

/** Somebody is let in, or is sent away with an answer. */
export type Verdict =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly answer: Answer };

/**
 * Everybody who comes to the HTTP port passes here twice: with his connection, which is counted, and with each request,
 * which is let in or not. What may be decided of a request before it is understood is decided in `admit`, for plain
 * requests, streams and upgrades alike.
 */
export class Doorman {
  readonly #admission: Admission;
  readonly #gate: ConnectionGate;
  readonly #refused: (address: string, answer: Answer) => void;
  readonly #unwelcome = new WeakSet<Socket>();

  /** `refused` hears of whom names or tokens in addresses keep out; a page is not told why its WebSocket failed. */
  constructor(
    admission: Admission,
    limits: DoorLimits,
    clock: Clock,
    refused: (address: string, answer: Answer) => void = () => undefined,
  ) {
    this.#admission = admission;
    this.#gate = new ConnectionGate(limits, clock);
    this.#refused = refused;
  }

  /** Other limits hold for connections that come from now on. */
  follow(limits: DoorLimits): void {
    this.#gate.follow(limits);
  }

  /** Counts a new connection; one that is too many is answered with its first request, so that it is said why. */
  arrived(socket: Socket, handshake: boolean): void {
    // The connections of a proxy are those of many.
    if (isTrusted(plainAddress(socket.remoteAddress), this.#admission.trustedProxies ?? [])) return;
    if (!this.#gate.arrived(socket, handshake)) this.#unwelcome.add(socket);
  }

  /** Whether a request is let in, and as whose. */
  admit(request: IncomingMessage): Verdict {
    const caller = callerOf(request, this.#admission.trustedProxies);
    const crowded = this.#crowded(request, caller);
    if (crowded !== undefined) return { ok: false, answer: crowded };
    const answer = refusedByName(caller, this.#admission) ?? refusedAddress(request.url ?? '');
    if (answer === undefined) return { ok: true, caller };
    this.#refused(plainAddress(caller.remoteAddress), answer);
    return { ok: false, answer };
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
