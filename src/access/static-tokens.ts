import { timingSafeEqual } from 'node:crypto';
import type { StaticToken } from '../config/access.ts';
import type { Grant } from './grant.ts';

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

  /** The grant of the token with this hash. Every entry is compared, each in the same time, whichever it is. */
  find(hash: string): Grant | undefined {
    const sought = Buffer.from(hash, 'hex');
    let found: Grant | undefined;
    for (const each of this.#entries) if (timingSafeEqual(each.hash, sought)) found = each.grant;
    return found;
  }
}
