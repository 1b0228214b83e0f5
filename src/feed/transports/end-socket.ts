import type { Socket } from 'node:net';
import type { Clock } from '../../system/clock.ts';

/** Ends a socket after what was written; where the other side does not take it or does not answer, without its consent. */
export function endSocket(socket: Socket, clock: Clock, timeoutMs: number): void {
  const timer = clock.setTimer(clock.now().monoMs + timeoutMs, () => socket.destroy());
  socket.once('close', () => timer.cancel());
  socket.end();
}
