/** Why a text could not be read: what is wrong with it, and what to write instead; whole sentences. */
export interface AddressProblem {
  readonly problem: string;
  readonly fix: string;
}

/** What a text was read as, or why not. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & AddressProblem);

/** Says what is wrong with a text, and what to write instead. */
export function refuse(problem: string, fix: string): { readonly ok: false } & AddressProblem {
  return { ok: false, problem, fix };
}
