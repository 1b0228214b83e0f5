import type { SessionAccess } from '../../src/feed/core/session-context.ts';

/** Who may do everything, without a token. */
export const anybody: SessionAccess<unknown> = {
  status: () => 'none',
  refused: () => undefined,
  authenticate: () => undefined,
};
