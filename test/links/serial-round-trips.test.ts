import { describe, expect, test } from 'vitest';
import { dial } from '../../src/links/transports.ts';
import { hasPtys, openPty } from '../support/pty.ts';
import { RecordedLink } from '../support/recorded-link.ts';
import { serialAddress } from '../support/serial-address.ts';

const ROUNDS = 40;
const REQUEST = Uint8Array.from({ length: 8 }, (_, index) => 0x41 + index);

const median = (of: readonly number[]): number => of.toSorted((a, b) => a - b)[of.length >> 1] ?? 0;

/** Turns the event loop without a pause until it is disposed of. */
function turningLoop(): Disposable {
  let turning = true;
  const turn = (): void => {
    if (turning) setImmediate(turn);
  };
  turn();
  return { [Symbol.dispose]: () => (turning = false) };
}

describe.runIf(hasPtys())('a serial link on an idle event loop', () => {
  test('answers about as fast as where something else turns the loop', async () => {
    const pty = openPty();
    pty.onData((chunk) => pty.write(chunk));
    let came = (_bytes: number): void => undefined;
    const recorded = new RecordedLink(dial(serialAddress(pty.path)), { data: ({ length }) => came(length) });
    const { link } = recorded;
    try {
      await expect.poll(() => recorded.opened).toBe(true);
      const roundTrip = async (): Promise<number> => {
        const began = performance.now();
        await new Promise<void>((resolve) => {
          let left = REQUEST.length;
          came = (bytes) => {
            left -= bytes;
            if (left <= 0) resolve();
          };
          expect(link.send(REQUEST)).toBe('accepted');
        });
        return performance.now() - began;
      };
      const idle: number[] = [];
      const turned: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        idle.push(await roundTrip());
        using _loop = turningLoop();
        turned.push(await roundTrip());
      }
      // A read that waits for something else to turn the loop takes tens of milliseconds, which is 40 times as long.
      expect(median(idle) / median(turned)).toBeLessThan(5);
    } finally {
      link.destroy();
      await expect.poll(() => recorded.end).toBeDefined();
      await pty.dispose();
    }
  });
});
