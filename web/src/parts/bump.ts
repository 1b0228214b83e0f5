import type { Signal } from '@preact/signals';

/** Lets a version go on, without following it. */
export function bump(version: Signal<number>): void {
  version.value = version.peek() + 1;
}
