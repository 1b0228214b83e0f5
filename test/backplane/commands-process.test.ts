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
    if (!fits) wrong.push(`job ${job}: ${callers.codes.get(job) ?? outcome}, and done ${times} times`);
  }
  return wrong;
}

/** How often each code was the answer. */
function counted({ codes }: JobCallers): string {
  const counts = new Map<string, number>();
  for (const code of codes.values()) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, count]) => `${code} ${count}`).join(', ');
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
    if (COMMANDS > 400) console.info(`${COMMANDS} sent, ${done} done, ${KILLS} kills; ${counted(callers)}`);
  });

  it('keep their outcome while one instance after another is restarted in order', {
    timeout: 300_000,
  }, async () => {
    const [world, callers] = await started();
    await using _world = world;
    using _callers = callers;
    const count = COMMANDS / 2;
    const all = callers.call(count);
    for (const [at, instance] of INSTANCES.entries()) {
      const due = Math.floor((count * (at + 1)) / (INSTANCES.length + 1));
      await expect.poll(() => callers.sent, PATIENCE).toBeGreaterThanOrEqual(due);
      expect(await world.kill(instance, 'SIGTERM')).toBe(0);
      world.run(instance);
    }
    await all;
    expect(contradictions(callers, world.device.jobs)).toEqual([]);
    // A caller may not know of a command that was on its way when its instance closed the connection; none of those was
    // carried out.
    const unknown = [...callers.outcomes].filter(([, outcome]) => outcome === 'unknown');
    const done = unknown.filter(
      ([job]) => callers.codes.get(job) !== 'command_outcome_unknown' || world.device.jobs.has(job),
    );
    expect(done.map(([job]) => `job ${job}: ${callers.codes.get(job)}`)).toEqual([]);
    expect(unknown.length).toBeLessThanOrEqual(DEVICES.length * INSTANCES.length);
  });
});
