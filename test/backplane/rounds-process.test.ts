import { describe, expect, it } from 'vitest';
import { INSTANCES, type Instance, InstancesWorld, PATIENCE } from '../support/instances-world.ts';
import { needsPythonPackages } from '../support/needs-python.ts';
import { hasRedis, RedisServer } from '../support/redis-server.ts';
import { Seeded } from '../support/seeded.ts';
import { ThrottlingProxy } from '../support/throttling-proxy.ts';

const python = needsPythonPackages('websockets');
/** A seed and a count of one's own: `HEARTWIRE_SEED=3 HEARTWIRE_ROUNDS=20`. */
const SEED = Number(process.env.HEARTWIRE_SEED ?? 7);
const ROUNDS = Number(process.env.HEARTWIRE_ROUNDS ?? 6);

type Fault = (world: InstancesWorld, seeded: Seeded) => Promise<void>;

const killing =
  (instance: Instance): Fault =>
  async (world) => {
    await world.kill(instance);
    world.run(instance);
  };

/** What instances and their server may suffer; each comes back by itself once the cause is gone. */
const FAULTS: Readonly<Record<string, Fault>> = {
  'north is killed': killing('north'),
  'south is killed': killing('south'),
  'the gateway is killed': killing('gateway'),
  'the server is restarted empty': async ({ redis }) => {
    await redis.kill();
    await redis.run();
  },
  'the server stands still for longer than a lease': async (world) => {
    world.redis.signal('SIGSTOP');
    await expect.poll(() => world.doubt(), PATIENCE).toBe('backplane_lost');
    world.redis.signal('SIGCONT');
  },
  'the server sleeps for a part of a lease': async ({ redis }) => {
    await redis.ask('DEBUG SLEEP 0.8');
  },
  'the server is full': async (world) => {
    await world.redis.ask('CONFIG SET maxmemory 1');
    await expect.poll(() => world.doubt(), PATIENCE).toMatch(/_lost$/);
    await world.redis.ask('CONFIG SET maxmemory 0');
  },
  'answers come late': async (world) => {
    for (const way of world.ways.values()) way.delayMs = 200;
    await world.converges('while answers come late');
    for (const way of world.ways.values()) way.delayMs = 0;
  },
  'a link to the server is silent': async (world, seeded) => {
    const instance = seeded.pick(INSTANCES);
    const way = world.way(instance);
    way.blackHole = true;
    way.halfOpen();
    const others = INSTANCES.filter((each) => each !== instance);
    // One that has the device goes on with it; another one dials it as soon as the lease is over.
    const noticed = async () =>
      (await world.doubt(instance)) === 'backplane_lost' || world.device.connections === 2;
    await expect.poll(noticed, PATIENCE).toBe(true);
    for (const other of others) await expect.poll(() => world.doubt(other), PATIENCE).toBe('none');
    way.blackHole = false;
    way.reset();
  },
  'all links to the server are cut': async ({ ways }) => {
    for (const way of ways.values()) way.reset();
  },
};

describe.runIf(hasRedis && python.run)('instances that are killed, and a server that fails', () => {
  it('come back to one truth at every client, in seeded rounds', { timeout: 1_200_000 }, async () => {
    await using world = await InstancesWorld.start({ python: python.path });
    await world.converges('at first');
    const seeded = new Seeded(SEED);
    let left: string[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      if (left.length === 0) left = Object.keys(FAULTS);
      const [name = ''] = left.splice(seeded.below(left.length), 1);
      await FAULTS[name]?.(world, seeded);
      await world.converges(`round ${round} of seed ${SEED}: ${name}`);
    }
  });

  it('go on after a replica that lags has taken over', { timeout: 300_000 }, async () => {
    await using world = await InstancesWorld.start({ python: python.path });
    const wire = world.with(await ThrottlingProxy.start(world.redis.port));
    const args = ['--save', '', '--replicaof', `127.0.0.1 ${wire.port}`];
    const replica = world.with(await RedisServer.start({ args }));
    const linked = async () => (await replica.ask('INFO replication')).includes('master_link_status:up');
    await expect.poll(linked, PATIENCE).toBe(true);
    await world.converges('at first');
    // From here on it knows less than was shown.
    wire.halfOpen();
    await world.converges('while the replica lags');
    await world.redis.kill();
    await replica.ask('REPLICAOF NO ONE');
    for (const way of world.ways.values()) way.targetPort = replica.port;
    await world.converges('after the replica took over');
  });

  it('move a device within the lease when its owner is killed', { timeout: 300_000 }, async () => {
    await using world = await InstancesWorld.start({ python: python.path });
    await world.converges('at first');
    await world.kill('north');
    // Whichever had it, the other one has it now.
    await expect
      .poll(async () => [await world.doubt(), world.device.connections], PATIENCE)
      .toEqual(['none', 1]);
    await world.kill('south');
    await expect.poll(() => world.doubt(), PATIENCE).toBe('owner_lost');
  });
});
