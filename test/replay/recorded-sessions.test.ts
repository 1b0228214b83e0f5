import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { publishedValues } from '../../src/cli/simulated-speech.ts';
import { readShippedPacks } from '../../src/config/packs/tables.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { readConfig } from '../../src/config/read.ts';
import type { StateDocument } from '../../src/contract/feed/topic-documents.ts';
import { SimulatedFleet } from '../../src/simulator/simulated-fleet.ts';
import { systemClock } from '../../src/system/clock.ts';
import { runCli } from '../cli/check-io.ts';

const packs = (await readShippedPacks()).filter(({ protocol }) => protocol.logsIn);
const LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };
const PATIENCE = { timeout: 20_000 };

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-recorded-'));
});
afterEach(() => rm(folder, { recursive: true }));

type Line = { readonly sent?: string; readonly state?: StateDocument };

/** Runs a device of a pack against a bridge that records it: it logs in, speaks, is cut off, and comes back. */
async function record(name: string): Promise<StateDocument> {
  const pack = packs.find((each) => each.name === name);
  if (pack === undefined) throw new Error(`there is no pack ${name}`);
  const file = join(folder, 'devices.yaml');
  await writeFile(
    file,
    `server: { port: 0 }
history: false
recording: { dir: ${join(folder, 'traces')} }
messages: pack:${name}
listeners: [{ link: "tcp-listen:127.0.0.1:0" }]
devices: [{ id: d, match: { identity: "${identityOf(name)}" }, record: true, presence: { every: 10m } }]
`,
  );
  const { config, problems } = await readConfig(file, 'devices.yaml');
  expect(problems.map(formatProblem)).toEqual([]);
  if (config === undefined) throw new Error('no configuration');
  await using bridge = new Bridge({ config, clock: systemClock, log: LOG, version: '0.0.0-test' });
  const { listeners } = await bridge.start();
  const said = publishedValues(pack.frames);
  await using fleet = new SimulatedFleet(
    {
      address: { scheme: 'tcp', host: '127.0.0.1', port: Number(listeners[0]?.split(':').at(-1)) },
      count: 1,
      seed: 1,
      reconnect: { initialMs: 20, maxMs: 50 },
      declared: {
        protocol: pack.protocol,
        addresses: [1],
        seed: 1,
        everyMs: 50,
        heartbeatEveryMs: 100,
        name: identityOf(name),
        said,
      },
    },
    { clock: systemClock },
  );
  // The topic carries documents of this kind.
  const state = () => bridge.store.document('devices/d/state') as StateDocument | undefined;
  const stats = () =>
    bridge.store.document('devices/d/stats') as { frames_in: number; connects: number } | undefined;
  await fleet.start();
  await expect.poll(() => stats()?.frames_in ?? 0, PATIENCE).toBeGreaterThan(20);
  fleet.devices[0]?.cut();
  // It comes back so soon that nothing may have seen it away.
  await expect.poll(() => stats()?.connects ?? 0, PATIENCE).toBeGreaterThan(1);
  await expect.poll(() => state()?.status, PATIENCE).toBe('online');
  await fleet.stop();
  await expect.poll(() => state()?.status, PATIENCE).toBe('away');
  const last = state();
  if (last === undefined) throw new Error('no state');
  return last;
}

/** As long as the protocol has it. */
const identityOf = (name: string): string =>
  ({ 'jt808-2013': '013912344329', 'jt808-2019': '00000000013912344329' })[name] ?? '356307042441013';

describe('a live session of declared messages that was recorded', () => {
  it.each(packs.map(({ name }) => name))(
    '%s comes out of its replay as it was: the same answers, values and life',
    { timeout: 90_000 },
    async (name) => {
      const live = await record(name);
      const [trace = ''] = (await readdir(join(folder, 'traces'))).filter((each) => each.endsWith('.trace'));
      const path = join(folder, 'traces', trace);
      const argv = ['replay', path, '--messages', `pack:${name}`];
      const { code, out } = await runCli(argv, folder);
      expect(code).toBe(0);
      const lines = out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line); // The command prints objects only.
      const sentLive = [...(await readFile(path, 'utf8')).matchAll(/^\S+ c\d+ > (.*)$/gm)].map(
        ([, hex]) => hex,
      );
      const sent = lines.flatMap((line) => line.sent ?? []);
      expect(sent.join('')).toBe(sentLive.join('').replaceAll(' ', ''));
      expect(sent.length).toBeGreaterThan(2);
      const { values, status, identity } = lines.findLast(({ state }) => state !== undefined)?.state ?? {};
      expect({ values, status, identity }).toEqual({
        values: live.values,
        status: live.status,
        identity: live.identity,
      });
      // It is a test from now on.
      await writeFile(join(folder, 'golden.jsonl'), out);
      expect(await runCli([...argv, '--expect', 'golden.jsonl'], folder)).toMatchObject({ code: 0 });
      const other = out.replace(/"status":"online"/, '"status":"stale"');
      expect(other).not.toBe(out);
      await writeFile(join(folder, 'other.jsonl'), other);
      expect(await runCli([...argv, '--expect', 'other.jsonl'], folder)).toMatchObject({ code: 1 });
    },
  );
});
