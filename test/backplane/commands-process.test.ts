import { describe, expect, it } from 'vitest';
import { INSTANCES, InstancesWorld, PATIENCE } from '../support/instances-world.ts';
import { JobCallers } from '../support/job-callers.ts';
import { hasRedis } from '../support/redis-server.ts';
import { Seeded } from '../support/seeded.ts';

/** A count of one's own: `HEARTWIRE_COMMANDS=5000`. */
const COMMANDS = Number(process.env.HEARTWIRE_COMMANDS ?? 400);
const KILLS = Math.max(4, Math.floor(COMMANDS / 250));
const DEVICES = ['one', 'two', 'three', 'four'];

async function started(): Promise<readonly [InstancesWorld, JobCallers]> {
  const world = await InstancesWorld.start({ devices: DEVICES });
  const callers = new JobCallers(world, DEVICES);
  await expect.poll(() => world.device.connections, PATIENCE).toBe(DEVICES.length);
  await callers.connected();
  return [world, callers];
}

/** Jobs whose caller was not told what the device knows. */
function contradictions(callers: JobCallers, jobs: ReadonlyMap<string, number>): string[] {
  const wrong: string[] = [];
  for (const [job, outcome] of callers.outcomes) {
    const times = jobs.get(job) ?? 0;
    const fits = outcome === 'done' ? times === 1 : outcome === 'refused' ? times === 0 : times <= 1;
    if (!fits) wrong.push(`job ${job}: ${outcome}, and done ${times} times`);
  }
  return wrong;
}

describe.runIf(hasRedis)('commands at several instances', () => {
  it('are carried out at most once while instances are killed', { timeout: 1_200_000 }, async () => {
    const [world, callers] = await started();
    await using _world = world;
    using _callers = callers;
    const all = callers.call(COMMANDS);
    const seeded = new Seeded(11);
    for (let kill = 1; kill <= KILLS; kill++) {
      const due = Math.floor((COMMANDS * kill) / (KILLS + 1));
      await expect.poll(() => callers.sent, PATIENCE).toBeGreaterThanOrEqual(due);
      const instance = seeded.pick(INSTANCES);
      await world.kill(instance);
      world.run(instance);
    }
    await all;
    expect(contradictions(callers, world.device.jobs)).toEqual([]);
    const done = [...callers.outcomes.values()].filter((outcome) => outcome === 'done').length;
    expect(done).toBeGreaterThan(COMMANDS / 2);
    if (COMMANDS > 400)
      console.info(
        `${callers.outcomes.size} jobs, ${done} done, ${world.device.jobs.size} known to the devices, ${KILLS} kills; ${JSON.stringify([...callers.codes])}`,
      );
  });
});
