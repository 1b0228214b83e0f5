import type { Caller } from '../../access/caller.ts';
import { type Admission, refusedByName } from '../../access/host-and-origin.ts';
import { type Answer, refusal } from '../../access/http-answer.ts';
import { pathOf } from '../../access/paths.ts';
import { isLoopback } from '../../system/addresses.ts';

const CLIENT_ID = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Why a caller is not let in, or undefined. Browsers always say their origin, and it must be ours or a configured one;
 * a program without one is trusted on the same machine, and from another one where it has to show a token.
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
