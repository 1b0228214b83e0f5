import { type AccessRefusal, refusedMessage } from '../../access/decide.ts';
import { ANYBODY, type Grant, isExpired, ownerOf } from '../../access/grant.ts';
import type { AccessStatus, AuthOutcome, SessionAccess } from '../../feed/session-access.ts';
import type { ClientMessage } from '../../feed/wire/client-message.ts';
import type { CloseReason } from '../../feed/wire/close-code.ts';
import type { Instant } from '../../instant.ts';
import type { Authenticator, Verdict } from '../auth/authenticator.ts';
import type { Clock } from '../clock.ts';
import type { Refused } from './turn-away.ts';

export interface ConnectionAccessOptions {
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly address: string;
  /** What it may do from the start; absent: it has to show a token first. */
  readonly grant: Grant | undefined;
  readonly authTimeoutMs: number;
  /** It has shown a good token: lets it in, or says why not. */
  letIn(): Refused | undefined;
  /** The connection is closed, or about to be. */
  gone(): boolean;
  /** A token was not good. */
  refused(message: string): void;
}

/** What one connection may do, from its first moment to the end of its token. */
export class ConnectionAccess implements SessionAccess {
  readonly #options: ConnectionAccessOptions;
  readonly #dueAtMs: number;
  #grant: Grant | undefined;

  constructor(options: ConnectionAccessOptions) {
    this.#options = options;
    this.#grant = options.grant;
    this.#dueAtMs = options.clock.now().monoMs + options.authTimeoutMs;
  }

  get status(): AccessStatus {
    if (!this.#options.authenticator.required) return 'none';
    return this.#grant === undefined ? 'required' : 'ok';
  }

  get owner(): string {
    return this.#grant === undefined ? '' : ownerOf(this.#grant);
  }

  /** Whose token it is; undefined where none was shown, or none is asked for. */
  get subject(): string | undefined {
    const { subject } = this.#grant ?? { subject: ANYBODY };
    return subject === ANYBODY ? undefined : subject;
  }

  refused(message: ClientMessage): AccessRefusal | undefined {
    const grant = this.#grant;
    if (
      grant !== undefined &&
      message.type !== 'auth' &&
      isExpired(grant, this.#options.clock.now().wallMs)
    ) {
      return { code: 'unauthorized', message: 'The token has expired.' };
    }
    return refusedMessage(grant, message);
  }

  authenticate(token: string, done: (outcome: AuthOutcome, now: Instant) => void): void {
    const { authenticator, address, clock } = this.#options;
    const conclude = (verdict: Verdict): void => {
      if (!this.#options.gone()) done(this.#outcome(verdict), clock.now());
    };
    const verdict = authenticator.verify(token, address);
    if (verdict instanceof Promise) void verdict.then(conclude);
    else conclude(verdict);
  }

  /** Why it is to be closed now: no token in time, or one that has come to its end. */
  over(now: Instant): CloseReason | undefined {
    if (this.#grant === undefined) return now.monoMs >= this.#dueAtMs ? 'auth_timeout' : undefined;
    return isExpired(this.#grant, now.wallMs) ? 'token_expired' : undefined;
  }

  /** Whether its token is still good for the same; who has shown none yet has nothing to lose. */
  async holds(): Promise<boolean> {
    const grant = this.#grant;
    return grant === undefined || this.#options.authenticator.holds(grant);
  }

  #outcome(verdict: Verdict): AuthOutcome {
    if (!verdict.ok) {
      const { code, message } = verdict;
      this.#options.refused(message);
      return code === 'rate_limited'
        ? { ok: false, code, message, retry: true, close: 'rate_limited' }
        : { ok: false, code, message, retry: false, close: 'unauthorized' };
    }
    const { grant } = verdict;
    if (this.#grant !== undefined && ownerOf(this.#grant) !== ownerOf(grant)) {
      const message = 'A connection keeps its subject, role and topics; open another one for this token.';
      return { ok: false, code: 'forbidden', message, retry: false };
    }
    const first = this.#grant === undefined;
    this.#grant = grant;
    const entry = first ? this.#options.letIn() : undefined;
    if (entry !== undefined) {
      const { code, message, reason } = entry;
      return { ok: false, code, message, retry: true, close: reason };
    }
    const { subject, role, topics, expiresAtMs } = grant;
    const expires = expiresAtMs === undefined ? {} : { expires_at: expiresAtMs };
    return { ok: true, result: { subject, role, topics, ...expires } };
  }
}
