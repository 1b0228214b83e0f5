import type { Effect } from './session-events.ts';

const NONE: readonly Effect[] = [];

/** The orders that one event results in. Mostly they are one or two: a list that grows would take room for many. */
export class EffectList {
  #first: Effect | undefined;
  #second: Effect | undefined;
  #others: Effect[] | undefined;

  push(effect: Effect): void {
    if (this.#first === undefined) this.#first = effect;
    else if (this.#second === undefined) this.#second = effect;
    else {
      this.#others ??= [];
      this.#others.push(effect);
    }
  }

  /** All of them, in their order; none are left. */
  take(): readonly Effect[] {
    const first = this.#first;
    if (first === undefined) return NONE;
    const second = this.#second;
    const others = this.#others;
    this.#first = this.#second = this.#others = undefined;
    if (second === undefined) return [first];
    return others === undefined ? [first, second] : [first, second, ...others];
  }
}
