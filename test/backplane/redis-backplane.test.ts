import { describe } from 'vitest';
import { RedisBackplane } from '../../src/backplane/redis-backplane.ts';
import { systemClock } from '../../src/system/index.ts';
import { backplaneContract } from '../support/backplane-contract.ts';
import { hasRedis, RedisServer } from '../support/redis-server.ts';

describe.runIf(hasRedis)('with the real server', () => {
  backplaneContract('Redis', async (entries) => {
    const server = await RedisServer.start({
      args: ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'],
    });
    return {
      make: (life) =>
        new RedisBackplane({
          config: {
            url: server.url,
            instance: life.split('/')[0] ?? '',
            leaseMs: 30_000,
            prefix: 'test',
            entries,
          },
          life,
          clock: systemClock,
          random: () => 0,
        }),
      stop: () => server.kill(),
      async restart(empty) {
        if (empty) await server.forget();
        await server.run();
      },
      // The clock of the server is the real one, so that the time of a lease has to pass.
      pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      nowMs: () => Date.now(),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  });
});
