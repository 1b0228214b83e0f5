import type { IncomingMessage } from 'node:http';
import { plainAddress } from '../system/index.ts';
import type { Authenticator, Verdict } from './authenticator.ts';
import type { Caller } from './caller.ts';
import { bearerToken, tokenInAddress } from './credentials.ts';
import { type AccessRefusal, type Grant, refusedTopics } from './grant.ts';
import { type Answer, refusal } from './http-answer.ts';
import { isOpenPath, pathOf, topicsOf } from './paths.ts';

const CHALLENGE = 'Bearer realm="heartwire"';

/** A request is allowed, or has an answer that says why not. */
export type Judged =
  | { readonly ok: true; readonly grant: Grant }
  | { readonly ok: false; readonly answer: Answer };

/** Judges requests by their tokens. Every path that is not named open needs one. */
export class RequestAccess {
  readonly #auth: Authenticator;
  readonly #refused: (address: string, message: string) => void;

  constructor(auth: Authenticator, refused: (address: string, message: string) => void = () => undefined) {
    this.#auth = auth;
    this.#refused = refused;
  }

  /** Whether a request is allowed. Only signed tokens are judged asynchronously. */
  judge(request: IncomingMessage, caller: Caller): Judged | Promise<Judged> {
    const path = pathOf(request.url ?? '/') ?? '/';
    const address = plainAddress(caller.remoteAddress);
    const free = !this.#auth.required || isOpenPath(path);
    if (free) return { ok: true, grant: this.#auth.openGrant(address) };
    const token = bearerToken(request.headers);
    if (token === undefined) return { ok: false, answer: tokenWanted() };
    const judged = (verdict: Verdict): Judged => this.#judged(verdict, path, address);
    const verdict = this.#auth.verify(token, address);
    return verdict instanceof Promise ? verdict.then(judged) : judged(verdict);
  }

  #judged(verdict: Verdict, path: string, address: string): Judged {
    if (!verdict.ok) {
      this.#refused(address, verdict.message);
      return { ok: false, answer: refusedToken(verdict) };
    }
    const { grant } = verdict;
    const refused = refusedTopics(grant, topicsOf(path));
    return refused === undefined ? { ok: true, grant } : { ok: false, answer: forbidden(refused) };
  }
}

/** The answer to a token that is not good. */
export function refusedToken(verdict: Extract<Verdict, { readonly ok: false }>): Answer {
  if (verdict.code === 'rate_limited') {
    return refusal(429, 'too_many_tries', verdict.message, { 'Retry-After': String(verdict.retryAfterS) });
  }
  return refusal(401, 'unauthorized', verdict.message, {
    'WWW-Authenticate': `${CHALLENGE}, error="invalid_token"`,
  });
}

/** The answer to what the token does not cover. */
export function forbidden({ message }: AccessRefusal): Answer {
  return refusal(403, 'forbidden', message, {
    'WWW-Authenticate': `${CHALLENGE}, error="insufficient_scope"`,
  });
}

/** The answer to a token in the address; undefined where there is none. */
export function refusedAddress(target: string): Answer | undefined {
  if (!tokenInAddress(target)) return undefined;
  return refusal(
    400,
    'token_in_address',
    'A token in an address ends up in logs, histories and Referer headers, so it is not read there. Send it as ' +
      '"Authorization: Bearer", as the subprotocol heartwire.token.<base64url>, or as the first message; and replace this one.',
    { Connection: 'close' },
  );
}

function tokenWanted(): Answer {
  return refusal(401, 'unauthorized', 'A token is needed here; send it as "Authorization: Bearer".', {
    'WWW-Authenticate': CHALLENGE,
  });
}
