import type { SessionAccess } from '../../src/feed/session-access.ts';

/** Who may do everything, without a token. */
export const anybody: SessionAccess = {
  status: 'none',
  owner: 'anybody',
  refused: () => undefined,
  authenticate: () => undefined,
};
