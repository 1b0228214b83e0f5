import { type AccessConfig, asksForToken } from '../config/access.ts';
import { addressKey } from '../system/address-caps.ts';
import type { Clock } from '../system/clock.ts';
import { isLoopback } from './caller.ts';
import { FailedTries } from './failed-tries.ts';
import { ANYBODY, type Grant, isExpired, ownerOf } from './grant.ts';
import { JwtVerifier } from './jwt-verifier.ts';
import { StaticTokens } from './static-tokens.ts';
import { hashToken } from './token.ts';

/** What became of a token. No text in it holds anything of the token. */
export type Verdict =
  | { readonly ok: true; readonly grant: Grant }
  | { readonly ok: false; readonly code: 'unauthorized'; readonly message: string }
  | {
      readonly ok: false;
      readonly code: 'rate_limited';
      readonly message: string;
      readonly retryAfterS: number;
    };

/** Tokens that were right are tried at once also where an address has been wrong too often; so many are remembered. */
const MAX_REMEMBERED = 4_096;

/** Of everybody where no token is asked for; the same objects for all, since there may be very many. */
const HERE: Grant = { subject: ANYBODY, role: 'admin', topics: ['#'] };
const ELSEWHERE: Grant = { subject: ANYBODY, role: 'command', topics: ['#'] };

/** Knows which tokens are good for what. A static token is judged at once, one that is signed a moment later. */
export class Authenticator {
  readonly #clock: Clock;
  #config: AccessConfig | undefined;
  #tokens: StaticTokens;
  #jwt: JwtVerifier | undefined;
  readonly #tries = new FailedTries();
  /** Hashes of tokens that were right the last time; by another configuration perhaps, and so each is judged again. */
  readonly #good = new Set<string>();
  /** To judge a grant again by its token; nothing else reads them. */
  readonly #shown = new WeakMap<Grant, string>();
  readonly #listeners = new Set<() => void>();

  /** Signed tokens are taken only after `start`. */
  constructor(config: AccessConfig | undefined, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#tokens = new StaticTokens(config?.tokens ?? []);
  }

  /**
   * Reads the key of signed tokens.
   * @throws HeartwireError `config_key_unreadable`
   */
  async start(): Promise<void> {
    this.#jwt = await open(this.#config);
  }

  /**
   * From now on another configuration holds; its key is read anew, also where it is the same file. Those who listen
   * judge again whom they let in. Where it rejects, everything is as before.
   * @throws HeartwireError `config_key_unreadable`
   */
  async replace(config: AccessConfig | undefined): Promise<void> {
    const jwt = await open(config);
    this.#config = config;
    this.#tokens = new StaticTokens(config?.tokens ?? []);
    this.#jwt = jwt;
    for (const listener of this.#listeners) listener();
  }

  /** Calls after each `replace` until the returned function is called. */
  onReplaced(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A token is asked for. */
  get required(): boolean {
    return asksForToken(this.#config);
  }

  /** What everybody may do where no token is asked for; closing the connections of others, on this machine only. */
  openGrant(address: string): Grant {
    return isLoopback(address) ? HERE : ELSEWHERE;
  }

  /** Judges a token that came from an address. Where none is asked for, every one is good. Never rejects. */
  verify(token: string, address: string): Verdict | Promise<Verdict> {
    if (!this.required) return { ok: true, grant: this.openGrant(address) };
    const hash = hashToken(token);
    const key = addressKey(address);
    const waitS = this.#tries.waitS(key, this.#clock.now().monoMs);
    if (waitS !== undefined && !this.#good.has(hash)) {
      const message = `Too many wrong tokens came from this address; try again in ${waitS} s.`;
      return { ok: false, code: 'rate_limited', message, retryAfterS: waitS };
    }
    const judged = this.#judge(token, hash);
    return judged instanceof Promise
      ? judged.then((each) => this.#concluded(each, token, hash, key))
      : this.#concluded(judged, token, hash, key);
  }

  /** Whether the token of a grant still gives the same. */
  async holds(grant: Grant): Promise<boolean> {
    const token = this.#shown.get(grant);
    if (token === undefined) return !this.required;
    const judged = await this.#judge(token, hashToken(token));
    return 'subject' in judged && ownerOf(judged) === ownerOf(grant);
  }

  #judge(token: string, hash: string): Grant | { problem: string } | Promise<Grant | { problem: string }> {
    const { wallMs } = this.#clock.now();
    const found = this.#tokens.find(hash);
    if (found !== undefined) return isExpired(found, wallMs) ? { problem: 'it has expired' } : { ...found };
    const jwt = this.#jwt;
    if (jwt === undefined) return { problem: 'it is not one of ours' };
    return jwt.verify(token, wallMs).then((judged) =>
      // Another configuration came meanwhile, and those who were in by then have been judged by it already.
      jwt === this.#jwt ? judged : this.#judge(token, hash),
    );
  }

  #concluded(judged: Grant | { problem: string }, token: string, hash: string, address: string): Verdict {
    if ('problem' in judged) {
      this.#tries.add(address, this.#clock.now().monoMs);
      this.#good.delete(hash);
      return { ok: false, code: 'unauthorized', message: `The token is not accepted: ${judged.problem}.` };
    }
    this.#shown.set(judged, token);
    this.#good.delete(hash);
    this.#good.add(hash);
    const [oldest] = this.#good;
    if (oldest !== undefined && this.#good.size > MAX_REMEMBERED) this.#good.delete(oldest);
    return { ok: true, grant: judged };
  }
}

async function open(config: AccessConfig | undefined): Promise<JwtVerifier | undefined> {
  return config?.jwt === undefined || config.insecure ? undefined : JwtVerifier.open(config.jwt);
}
