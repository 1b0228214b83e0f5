import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Endpoint } from '../support/endpoint.ts';
import { BrokerWatcher, hasMosquitto, Mosquitto } from '../support/mosquitto.ts';
import { OutputWorld } from '../support/output-world.ts';
import { PROJECT_ROOT } from '../support/project-files.ts';

const LATE = { timeout: 60_000 };
const LIMIT = { timeout: 180_000 };

let folder: string;
let world: OutputWorld;
let child: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-sides-'));
  world = new OutputWorld();
});
afterEach(async () => {
  child?.kill('SIGKILL');
  child = undefined;
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const sum = ({ sent, lost, waiting }: ReturnType<OutputWorld['counts']>): number => sent + lost + waiting;

describe.runIf(hasMosquitto)('a broker', () => {
  it(
    'that is frozen under a thousand devices gets later what had room, and what had none is counted',
    LIMIT,
    async () => {
      await using broker = await Mosquitto.start();
      await using watcher = await BrokerWatcher.connect(broker.url);
      await world.apply(`  - mqtt: { url: "${broker.url}", state_interval: 0s }`);
      await expect.poll(() => watcher.last.get('heartwire/bridge/state'), LATE).toBe('online');
      await expect.poll(() => world.counts(), LATE).toEqual({ sent: 1, lost: 0, waiting: 0 });
      broker.freeze();
      const devices = 1_000;
      const rounds = 3;
      for (let n = 0; n < devices * rounds; n++)
        world.store.publishEvent(`devices/d${n % devices}/alarms`, {
          n,
          message: 't',
          field: 'x',
          level: 'alarm',
        });
      const total = 1 + devices * rounds;
      // What is on its way, and the last thousand.
      expect(world.counts().lost).toBeGreaterThan(1_000);
      expect(sum(world.counts())).toBe(total);
      const { lost } = world.counts();
      broker.thaw();
      await expect.poll(() => world.counts(), LATE).toEqual({ sent: total - lost, lost, waiting: 0 });
      const came = () => watcher.all.filter(({ topic }) => topic.endsWith('/alarms'));
      await expect.poll(() => new Set(came().map(({ text }) => text)).size, LATE).toBe(total - lost - 1);
      // The last ones are those that are kept.
      expect(JSON.parse(came().at(-1)?.text ?? '')).toMatchObject({ n: devices * rounds - 1 });
    },
  );
});

describe('a disk that is full', () => {
  /** A bridge on a disk without room, that has so many points; `sums` holds what its counts came to at each look. */
  const start = (endpoint: Endpoint, total: number, more = '') => {
    const program = fileURLToPath(new URL('dist/test/support/points-writer.js', `file://${PROJECT_ROOT}/`));
    // No file may grow: a write fails as it does where there is no room.
    const full = `trap '' XFSZ; ulimit -f 0; exec "$0" "$@"`;
    const buffer = join(folder, 'buffer');
    const argv = [process.execPath, program, endpoint.url, buffer, '0', String(total), more];
    const writer = spawn('/bin/sh', ['-c', full, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
    child = writer;
    const seen = { shown: {} as Record<string, unknown>, sums: new Set<number>() };
    createInterface({ input: writer.stdout }).on('line', (line) => {
      seen.shown = JSON.parse(line) as Record<string, unknown>;
      const { sent, lost, waiting } = seen.shown;
      seen.sums.add(Number(sent) + Number(lost) + Number(waiting));
    });
    return seen;
  };
  const came = ({ taken }: Endpoint): readonly number[] =>
    taken.flatMap(({ body }) => [...body.matchAll(/n=(\d+)/g)].map(([, n]) => Number(n)));

  it('keeps no point from being sent once the database is back, and each is counted', LIMIT, async () => {
    await using endpoint = await Endpoint.start();
    endpoint.behaviour = { status: 503 };
    const total = 2_000;
    const seen = start(endpoint, total);
    await expect
      .poll(() => seen.shown, LATE)
      .toMatchObject({ reason: 'output_buffer_unusable', sent: 0, lost: 0, waiting: total, on_disk: 0 });
    expect(String(seen.shown.detail)).toContain('EFBIG');
    endpoint.behaviour = { status: 204 };
    await expect
      .poll(() => seen.shown, { timeout: 120_000 })
      .toMatchObject({ sent: total, lost: 0, waiting: 0 });
    expect(came(endpoint)).toEqual(Array.from({ length: total }, (_, index) => index));
    expect([...seen.sums]).toEqual([total]);
  });

  it('loses the oldest points where the memory is full too, and counts each', LIMIT, async () => {
    await using endpoint = await Endpoint.start();
    endpoint.behaviour = { status: 503 };
    const total = 60_000;
    const seen = start(endpoint, total, ', buffer_mb: 1');
    await expect.poll(() => Number(seen.shown.lost), LATE).toBeGreaterThan(0);
    endpoint.behaviour = { status: 204 };
    await expect.poll(() => seen.shown, { timeout: 120_000 }).toMatchObject({ waiting: 0 });
    const sent = Number(seen.shown.sent);
    expect(came(endpoint)).toHaveLength(sent);
    expect(came(endpoint).at(-1)).toBe(total - 1);
    expect([...seen.sums]).toEqual([total]);
    expect(String(seen.shown.lost_detail)).toContain('1 MiB');
  });
});
