/** Bytes that checks may touch for every byte received. */
export const BUDGET_PER_BYTE = 16;

/** Credit that is saved up at most; more only while more bytes are held. */
const MOST_SAVED = 4096 * BUDGET_PER_BYTE;

/** What keeps the checks of a searching decoder linear in the bytes received, also when those are hostile. */
export class CheckBudget {
  /** Bytes that checks may touch now. */
  credit = 0;

  /** Bytes came in; `held` is how many are held with them. */
  earn(bytes: number, held: number): void {
    this.credit += bytes * BUDGET_PER_BYTE;
    if (this.credit <= MOST_SAVED) return;
    this.credit = Math.min(this.credit, Math.max(MOST_SAVED, held * BUDGET_PER_BYTE));
  }

  /** Takes the result of a check, `touched` or `~touched`; whether what it looked at is plausible. */
  spend(touched: number): boolean {
    this.credit -= touched < 0 ? ~touched : touched;
    return touched >= 0;
  }
}
