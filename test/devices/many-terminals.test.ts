import { describe, expect, it } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { publishedValues } from '../../src/cli/simulated-speech.ts';
import { loadConfig } from '../../src/config/load.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { readShippedPacks } from '../../src/config/packs/tables.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { StateDocument } from '../../src/contract/feed/topic-documents.ts';
import type { Values } from '../../src/contract/value.ts';
import type { SimulatedDevice } from '../../src/simulator/simulated-device.ts';
import { SimulatedFleet } from '../../src/simulator/simulated-fleet.ts';
import { systemClock } from '../../src/system/clock.ts';
import { benchOf } from '../support/declared-bench.ts';
import { DeviceWatcher } from '../support/device-watcher.ts';
import { readProjectFile } from '../support/project-files.ts';
import { gt06, jt808 } from '../support/trackers.ts';

const EACH = 50;
const TAKEN_OVER = 10;
const PATIENCE = { timeout: 60_000 };
const LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };

const shipped = await readShippedPacks();
const fileOf = (name: string): string => `packs/${name}/messages.yaml`;

/** What the terminals of a pack log in as, and the messages in which they say it. */
const PACKS = [
  { name: 'gt06', field: 'imei', idOf: ({ identity }: SimulatedDevice) => identity.imei, saidIn: ['login'] },
  {
    name: 'jt808-2013',
    field: 'phone',
    idOf: ({ identity }: SimulatedDevice) => identity.imei.slice(-12),
    saidIn: ['register', 'authenticate', 'heartbeat', 'location'],
  },
] as const;

/** A bridge with a listener for each pack. */
async function bridgeOfPacks() {
  const files = PACKS.map(({ name }) => fileOf(name));
  const { config, problems } = loadConfig(
    `server: { port: 0 }
listeners:
${files.map((file) => `  - { link: "tcp-listen:127.0.0.1:0", messages: ${file}, unknown: accept }\n`).join('')}`,
    'devices.yaml',
    new Map(files.map((file) => [file, loadMessages(readProjectFile(file), file)] as const)),
  );
  expect(problems.map(formatProblem)).toEqual([]);
  if (config === undefined) throw new Error('no configuration');
  const bridge = new Bridge({ config, clock: systemClock, log: LOG, version: '0.0.0-test' });
  const { listeners, url } = await bridge.start();
  return { bridge, url, ports: listeners.map((each) => Number(each.split(':').at(-1))) };
}

function fleetOf(name: string, port: number | undefined, count: number): SimulatedFleet {
  const { protocol, frames } = shipped.find((each) => each.name === name) ?? {};
  if (protocol === undefined || frames === undefined || port === undefined)
    throw new Error(`no fleet of ${name}`);
  return new SimulatedFleet(
    {
      address: { scheme: 'tcp', host: '127.0.0.1', port },
      count,
      seed: 7,
      prefix: name,
      declared: {
        protocol,
        addresses: [1],
        seed: 7,
        everyMs: 1_000,
        heartbeatEveryMs: 1_000,
        said: publishedValues(frames),
      },
    },
    { clock: systemClock },
  );
}

describe('50 terminals of each of two packs, at once', () => {
  it('log in, show their values under their own names, and are taken over', {
    timeout: 240_000,
  }, async () => {
    const { bridge, url, ports } = await bridgeOfPacks();
    await using _bridge = bridge;
    // The topics carry documents of this kind.
    const stateOf = (id: string) => bridge.store.document(`devices/${id}/state`) as StateDocument | undefined;
    const fleets = PACKS.map(({ name }, index) => fleetOf(name, ports[index], EACH));
    await using _one = fleets[0];
    await using _other = fleets[1];
    await Promise.all(fleets.map((fleet) => fleet.start()));
    const all = PACKS.flatMap((pack, index) =>
      (fleets[index]?.devices ?? []).map((device) => ({ pack, id: pack.idOf(device) })),
    );
    expect(new Set(all.map(({ id }) => id)).size).toBe(2 * EACH);
    const lacking = () =>
      all.flatMap(({ pack, id }) => {
        const { status, identity, values = {} } = stateOf(id) ?? {};
        const missing = pack.saidIn.filter((message) => values[message] === undefined);
        return status === 'online' && identity !== undefined && missing.length === 0 ? [] : [id];
      });
    await expect.poll(lacking, PATIENCE).toEqual([]);
    for (const { pack, id } of all) {
      const { identity, values = {} } = stateOf(id) ?? {};
      expect(identity).toEqual({ identity: id });
      // What one terminal says stands nowhere under the name of another.
      for (const message of pack.saidIn)
        expect((values[message] as Values | undefined)?.[pack.field]).toBe(id);
    }
    const known = () =>
      (bridge.store.document('bridge/status') as { devices?: { online: number; known: number } } | undefined)
        ?.devices;
    await expect.poll(known, PATIENCE).toMatchObject({ online: 2 * EACH });

    // Ten of each stand still with their links open, and dial in again as others would.
    await using watcher = await DeviceWatcher.connect(url, ['devices/+/state']);
    await expect.poll(() => all.filter(({ id }) => watcher.steps(id).length === 0), PATIENCE).toEqual([]);
    const frozen = fleets.flatMap((fleet) => fleet.devices.slice(0, TAKEN_OVER));
    for (const device of frozen) device.freeze();
    const before = new Map(all.map(({ id }) => [id, stateOf(id)?.link.address] as const));
    const newer = PACKS.map(({ name }, index) => fleetOf(name, ports[index], TAKEN_OVER));
    await using _newOne = newer[0];
    await using _newOther = newer[1];
    await Promise.all(newer.map((fleet) => fleet.start()));
    const taken = PACKS.flatMap((pack, index) =>
      (newer[index]?.devices ?? []).map((each) => pack.idOf(each)),
    );
    await expect
      .poll(() => taken.filter((id) => stateOf(id)?.link.address === before.get(id)), PATIENCE)
      .toEqual([]);
    const after = new Map(taken.map((id) => [id, stateOf(id)?.link.address] as const));
    // The old ones go, late: the newer links stay.
    await Promise.all(frozen.map((device) => device.stop()));
    for (const id of taken) {
      expect(stateOf(id)).toMatchObject({ status: 'online', link: { address: after.get(id) } });
      expect(watcher.steps(id).filter((step) => !step.startsWith('online'))).toEqual([]);
    }
    await expect.poll(known, PATIENCE).toMatchObject({ online: 2 * EACH });
  });
});

describe.each([
  {
    name: 'gt06',
    id: '490154203237518',
    login: gt06('0104901542032375180001'),
    accepted: 1,
  },
  {
    name: 'jt808-2013',
    id: '013912344329',
    login: jt808('0102000c0139123443290001303133393132333434333239'),
    accepted: 1,
  },
])('an identity that two terminals have ($name)', ({ name, id, login, accepted }) => {
  const bench = () => benchOf(readProjectFile(fileOf(name)));

  it('stays with the present link after three takeovers in a minute, and says why', () => {
    const made = bench();
    const links = ['10.0.0.1', '10.0.0.2', '10.0.0.1', '10.0.0.2', '10.0.0.3'].map((host) => {
      const link = made.dialIn(host);
      link.data(login);
      made.clock.advance(3_000);
      return link;
    });
    expect(made.state(id)).toMatchObject({ status: 'online', reason: 'duplicate_identity' });
    expect(links.map(({ isOpen }) => isOpen)).toEqual([false, false, false, true, false]);
    expect(made.devices).toEqual([id]);
    expect(made.deviceListener.pendingLinks()).toEqual([]);
  });

  it('is taken over at once from the same address, with one answer for each login', () => {
    const made = bench();
    const [old, fresh] = [made.dialIn(), made.dialIn()];
    old.data(login);
    fresh.data(login);
    expect([old, fresh].map(({ isOpen }) => isOpen)).toEqual([false, true]);
    expect([old, fresh].map((link) => link.takeSent().length)).toEqual([accepted, accepted]);
    old.close();
    expect(made.state(id)).toMatchObject({ status: 'online', link: { address: fresh.address } });
  });
});
