import {
  type Admission,
  type Answer,
  type Caller,
  pathOf,
  refusal,
  refusedByName,
} from '../../access/index.ts';
import type { FeedErrorCode } from '../../contract/feed/index.ts';
import type { CloseReason } from '../../contract/wire/index.ts';
import type { Instant } from '../../instant.ts';
import { AddressCount, AddressPace, isLoopback, TokenBucket } from '../../system/index.ts';
import type { Connection } from './connection.ts';
import type { FeedServerLimits, LiveLimits } from './limits.ts';

const CLIENT_ID = /^[A-Za-z0-9._-]{1,64}$/;
/** A refused client is asked to come back after a random number of seconds, up to this. */
const MAX_RETRY_S = 10;

/**
 * Why a caller may not open a WebSocket, or undefined. A browser always sends its origin, which must be this server's or
 * a configured one; a program without an origin is trusted on the same machine, and from another one with a token.
 */
export function refusedCaller(
  caller: Caller,
  admission: Admission,
  tokenRequired = false,
): Answer | undefined {
  const refused = refusedByName(caller, admission);
  if (refused !== undefined) return refused;
  if (caller.origin !== undefined || tokenRequired || isLoopback(caller.remoteAddress)) return undefined;
  return refusal(
    403,
    'origin_not_allowed',
    'From another machine the feed wants a token, or an Origin header that is listed in server.origins.',
  );
}

/** The client id of `/ws/<client_id>`, undefined for `/ws` and `/`, or the answer to what is none of these. */
export function requestedClientId(target: string): { readonly id: string | undefined } | Answer {
  const path = pathOf(target) ?? '';
  if (path === '/' || path === '/ws' || path === '/ws/') return { id: undefined };
  const id = path.startsWith('/ws/') ? path.slice('/ws/'.length) : '';
  if (CLIENT_ID.test(id)) return { id };
  return refusal(400, 'bad_request', 'A client id is 1 to 64 letters, digits, dots, dashes or underscores.');
}

/** Why a connection gets no session. */
export interface Rejection {
  readonly code: FeedErrorCode;
  readonly message: string;
  readonly reason: CloseReason;
}

/** Sends the reason and closes; there is no session. */
export function reject(
  connection: Connection,
  { code, message, reason }: Rejection,
  now: Instant,
): Connection {
  const retry = reason !== 'unauthorized';
  connection.subscriber.send('error', { code, message, retry }, now);
  connection.close(reason, now);
  return connection;
}

/** The requested client id belongs to another connection. */
export function idInUse(id: string): Rejection {
  const message = `Another connection goes by the client id "${id}"; a client that has its session may resume it over /ws.`;
  return { code: 'client_id_in_use', message, reason: 'forbidden' };
}

/** Caps and rates of new connections, in all and from each address that is not loopback. */
export class ConnectionQuota {
  readonly #random: () => number;
  readonly #held = new AddressCount();
  readonly #rate: TokenBucket;
  readonly #ratePerAddress: AddressPace;

  /** `random` is at least 0 and less than 1; it spreads the returning clients. */
  constructor(limits: FeedServerLimits, random: () => number) {
    this.#random = random;
    this.#rate = new TokenBucket(limits.connectsPerSecond, limits.connectBurst);
    this.#ratePerAddress = new AddressPace(limits.connectsPerSecondPerAddress, limits.connectBurstPerAddress);
  }

  follow(limits: LiveLimits): void {
    this.#rate.follow(limits.connectsPerSecond, limits.connectBurst);
    this.#ratePerAddress.follow(limits.connectsPerSecondPerAddress, limits.connectBurstPerAddress);
  }

  /** Takes a place in the rates; undefined, or the seconds after which to come back where there is no room now. */
  retryAfterS(address: string, full: boolean, { monoMs }: Instant): number | undefined {
    // An address above its own rate takes nothing from the rate of all.
    const steady = full || isLoopback(address) || this.#ratePerAddress.take(address, monoMs);
    if (!full && steady && this.#rate.take(monoMs)) return undefined;
    return 1 + Math.floor(this.#random() * MAX_RETRY_S);
  }

  /** Counts a connection; returns why it may not stay, or undefined. */
  opened(address: string, most: number): Rejection | undefined {
    if (this.#held.add(address) <= most || isLoopback(address)) return undefined;
    const message = `${address} holds ${most} connections already.`;
    return { code: 'connection_limit', message, reason: 'connection_limit' };
  }

  closed(address: string): void {
    this.#held.remove(address);
  }
}
