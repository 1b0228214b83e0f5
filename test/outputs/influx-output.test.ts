import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { readConfig } from '../../src/config/read.ts';
import { systemClock } from '../../src/system/clock.ts';
import { Endpoint } from '../support/endpoint.ts';
import { OutputWorld } from '../support/output-world.ts';
import { PROJECT_ROOT } from '../support/project-files.ts';
import { OVEN_MESSAGES, SpokenOven } from '../support/spoken-oven.ts';

const LATE = { timeout: 30_000 };
const LIMIT = { timeout: 120_000 };

let folder: string;
let endpoint: Endpoint;
let world: OutputWorld;
let child: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-influx-'));
  await writeFile(join(folder, 'token'), 'secret\n');
  endpoint = await Endpoint.start();
  world = new OutputWorld();
});
afterEach(async () => {
  child?.kill('SIGKILL');
  child = undefined;
  await world[Symbol.asyncDispose]();
  await endpoint[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const entry = (more = '') =>
  `  - influx: { url: "${endpoint.url}", bucket: bench, org: lab, batch: 20ms, token_file: ${join(folder, 'token')} ${more} }`;
const onDisk = (more = '') => entry(`, buffer_dir: ${join(folder, 'buffer')} ${more}`);
const lines = (): string[] => endpoint.taken.flatMap(({ body }) => body.trim().split('\n'));
const counted = (): number[] => lines().map((line) => Number(/n=(\d+)/.exec(line)?.[1]));
/** As a database holds them: a point of the same time is the same point. */
const held = (): number[] => [
  ...new Map(lines().map((line, index) => [line.split(' ').at(-1) ?? '', counted()[index] ?? NaN])).values(),
];
const upTo = (total: number): number[] => Array.from({ length: total }, (_, index) => index);
const measure = (from: number, to: number): void => {
  for (let n = from; n < to; n++) world.sample('a', 't', { n });
};
const sum = ({ sent, lost, waiting }: ReturnType<OutputWorld['counts']>): number => sent + lost + waiting;

describe('a database of values', () => {
  it('gets each sample with its time, also one that says nothing new, and each change of status', async () => {
    await world.apply(entry());
    world.state('a');
    world.sample('a', 't', { x: 1, on: true, mode: 'heat' });
    world.sample('a', 't', { x: 1, on: true, mode: 'heat' });
    world.state('a', { values: { t: { x: 1 } } });
    world.state('a', { status: 'offline', reason: 'heartbeat_missed' });
    await expect.poll(() => lines().length, LATE).toBe(4);
    expect(lines().map((line) => line.replace(/ \d+$/, ' T'))).toEqual([
      'heartwire_status,device=a online=true,status="online",link="connected",reason="" T',
      't,device=a x=1,on=true,mode="heat" T',
      't,device=a x=1,on=true,mode="heat" T',
      'heartwire_status,device=a online=false,status="offline",link="connected",reason="heartbeat_missed" T',
    ]);
    const [{ path, headers } = { path: '', headers: {} }] = endpoint.taken;
    expect(path).toBe('/api/v2/write?bucket=bench&org=lab&precision=ns');
    expect(headers.authorization).toBe('Token secret');
    const times = lines().map((line) => BigInt(line.split(' ').at(-1) ?? ''));
    expect(times).toEqual([...new Set(times)].sort((a, b) => (a < b ? -1 : 1)));
  });

  it('gets a point for each answer of a polled device, though its value stays the same', LIMIT, async () => {
    await using oven = await SpokenOven.start();
    await writeFile(join(folder, 'messages.yaml'), OVEN_MESSAGES);
    const text = `server: { port: 0 }\ndevices:
  - { id: oven, link: "tcp:127.0.0.1:${oven.port}", session: none, messages: messages.yaml, poll: [{ message: climate, every: 20ms }] }
outputs:\n${entry()}`;
    await writeFile(join(folder, 'devices.yaml'), text);
    const { config, problems } = await readConfig(join(folder, 'devices.yaml'), 'devices.yaml');
    if (config === undefined) throw new Error(JSON.stringify(problems));
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    await using bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0-test' });
    await bridge.start();
    const points = () => lines().filter((line) => line.startsWith('climate,device=oven temperature=20 '));
    await expect.poll(() => points().length, LATE).toBeGreaterThan(5);
    expect(points().length).toBeLessThanOrEqual(oven.asked);
  });

  it('gets nothing of a device that is secret, and nothing that is replayed', async () => {
    await world.apply(entry());
    world.secret.add('s');
    world.state('s');
    world.sample('s', 't', { n: 1 });
    world.sample('r', 't', { n: 2 }, true);
    world.state('r', { replay: true });
    world.sample('b', 't', { n: 3 });
    await expect.poll(counted, LATE).toEqual([3]);
  });

  it('whose token cannot be read says so by name', async () => {
    await rm(join(folder, 'token'));
    await world.apply(entry());
    expect(world.shown()).toMatchObject({ status: 'failed', reason: 'output_secret_unreadable' });
    expect(String(world.shown().detail)).toContain(join(folder, 'token'));
  });
});

describe.each([
  ['in memory', entry],
  ['on a disk', onDisk],
])('what waits %s for a database', (_, output) => {
  it.each([
    ['answers with 500', () => endpoint.behave({ status: 500 })],
    ['asks to wait', () => endpoint.behave({ status: 429, headers: { 'Retry-After': '1' } })],
    ['does not take the token', () => endpoint.behave({ status: 401, body: 'no' })],
    ['is not there', () => endpoint.stop()],
  ])('that %s is sent later, once and in order', LIMIT, async (what, harm) => {
    await world.apply(output());
    const port = Number(new URL(endpoint.url).port);
    measure(0, 1);
    await expect.poll(counted, LATE).toEqual([0]);
    await harm();
    measure(1, 25);
    await expect.poll(() => world.shown().status, LATE).toBe('backoff');
    expect(world.shown()).toMatchObject({
      kind: 'influx',
      url: endpoint.url,
      retry_at: expect.any(Number),
      reason:
        what === 'answers with 500' || what === 'is not there' ? 'output_unreachable' : 'output_refused',
    });
    measure(25, 50);
    endpoint.behaviour = { status: 204 };
    if (what === 'is not there') await endpoint.listen(port);
    await expect.poll(() => counted().length, LATE).toBe(50);
    expect(counted()).toEqual(upTo(50));
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 50, lost: 0, waiting: 0 });
  });

  it('that refuses what is sent is lost alone, and counted', LIMIT, async () => {
    await world.apply(output());
    endpoint.behaviour = { status: 400, body: 'bad line' };
    measure(0, 1);
    await expect.poll(() => world.shown().status, LATE).toBe('failed');
    const detail = expect.stringMatching(/^HTTP status 400: bad line; line: t,device=a n=0 \d+$/);
    expect(world.shown()).toMatchObject({ reason: 'output_refused', detail, lost_detail: detail });
    endpoint.behaviour = { status: 204 };
    measure(1, 2);
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 1, lost: 1, waiting: 0 });
    expect(world.shown().status).toBe('ready');
  });

  it('that hangs is bounded: what is too much is lost, and counted to the last one', LIMIT, async () => {
    await world.apply(output(', buffer_mb: 1, disk_mb: 1'));
    endpoint.behaviour = 'hang';
    const total = 60_000;
    for (let n = 0; n < total; n++) {
      world.sample('a', 't', { n, text: 'x'.repeat(100) });
      if (n % 500 === 0) await new Promise(setImmediate);
    }
    await expect.poll(() => world.counts().lost, LATE).toBeGreaterThan(1_000);
    // Between two looks at it nothing may be missing.
    for (let look = 0; look < 50; look++) {
      expect(sum(world.counts())).toBe(total);
      await new Promise(setImmediate);
    }
  });
});

describe('what waits on a disk', () => {
  it('is sent by the next run, before what is measured then', LIMIT, async () => {
    await world.apply(onDisk());
    await endpoint.stop();
    measure(0, 100);
    await expect.poll(() => world.shown().on_disk, LATE).toBe(100);
    measure(100, 200);
    await world[Symbol.asyncDispose]();
    await endpoint.listen(Number(new URL(endpoint.url).port));
    world = new OutputWorld();
    await world.apply(onDisk());
    measure(200, 300);
    await expect.poll(() => counted().length, LATE).toBe(300);
    expect(counted()).toEqual(upTo(300));
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 300, lost: 0, waiting: 0 });
  });

  it('takes nothing of the disk while the database is there', LIMIT, async () => {
    await world.apply(onDisk());
    for (let n = 0; n < 20; n++) {
      measure(n, n + 1);
      await expect.poll(() => world.counts().sent, LATE).toBe(n + 1);
    }
    expect(await readdir(join(folder, 'buffer'))).toEqual([]);
  });

  it('of a disk that takes nothing waits in memory, and says so', LIMIT, async () => {
    await writeFile(join(folder, 'no-folder'), '');
    await world.apply(entry(`, buffer_dir: ${join(folder, 'no-folder')}`));
    endpoint.behaviour = { status: 500 };
    measure(0, 10);
    await expect
      .poll(() => world.shown(), LATE)
      .toMatchObject({ status: 'backoff', reason: 'output_buffer_unusable', waiting: 10 });
    expect(String(world.shown().detail)).toContain(join(folder, 'no-folder'));
    endpoint.behaviour = { status: 204 };
    measure(10, 20);
    await expect.poll(() => counted().length, { timeout: 60_000 }).toBe(20);
    expect(counted()).toEqual(upTo(20));
    expect(world.counts()).toEqual({ sent: 20, lost: 0, waiting: 0 });
  });

  it('survives a SIGKILL again and again: the database holds each point once', LIMIT, async () => {
    const program = fileURLToPath(new URL('dist/test/support/points-writer.js', `file://${PROJECT_ROOT}/`));
    const ranges: Array<readonly [from: number, safe: number]> = [];
    for (let round = 0; round < 6; round++) {
      // It is away in every other round.
      endpoint.behaviour = round % 2 === 0 ? { status: 503 } : { status: 204 };
      const from = round * 100_000;
      const writer = spawn(process.execPath, [program, endpoint.url, join(folder, 'buffer'), String(from)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      child = writer;
      let safe = from;
      writer.stdout.setEncoding('utf8');
      writer.stdout.on('data', (text: string) => {
        safe = Number(text.trimEnd().split('\n').at(-1));
        if (safe >= from + 400) writer.kill('SIGKILL');
      });
      await once(writer, 'close');
      ranges.push([from, safe]);
    }
    endpoint.behaviour = { status: 204 };
    await world.apply(onDisk());
    // It goes behind all that the disk holds.
    measure(999_999, 1_000_000);
    await expect.poll(counted, LATE).toContain(999_999);
    await expect.poll(() => world.counts(), LATE).toMatchObject({ waiting: 0, lost: 0 });
    const all = held();
    // What was on its way when the process was killed may come twice, with the same time: one point for a database.
    expect(all.length).toBe(new Set(all).size);
    const missing = ranges.flatMap(([from, safe]) => {
      const there = new Set(all);
      return Array.from({ length: safe - from }, (_, index) => from + index).filter((n) => !there.has(n));
    });
    expect(missing).toEqual([]);
  });
});
