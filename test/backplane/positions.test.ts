import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShardCuts } from '../../src/backplane/core/shard-cuts.ts';
import { DEVICES, LEASE_MS, RoamingClient, SharedWorld, settle } from '../support/shared-world.ts';

/** Two instances with all devices at `north`, and a subscriber in sync with it. */
async function worldOf(entries?: number, units: readonly string[] = DEVICES, speaking = DEVICES) {
  const world = new SharedWorld(entries);
  const north = world.start('north');
  await world.second();
  const south = world.start('south', units);
  await world.second();
  let n = 0;
  const say = (device: string): void => {
    n++;
    const owner = world.ownerOf(device) ?? north;
    owner.shared.gate.publishState(`devices/${device}/state`, {
      status: 'online',
      n,
      link: { status: 'connected' },
    });
    owner.shared.gate.publishEvent(`devices/${device}/messages`, { n });
  };
  for (const device of speaking) say(device);
  await world.second();
  const client = new RoamingClient();
  await world.join(client, 'north');
  await world.second();
  client.positioned();
  return { world, north, south, client, say };
}
const topicOf = (device: string): string => `devices/${device}/state`;

describe('a position of another instance', () => {
  it('gives a subscriber what it missed on its way, each event once, and no document that it has', async () => {
    const { world, client, say } = await worldOf();
    say('b');
    await world.second();
    client.positioned();
    client.leave();
    say('a');
    say('a');
    await world.second();
    const before = new Map(client.known);
    await world.join(client, 'south');
    expect([client.full, client.twice]).toEqual([1, 0]);
    expect([...client.gaps]).toEqual(['#']);
    const changed = DEVICES.filter(
      (device) => client.known.get(topicOf(device)) !== before.get(topicOf(device)),
    );
    expect(changed).toEqual(['a']);
    expect(client.events.size).toBe(3);
    // A patch goes on from the version that the other instance gave.
    say('b');
    await settle();
    await world.second();
    expect(client.resynced).toBe(0);
    expect(client.document(topicOf('b'))).toEqual(world.at('north').store.document(topicOf('b')));
  });

  it('counts on the way back too, where the subscriber comes to the owner of the devices', async () => {
    const { world, north, client, say } = await worldOf();
    await world.join(client, 'south');
    say('a');
    await world.second();
    client.positioned();
    client.leave();
    say('b');
    await world.second();
    await world.join(client, 'north');
    expect([client.full, client.twice, client.events.size]).toEqual([1, 0, 2]);
    for (const device of DEVICES)
      expect(client.document(topicOf(device))).toEqual(north.store.document(topicOf(device)));
  });

  it('counts when its instance was killed, whose devices are then shown as lost', async () => {
    const { world, south, client, say } = await worldOf(undefined, []);
    say('a');
    await world.second();
    client.positioned();
    client.leave();
    world.kill('north');
    await world.join(client, 'south');
    expect(client.full).toBe(1);
    for (let second = 0; second * 1_000 < 3 * LEASE_MS; second++) await world.second();
    for (const device of DEVICES) {
      expect(client.document(topicOf(device))).toEqual(south.store.document(topicOf(device)));
      expect(client.document(topicOf(device))).toMatchObject({ reason: 'owner_lost' });
    }
  });

  it.each([
    [
      'the log was trimmed',
      async ({ world, say, south }: Awaited<ReturnType<typeof worldOf>>) => {
        world.server.stop();
        await world.pass(1_000);
        for (let round = 0; round < 30; round++) say('a');
        await world.pass(1_000);
        world.server.restart();
        for (let second = 0; second < 6; second++) await world.second();
        expect(south.store.document(topicOf('a'))).toBeDefined();
      },
    ],
    ['it is of no instance', async () => undefined],
  ])('is answered with everything where %s', async (name, happens) => {
    const made = await worldOf(8);
    const { world, client, south } = made;
    client.leave();
    await happens(made);
    if (name === 'it is of no instance') client.position = { nowhere: 5 };
    await world.join(client, 'south');
    expect(client.full).toBe(2);
    for (const device of DEVICES)
      expect(client.document(topicOf(device))).toEqual(south.store.document(topicOf(device)));
  });

  it.each(['west', 'south', 'north'])(
    'is followed by a gap at %s where the first event of a topic was lost with its owner',
    async (place) => {
      const { world, client, say } = await worldOf(undefined, DEVICES, ['a']);
      world.start('west', []);
      await world.second();
      if (place !== 'north') await world.join(client, place);
      await world.second();
      client.positioned();
      client.gaps.clear();
      client.leave();
      // It is killed before it has published what it read.
      say('b');
      world.kill('north');
      if (place === 'north') world.start('north');
      for (let second = 0; second * 1_000 < 3 * LEASE_MS; second++) await world.second();
      await world.join(client, place);
      expect([client.full, client.gaps.has('devices/b/messages')]).toEqual([1, false]);
      say('b');
      say('b');
      await world.second();
      expect(client.gaps.has('devices/b/messages')).toBe(true);
      expect(client.events.size).toBe(2);
    },
  );

  it('counts events as their owner does, so that a subscriber knows those that come again', async () => {
    const { world, client, say } = await worldOf();
    say('a');
    say('a');
    await world.second();
    // They came behind the last position, and come again.
    expect([client.events.size, client.takenTwice]).toEqual([2, 0]);
    await world.join(client, 'south');
    expect([Math.max(...client.events.values()), client.takenTwice]).toEqual([2, 0]);
    say('a');
    await world.second();
    expect([client.events.size, client.gaps.size]).toEqual([3, 1]);
  });

  it('is not used again once another instance showed a device as lost, and was left before it was done', async () => {
    const { world, client } = await worldOf(undefined, []);
    world.start('west', []);
    await world.second();
    client.positioned();
    client.leave();
    // At one instance the server does not answer, and so it knows of no owner.
    const { life } = world.at('west').shared;
    const [link] = [...world.server.clients].filter((each) => each.life === life);
    link?.lost();
    link?.close();
    for (let second = 0; second * 1_000 < 2 * LEASE_MS; second++) await world.second();
    const west = world.at('west').store;
    expect(west.document(topicOf('a'))).toMatchObject({ reason: 'backplane_lost' });
    await world.visit(client, 'west');
    expect(client.document(topicOf('a'))).toMatchObject({ reason: 'backplane_lost' });
    await world.join(client, 'north');
    expect(client.document(topicOf('a'))).toEqual(world.at('north').store.document(topicOf('a')));
  });

  it('is followed by no gap where a device speaks for the first time', async () => {
    const { world, client, say } = await worldOf(undefined, DEVICES, ['a']);
    client.gaps.clear();
    await world.join(client, 'south');
    say('b');
    await world.second();
    expect([[...client.gaps], client.events.size]).toEqual([[], 1]);
  });

  it('never hides a change, whatever fails on the way', async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constant('say' as const), device: fc.constantFrom(...DEVICES) }),
      },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('second' as const) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('move' as const),
          to: fc.constantFrom('north', 'south', 'west'),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('visit' as const),
          at: fc.constantFrom('north', 'south', 'west'),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('outage' as const),
          empty: fc.boolean(),
          seconds: fc.integer({ min: 0, max: 9 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('kill' as const),
          name: fc.constantFrom('south', 'west', 'north'),
        }),
      },
    );
    let portable = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        // Of the others there was no event yet.
        const { world, client, say, north } = await worldOf(undefined, DEVICES, ['a', 'b']);
        world.start('west', []);
        await world.second();
        const said: Array<readonly [string, string]> = [];
        const watch = (store: typeof north.store) =>
          store.listen((change) => {
            if (change.kind === 'event' && change.id.endsWith(store.epoch.slice(0, 6)))
              said.push([change.id, change.topic]);
          });
        for (const { store } of world.instances.values()) watch(store);
        const join = async (name: string): Promise<void> => {
          const { full } = client;
          await world.join(client, name);
          if (client.full === full) portable++;
        };
        for (const each of steps) {
          if (each.kind === 'say' && world.ownerOf(each.device) !== undefined) say(each.device);
          if (each.kind === 'second') {
            await world.second();
            client.positioned();
          }
          if (each.kind === 'move' && world.server.up) await join(each.to);
          if (each.kind === 'visit' && world.server.up && client.at !== undefined) {
            const { name } = client.at;
            await world.visit(client, each.at);
            await join(name);
          }
          if (each.kind === 'outage') {
            world.server.stop();
            for (let second = 0; second < each.seconds; second++) {
              await world.second();
              client.positioned();
            }
            world.server.restart(each.empty);
            await world.second();
          }
          if (each.kind === 'kill') {
            const wasThere = client.at?.name === each.name;
            world.kill(each.name);
            const again = world.start(each.name, each.name === 'west' ? [] : DEVICES);
            watch(again.store);
            await world.second();
            if (wasThere) await join(each.name === 'south' ? 'west' : 'south');
          }
        }
        for (let second = 0; second < 20; second++) await world.second();
        // A loss is said before the next event at the latest.
        for (const device of DEVICES) say(device);
        for (let second = 0; second < 3; second++) await world.second();
        expect(client.takenTwice).toBe(0);
        // Where the server or an instance was lost, an event may be sent once more, with the same number.
        if (steps.every(({ kind }) => kind !== 'outage' && kind !== 'kill')) expect(client.twice).toBe(0);
        for (const device of DEVICES) {
          const owner = world.ownerOf(device);
          expect(owner).toBeDefined();
          const shown = client.at?.store.document(topicOf(device));
          expect(shown).toEqual(owner?.store.document(topicOf(device)));
          expect(client.document(topicOf(device))).toEqual(shown);
        }
        if (client.full > 1) return;
        // It never got everything again: what it lacks is a gap.
        for (const [id, topic] of said)
          if (!client.gaps.has(topic)) expect(client.events.has(id), `${id} of ${topic}`).toBe(true);
      }),
      { numRuns: 200 },
    );
    expect(portable).toBeGreaterThan(0);
  }, 240_000);
});

describe('the cuts of a shard', () => {
  it('know nothing of what was before the snapshot was settled', () => {
    const cuts = new ShardCuts(3);
    cuts.read(5, 50, undefined);
    expect(cuts.at(5)).toBeUndefined();
    cuts.settle(6, 60);
    cuts.read(7, 70, undefined);
    cuts.read(8, 80, 75);
    cuts.read(9, 90, undefined);
    expect([5, 6, 7, 8, 9, 20].map((rev) => cuts.at(rev))).toEqual([
      undefined,
      { foreign: 60, own: 3 },
      { foreign: 70, own: 3 },
      { foreign: 80, own: 75 },
      { foreign: 90, own: 75 },
      { foreign: 90, own: 75 },
    ]);
  });
});
