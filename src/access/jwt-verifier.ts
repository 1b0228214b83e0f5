import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type * as Jose from 'jose';
import type { JwtConfig } from '../config/index.ts';
import { highestRole, isRole } from '../contract/index.ts';
import { patternProblem } from '../contract/wire/index.ts';
import { HeartwireError } from '../errors.ts';
import { FileRefusal, LARGEST_SECRET, readRegular } from '../system/index.ts';
import type { Grant } from './grant.ts';

/** Bytes of a shared secret at least; shorter ones can be guessed from one token. */
const LEAST_SECRET = 32;
const MAX_TOPICS = 64;

type Key = KeyObject | ReturnType<typeof Jose.createLocalJWKSet>;

/** Why a token is not accepted; it holds nothing of the token. */
export interface JwtProblem {
  readonly problem: string;
}

/** Checks signed tokens of other issuers. */
export class JwtVerifier {
  readonly #config: JwtConfig;
  readonly #key: Key;
  /** Loaded for those who use it: of the libraries it has most files. */
  readonly #jose: typeof Jose;

  private constructor(config: JwtConfig, key: Key, jose: typeof Jose) {
    this.#config = config;
    this.#key = key;
    this.#jose = jose;
  }

  /**
   * Reads the key.
   * @throws HeartwireError `config_key_unreadable`
   */
  static async open(config: JwtConfig): Promise<JwtVerifier> {
    const { kind, path } = config.key;
    const bad = (what: string, cause?: unknown): HeartwireError =>
      new HeartwireError('config_key_unreadable', `The key for tokens, ${path}, ${what}.`, {
        seen: path,
        fix: 'Check the path, the permissions and the kind of the file: secret_file, public_key_file or jwks_file below access.jwt.',
        cause,
      });
    const jose = await import('jose');
    let text: string;
    try {
      text = (await readRegular(path, LARGEST_SECRET)).toString('utf8');
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason given';
      throw bad(`could not be read (${cause instanceof FileRefusal ? cause.message : code})`, cause);
    }
    if (kind === 'secret') {
      // An editor ends a file with a line break, which is no part of the secret.
      const secret = Buffer.from(text.trim());
      if (secret.length < LEAST_SECRET) throw bad(`is shorter than ${LEAST_SECRET} bytes`);
      return new JwtVerifier(config, createSecretKey(secret), jose);
    }
    try {
      if (kind === 'pem') {
        if (/PRIVATE KEY/.test(text)) throw bad('is a private key, and the public one is wanted');
        return new JwtVerifier(config, createPublicKey(text), jose);
      }
      // What is no set of keys makes createLocalJWKSet throw.
      return new JwtVerifier(config, jose.createLocalJWKSet(JSON.parse(text) as Jose.JSONWebKeySet), jose);
    } catch (cause) {
      if (cause instanceof HeartwireError) throw cause;
      throw bad(`is no ${kind === 'pem' ? 'public key in PEM' : 'set of keys'}`, cause);
    }
  }

  /** The grant of a token at this time, or why it is not accepted. Never rejects. */
  async verify(token: string, wallMs: number): Promise<Grant | JwtProblem> {
    const { algorithms, issuer, audience, clockToleranceMs } = this.#config;
    const options = {
      algorithms: [...algorithms],
      ...(issuer === undefined ? {} : { issuer: [...issuer] }),
      ...(audience === undefined ? {} : { audience: [...audience] }),
      clockTolerance: clockToleranceMs / 1_000,
      requiredClaims: ['exp', 'sub'],
      currentDate: new Date(wallMs),
    };
    try {
      // The two overloads differ in the key only.
      const { payload } =
        typeof this.#key === 'function'
          ? await this.#jose.jwtVerify(token, this.#key, options)
          : await this.#jose.jwtVerify(token, this.#key, options);
      return this.#grant(payload);
    } catch (error) {
      return { problem: problemOf(error, this.#jose) };
    }
  }

  #grant(payload: Jose.JWTPayload): Grant | JwtProblem {
    const { rolesClaim, topicsClaim, clockToleranceMs } = this.#config;
    const { sub, exp } = payload;
    if (sub === undefined || sub === '' || exp === undefined) return { problem: 'it says no subject' };
    const role = highestRole(texts(payload[rolesClaim]).filter(isRole));
    if (role === undefined)
      return { problem: `its claim ${rolesClaim} holds none of read, command and admin` };
    const topics = texts(payload[topicsClaim]);
    if (topics.length === 0) return { problem: `its claim ${topicsClaim} names no topics` };
    if (topics.length > MAX_TOPICS || topics.some((each) => patternProblem(each) !== undefined)) {
      return {
        problem: `its claim ${topicsClaim} holds what is no pattern of topics, or more than ${MAX_TOPICS}`,
      };
    }
    return { subject: `jwt:${sub}`, role, topics, expiresAtMs: exp * 1_000 + clockToleranceMs };
  }
}

function texts(claim: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return list.filter((each) => typeof each === 'string');
}

/** A reason for each error of jose, whose own texts may quote the token. */
function problemOf(error: unknown, { errors }: typeof Jose): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.reason === 'missing'
      ? `its claim ${error.claim} is missing`
      : `its claim ${error.claim} does not fit`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'it is signed in a way that is not allowed here';
  if (error instanceof errors.JWKSNoMatchingKey) return 'it is signed with a key that is not known here';
  return 'it is not known here';
}
