import { timingSafeEqual } from 'node:crypto';
import {
  type AccessConfig,
  asksForToken,
  type BridgeConfig,
  CLOSE_TO_NETWORK,
  openToNetwork,
  type StaticToken,
} from '../config/index.ts';
import { HeartwireError } from '../errors.ts';
import { AddressPace, type Clock, isLoopback, type Log, Lru } from '../system/index.ts';
import { hashToken } from './credentials.ts';
import { ANYBODY, type Grant, isExpired, ownerOf } from './grant.ts';
import { JwtVerifier } from './jwt-verifier.ts';

/** The verdict on a token. No text in it holds anything of the token. */
export type Verdict =
  | { readonly ok: true; readonly grant: Grant }
  | { readonly ok: false; readonly code: 'unauthorized'; readonly message: string }
  | {
      readonly ok: false;
      readonly code: 'rate_limited';
      readonly message: string;
      readonly retryAfterS: number;
    };

/** Tokens that were right are judged at once, also from an address with too many wrong ones; so many are remembered. */
const MAX_REMEMBERED = 4_096;
/** Wrong tokens of one address that are judged at once, and per minute. */
const TRIES = 10;

/** The grants where no token is needed; one object for all, because there may be very many connections. */
const HERE: Grant = { subject: ANYBODY, role: 'admin', topics: ['#'] };
const ELSEWHERE: Grant = { subject: ANYBODY, role: 'command', topics: ['#'] };

/** Judges tokens: a static one at once, a signed one asynchronously. Wrong ones are limited by address. */
export class Authenticator {
  readonly #clock: Clock;
  #config: AccessConfig | undefined;
  #tokens: StaticTokens;
  #jwt: JwtVerifier | undefined;
  readonly #wrong = new AddressPace(TRIES / 60, TRIES);
  /** Hashes of tokens that were right the last time, perhaps by another configuration: each is judged again. */
  readonly #good = new Lru<string, true>(MAX_REMEMBERED);
  /** The token of each grant, to judge it again; nothing else reads it. */
  readonly #tokenOf = new WeakMap<Grant, string>();
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
   * Applies another configuration and reads its key again, also where it is the same file; then the listeners judge the
   * grants of their connections again. Where it rejects, nothing has changed.
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

  /** Whether a token is needed. */
  get required(): boolean {
    return asksForToken(this.#config);
  }

  /** The grant of an address where no token is needed; closing other connections is allowed on this machine only. */
  openGrant(address: string): Grant {
    return isLoopback(address) ? HERE : ELSEWHERE;
  }

  /** Judges a token that came from an address. Where none is needed, every token is good. Never rejects. */
  verify(token: string, address: string): Verdict | Promise<Verdict> {
    if (!this.required) return { ok: true, grant: this.openGrant(address) };
    const hash = hashToken(token);
    const waitMs = this.#wrong.waitMs(address, this.#clock.now().monoMs);
    if (waitMs > 0 && !this.#good.has(hash)) {
      const waitS = Math.ceil(waitMs / 1_000);
      const message = `Too many wrong tokens came from this address; try again in ${waitS} s.`;
      return { ok: false, code: 'rate_limited', message, retryAfterS: waitS };
    }
    const judged = this.#judge(token, hash);
    return judged instanceof Promise
      ? judged.then((each) => this.#concluded(each, token, hash, address))
      : this.#concluded(judged, token, hash, address);
  }

  /** Whether the token of a grant still gives the same. */
  async holds(grant: Grant): Promise<boolean> {
    const token = this.#tokenOf.get(grant);
    if (token === undefined) return !this.required;
    const judged = await this.#judge(token, hashToken(token));
    return 'subject' in judged && ownerOf(judged) === ownerOf(grant);
  }

  #judge(token: string, hash: string): Grant | { problem: string } | Promise<Grant | { problem: string }> {
    const { wallMs } = this.#clock.now();
    const found = this.#tokens.find(hash);
    if (found !== undefined) return isExpired(found, wallMs) ? { problem: 'it has expired' } : { ...found };
    const jwt = this.#jwt;
    if (jwt === undefined) return { problem: 'it is not known here' };
    return jwt.verify(token, wallMs).then((judged) =>
      // Another configuration came meanwhile, and the connections of that moment have been judged by it already.
      jwt === this.#jwt ? judged : this.#judge(token, hash),
    );
  }

  #concluded(judged: Grant | { problem: string }, token: string, hash: string, address: string): Verdict {
    if ('problem' in judged) {
      this.#wrong.charge(address, this.#clock.now().monoMs);
      this.#good.delete(hash);
      return { ok: false, code: 'unauthorized', message: `The token is not accepted: ${judged.problem}.` };
    }
    this.#tokenOf.set(judged, token);
    this.#good.set(hash, true);
    return { ok: true, grant: judged };
  }
}

async function open(config: AccessConfig | undefined): Promise<JwtVerifier | undefined> {
  return config?.jwt === undefined || config.insecure ? undefined : JwtVerifier.open(config.jwt);
}

/** The tokens that the configuration holds as hashes. */
export class StaticTokens {
  readonly #entries: readonly { readonly hash: Buffer; readonly grant: Grant }[];

  constructor(tokens: readonly StaticToken[]) {
    this.#entries = tokens.map(({ name, hash, role, topics, expiresAtMs }) => ({
      hash: Buffer.from(hash, 'hex'),
      grant: {
        subject: `token:${name}`,
        role,
        topics,
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      },
    }));
  }

  /** The grant of the token with this hash. Every entry is compared, each in the same time. */
  find(hash: string): Grant | undefined {
    const sought = Buffer.from(hash, 'hex');
    let found: Grant | undefined;
    for (const each of this.#entries) if (timingSafeEqual(each.hash, sought)) found = each.grant;
    return found;
  }
}

/**
 * Refuses to serve other machines without a token, unless the configuration says so, which is then logged.
 * @throws HeartwireError `config_insecure`
 */
export function requireClosed({ server, access }: Pick<BridgeConfig, 'server' | 'access'>, log: Log): void {
  const open = openToNetwork(server, access);
  if (open === undefined) return;
  const message = `Every machine that reaches ${open.host} (${open.key}) may use the bridge without a token.`;
  if (access?.insecure !== true) {
    throw new HeartwireError('config_insecure', message, { seen: open.host, fix: CLOSE_TO_NETWORK });
  }
  log.warn({ code: 'config_insecure' }, `${message} The configuration says so: insecure: true.`);
}

/** Applies the rights of another version of the configuration; returns the reason where the former ones stay. */
export async function followAccess(
  auth: Authenticator,
  config: BridgeConfig,
  log: Log,
): Promise<HeartwireError | undefined> {
  try {
    requireClosed(config, log);
    await auth.replace(config.access);
    return undefined;
  } catch (error) {
    if (error instanceof HeartwireError) return error;
    throw error;
  }
}
