/** What a client may do; each role includes those before it. */
export const ROLES = ['read', 'command', 'admin'] as const;

export type Role = (typeof ROLES)[number];

export function isRole(text: string): text is Role {
  return ROLES.some((each) => each === text);
}

/** Whether a role holds all that another one does. */
export function reaches(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** The highest of several; undefined where there is none. */
export function highestRole(roles: readonly Role[]): Role | undefined {
  return ROLES.findLast((each) => roles.includes(each));
}
