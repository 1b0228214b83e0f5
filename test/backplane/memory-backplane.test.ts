import { MemoryBackplane, MemoryServer } from '../../src/backplane/memory-backplane.ts';
import { backplaneContract } from '../support/backplane-contract.ts';
import { FakeClock } from '../support/fake-clock.ts';

backplaneContract('within one process', async (entries) => {
  const clock = new FakeClock();
  const server = new MemoryServer(clock, entries);
  return {
    make: (life) => new MemoryBackplane(server, life),
    stop: async () => server.stop(),
    restart: async (empty) => server.restart(empty),
    pass: async (ms) => clock.advance(ms),
    nowMs: () => clock.now().wallMs,
    [Symbol.asyncDispose]: async () => server.stop(),
  };
});
