import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'vitest';
import type { BridgeFace } from './bridge-face.ts';
import type { DoorClient } from './door-client.ts';
import type { FakeClock } from './fake-clock.ts';

/**
 * Seconds of a bridge's clock pass, one by one. None of them ends before those who are well have been heard, where they
 * were asked for a sign of life: its way through the operating system takes real time, of which the clock knows nothing.
 */
export async function passSeconds(
  clock: FakeClock,
  face: BridgeFace,
  seconds: number,
  well: readonly DoorClient[],
): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    clock.advance(1_000);
    for (let turns = 0; turns < 25; turns++) await turn();
    await expect
      .poll(() => well.filter(({ clientId }) => face.awaits(clientId)).map(({ door }) => door))
      .toEqual([]);
  }
}
