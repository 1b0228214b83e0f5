/** Who registers and who answers. */
export const SESSION_ROLES = ['client', 'server'] as const;

export type SessionRole = (typeof SESSION_ROLES)[number];

/** The least pause before a link is tried again, so that a refused port never spins. */
export const LEAST_BACK_OFF_MS = 100;
