import type { RequestOutcome } from './core/session-events.ts';

/** What was asked of one device and is not settled yet. */
export class OpenRequests {
  readonly #waiting = new Map<number, (outcome: RequestOutcome) => void>();
  #next = 1;

  /** `ask` is called with the id under which it is settled, which may be at once. */
  open(ask: (requestId: number) => void): Promise<RequestOutcome> {
    const requestId = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(requestId, resolve);
      ask(requestId);
    });
  }

  settle(requestId: number, outcome: RequestOutcome): void {
    const resolve = this.#waiting.get(requestId);
    this.#waiting.delete(requestId);
    resolve?.(outcome);
  }

  settleAll(outcome: RequestOutcome): void {
    for (const requestId of [...this.#waiting.keys()]) this.settle(requestId, outcome);
  }
}
