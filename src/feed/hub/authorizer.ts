import {
  type AccessRefusal,
  ANYBODY,
  type Authenticator,
  isExpired,
  ownerOf,
  refusedMessage,
  type Verdict,
} from '../../access/index.ts';
import type { ClientMessage } from '../../contract/feed/index.ts';
import type { CloseReason } from '../../contract/wire/index.ts';
import type { Instant } from '../../instant.ts';
import type { Clock } from '../../system/index.ts';
import type { AccessStatus, AuthOutcome, SessionAccess } from '../core/session-context.ts';
import type { Rejection } from './admission.ts';
import type { Attempt, Connection } from './connection.ts';

export interface AuthorizerOptions {
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  /** A connection has its first grant; returns why it may not stay. */
  authorized(connection: Connection): Rejection | undefined;
  /** Runs what comes later than the request for it. */
  readonly attempt: Attempt;
  /** A token was rejected. */
  refused(address: string, message: string): void;
}

/** Decides what each connection may do, from its first moment to the end of its token. */
export class Authorizer implements SessionAccess<Connection> {
  readonly #options: AuthorizerOptions;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  status({ grant }: Connection): AccessStatus {
    if (!this.#options.authenticator.required) return 'none';
    return grant === undefined ? 'required' : 'ok';
  }

  /** Names the grant of a connection; empty where no token was shown yet. */
  ownerOf({ grant }: Connection): string {
    return grant === undefined ? '' : ownerOf(grant);
  }

  /** The subject of its token; undefined where none was shown, or none is required. */
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

  /** Why it is to be closed now: no token in time, or an expired one. */
  expiry({ grant, tokenDueAtMs }: Connection, now: Instant): CloseReason | undefined {
    if (grant !== undefined) return isExpired(grant, now.wallMs) ? 'token_expired' : undefined;
    return tokenDueAtMs !== undefined && now.monoMs >= tokenDueAtMs ? 'auth_timeout' : undefined;
  }

  /** Whether its token still grants the same; true where none was shown yet. */
  async stillValid({ grant }: Connection): Promise<boolean> {
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
    const rejection = former === undefined ? this.#options.authorized(connection) : undefined;
    if (rejection !== undefined) {
      const { code, message, reason } = rejection;
      return { ok: false, code, message, retry: true, close: reason };
    }
    const { subject, role, topics, expiresAtMs } = grant;
    const expires = expiresAtMs === undefined ? {} : { expires_at: expiresAtMs };
    return { ok: true, result: { subject, role, topics, ...expires } };
  }
}
