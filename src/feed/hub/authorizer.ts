import type { Authenticator, Verdict } from '../../access/authenticator.ts';
import { type AccessRefusal, ANYBODY, isExpired, ownerOf, refusedMessage } from '../../access/grant.ts';
import type { ClientMessage } from '../../contract/feed/client-messages.ts';
import type { CloseReason } from '../../contract/feed/close-code.ts';
import type { Instant } from '../../instant.ts';
import type { Clock } from '../../system/clock.ts';
import type { AccessStatus, AuthOutcome, SessionAccess } from '../core/session-access.ts';
import type { Connection } from './connection.ts';
import type { Refused } from './reject.ts';
import type { Attempt } from './session-service.ts';

export interface AuthorizerOptions {
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  /** A connection has shown a good token: lets it in, or says why not. */
  letIn(connection: Connection): Refused | undefined;
  /** What comes later than what asked for it. */
  readonly attempt: Attempt;
  /** A token was not good. */
  refused(address: string, message: string): void;
}

/** What each connection may do, from its first moment to the end of its token. */
export class Authorizer implements SessionAccess<Connection> {
  readonly #options: AuthorizerOptions;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  status({ grant }: Connection): AccessStatus {
    if (!this.#options.authenticator.required) return 'none';
    return grant === undefined ? 'required' : 'ok';
  }

  /** Names who is connected together with what he may; empty where he has not shown a token yet. */
  ownerOf({ grant }: Connection): string {
    return grant === undefined ? '' : ownerOf(grant);
  }

  /** Whose token it is; undefined where none was shown, or none is asked for. */
  subjectOf({ grant }: Connection): string | undefined {
    return grant === undefined || grant.subject === ANYBODY ? undefined : grant.subject;
  }

  refused({ grant }: Connection, message: ClientMessage): AccessRefusal | undefined {
    const { clock } = this.#options;
    if (grant !== undefined && message.type !== 'auth' && isExpired(grant, clock.now().wallMs)) {
      return { code: 'unauthorized', message: 'The token has expired.' };
    }
    return refusedMessage(grant, message);
  }

  authenticate(
    connection: Connection,
    token: string,
    done: (outcome: AuthOutcome, now: Instant) => void,
  ): void {
    const { authenticator, clock } = this.#options;
    const conclude = (verdict: Verdict): void => {
      if (!connection.closing) done(this.#outcome(connection, verdict), clock.now());
    };
    const verdict = authenticator.verify(token, connection.address);
    if (verdict instanceof Promise)
      void verdict.then((each) => this.#options.attempt(connection, () => conclude(each)));
    else conclude(verdict);
  }

  /** Why it is to be closed now: no token in time, or one that has come to its end. */
  over({ grant, tokenDueAtMs }: Connection, now: Instant): CloseReason | undefined {
    if (grant !== undefined) return isExpired(grant, now.wallMs) ? 'token_expired' : undefined;
    return tokenDueAtMs !== undefined && now.monoMs >= tokenDueAtMs ? 'auth_timeout' : undefined;
  }

  /** Whether its token is still good for the same; who has shown none yet has nothing to lose. */
  async holds({ grant }: Connection): Promise<boolean> {
    return grant === undefined || this.#options.authenticator.holds(grant);
  }

  #outcome(connection: Connection, verdict: Verdict): AuthOutcome {
    if (!verdict.ok) {
      const { code, message } = verdict;
      this.#options.refused(connection.address, message);
      return code === 'rate_limited'
        ? { ok: false, code, message, retry: true, close: 'rate_limited' }
        : { ok: false, code, message, retry: false, close: 'unauthorized' };
    }
    const { grant } = verdict;
    const former = connection.grant;
    if (former !== undefined && ownerOf(former) !== ownerOf(grant)) {
      const message = 'A connection keeps its subject, role and topics; open another one for this token.';
      return { ok: false, code: 'forbidden', message, retry: false };
    }
    connection.grant = grant;
    const entry = former === undefined ? this.#options.letIn(connection) : undefined;
    if (entry !== undefined) {
      const { code, message, reason } = entry;
      return { ok: false, code, message, retry: true, close: reason };
    }
    const { subject, role, topics, expiresAtMs } = grant;
    const expires = expiresAtMs === undefined ? {} : { expires_at: expiresAtMs };
    return { ok: true, result: { subject, role, topics, ...expires } };
  }
}
