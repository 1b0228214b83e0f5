import type { IncomingMessage } from 'node:http';
import { type Admission, hostAdmitted, originAdmitted } from '../http/admission.ts';
import { type Answer, pathOf, refusal } from '../http/routes.ts';

const CLIENT_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** What an upgrade request says of itself, as far as it decides whether it is let in. */
export interface Caller {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly localAddress: string | undefined;
  readonly remoteAddress: string | undefined;
}

/**
 * Why a caller is not let in, or undefined. Browsers always say their origin, and it must be ours or a configured one;
 * a program without one is trusted on the same machine only.
 */
export function refusedCaller(caller: Caller, admission: Admission): Answer | undefined {
  const { host, origin } = caller;
  if (!hostAdmitted(host, admission, caller.localAddress)) {
    const name = host === undefined ? 'no name' : `"${host.slice(0, 100)}"`;
    return refusal(403, 'host_not_allowed', `The feed does not answer to ${name}; add it to server.hosts.`);
  }
  if (origin === undefined) {
    if (isLoopback(caller.remoteAddress)) return undefined;
    return refusal(
      403,
      'origin_not_allowed',
      'From another machine the feed wants an Origin header; send one that is listed in server.origins.',
    );
  }
  if (originAdmitted(origin, host, admission)) return undefined;
  const seen = origin.slice(0, 100);
  return refusal(
    403,
    'origin_not_allowed',
    `Pages of ${seen} may not use the feed; add it to server.origins.`,
  );
}

export function callerOf(request: IncomingMessage): Caller {
  const { localAddress, remoteAddress } = request.socket;
  const { host, origin } = request.headers;
  return { host, origin, localAddress, remoteAddress };
}

/** The client id of `/ws/<client_id>`, undefined for `/ws`, or the answer to what is neither. */
export function requestedClientId(target: string): { readonly id: string | undefined } | Answer {
  const path = pathOf(target) ?? '';
  if (path === '/ws' || path === '/ws/') return { id: undefined };
  const id = path.startsWith('/ws/') ? path.slice('/ws/'.length) : '';
  if (CLIENT_ID.test(id)) return { id };
  return refusal(400, 'bad_request', 'A client id is 1 to 64 letters, digits, dots, dashes or underscores.');
}

export function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
}

/** An IP address as people write it. */
export function plainAddress(address: string | undefined): string {
  return (address ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
}
