import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/system/clock.ts';
import type { Clock } from '../../src/system/index.ts';
import { Endpoint } from '../support/endpoint.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { hasInflux, InfluxServer } from '../support/influx-server.ts';
import { OutputWorld } from '../support/output-world.ts';

const LATE = { timeout: 30_000 };
const LIMIT = { timeout: 120_000 };

let folder: string;
let endpoint: Endpoint;
let world: OutputWorld;
let log: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-refused-'));
  endpoint = await Endpoint.start();
  log = [];
  world = makeWorld();
});
const makeWorld = (clock: Clock = systemClock): OutputWorld => {
  const say = (_: object, text: string): void => void log.push(text);
  return new OutputWorld({ clock, log: { info: say, warn: say, error: say } });
};
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await endpoint[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const inMemory = (url: string) => `  - influx: { url: "${url}", bucket: bench, batch: 50ms }`;
const onDisk = (url: string) =>
  `  - influx: { url: "${url}", bucket: bench, batch: 50ms, buffer_dir: ${join(folder, 'buffer')} }`;
const bodies = (): string => endpoint.taken.map(({ body }) => body).join('');
const came = (): readonly number[] => [...bodies().matchAll(/n=(\d+)/g)].map(([, n]) => Number(n));
const upTo = (total: number): readonly number[] => Array.from({ length: total }, (_, index) => index);
const refusing = (isBad: (body: string) => boolean, status: number) => (request: { readonly body: string }) =>
  isBad(request.body) ? { status, body: 'no such line' } : { status: 204 };

describe.each([
  ['in memory', inMemory],
  ['on a disk', onDisk],
])('what waits %s', (where, entry) => {
  it('loses of a batch only the lines that are refused, and names the first', LIMIT, async () => {
    await world[Symbol.asyncDispose]();
    // However long it takes to make them, they are one batch.
    const clock = new FakeClock();
    world = makeWorld(clock);
    await world.apply(entry(endpoint.url));
    endpoint.behaviour = refusing((body) => body.includes('bad'), 400);
    for (let n = 0; n < 1_000; n++) world.sample('a', 't', n === 77 || n === 500 ? { bad: n } : { n });
    await expect
      .poll(() => {
        clock.advance(50);
        return endpoint.refused.length;
      }, LATE)
      .toBeGreaterThan(0);
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 998, lost: 2, waiting: 0 });
    expect([...came()].sort((a, b) => a - b)).toEqual(upTo(1_000).filter((n) => n !== 77 && n !== 500));
    const detail = expect.stringMatching(/^HTTP status 400: no such line; line: t,device=a bad=77 \d+$/);
    expect(world.shown()).toMatchObject({ status: 'ready', lost_detail: detail });
    expect(log.filter((line) => line.includes(' lost 2: HTTP status 400'))).toHaveLength(1);
  });

  it('goes in parts where a request is too large', LIMIT, async () => {
    await world.apply(entry(endpoint.url));
    endpoint.behaviour = refusing((body) => body.length > 2_000, 413);
    for (let n = 0; n < 1_000; n++) world.sample('a', 't', { n });
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 1_000, lost: 0, waiting: 0 });
    expect(came()).toEqual(upTo(1_000));
  });

  it('keeps what it found out while the database is busy in between', LIMIT, async () => {
    await world.apply(entry(endpoint.url));
    let requests = 0;
    const judge = refusing((body) => body.includes('bad'), 400);
    endpoint.behaviour = (request) => (requests++ % 3 === 2 ? { status: 429 } : judge(request));
    for (let n = 0; n < 64; n++) world.sample('a', 't', n === 40 ? { bad: n } : { n });
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 63, lost: 1, waiting: 0 });
    // Nothing that was taken goes again, but a part that was on its way from memory to the disk meanwhile.
    if (where === 'in memory') expect(came()).toEqual(upTo(64).filter((n) => n !== 40));
  });

  it.each([301, 401, 403, 404, 405, 407, 408, 429, 500, 503])(
    'loses nothing where the answer is %i',
    LIMIT,
    async (status) => {
      await world.apply(entry(endpoint.url));
      endpoint.behaviour = { status };
      world.sample('a', 't', { n: 0 });
      await expect
        .poll(() => world.shown(), LATE)
        .toMatchObject({ status: 'backoff', sent: 0, lost: 0, waiting: 1 });
      endpoint.behaviour = { status: 204 };
      await expect.poll(() => world.counts(), LATE).toEqual({ sent: 1, lost: 0, waiting: 0 });
    },
  );
});

describe.runIf(hasInflux)('InfluxDB itself', () => {
  it('takes every line, with the types and names that were measured', LIMIT, async () => {
    await using database = await InfluxServer.start();
    await world.apply(inMemory(database.url));
    const text = 'a "quoted" \\ back\\\\slash, = 温度\nnext\\';
    world.state('a');
    world.sample('a', 'odd group,x', { 'sp ace': 1.5, 'com,ma': -2e-9, 'eq=ual': true, text });
    world.sample('a', 't', { deep: { er: [1, 2] }, huge: 1e300, 单位: 3, nothing: undefined, nan: NaN });
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 3, lost: 0, waiting: 0 });
    expect(await database.query('SELECT * FROM "odd group,x"')).toEqual([
      {
        time: expect.any(Number),
        device: 'a',
        'sp ace': 1.5,
        'com,ma': -2e-9,
        'eq=ual': true,
        text: text.replace('\n', ' '),
      },
    ]);
    expect(await database.query('SELECT * FROM t')).toMatchObject([
      { 'deep.er.0': 1, 'deep.er.1': 2, huge: 1e300, 单位: 3 },
    ]);
    expect(await database.query('SELECT * FROM heartwire_status')).toMatchObject([
      { device: 'a', online: true, status: 'online', link: 'connected', reason: '' },
    ]);
  });

  it('that refuses a type loses that line alone', LIMIT, async () => {
    await using database = await InfluxServer.start();
    await world.apply(inMemory(database.url));
    world.sample('a', 't', { n: -1 });
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 1, lost: 0, waiting: 0 });
    for (let n = 0; n < 500; n++) world.sample('a', n % 2 ? 't' : 'u', n === 301 ? { n: 'text' } : { n });
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 500, lost: 1, waiting: 0 });
    const count = async (from: string) => (await database.query(`SELECT count(n) FROM ${from}`))[0]?.count;
    expect([await count('t'), await count('u')]).toEqual([250, 250]);
    expect(String(world.shown().lost_detail)).toMatch(
      /field type conflict.*; line: t,device=a n="text" \d+$/,
    );
  });

  it('whose bucket is missing is a state, and no loss', LIMIT, async () => {
    await using database = await InfluxServer.start();
    await world.apply(inMemory(database.url).replace('bucket: bench', 'bucket: nowhere'));
    world.sample('a', 't', { n: 0 });
    await expect
      .poll(() => world.shown(), LATE)
      .toMatchObject({ status: 'backoff', reason: 'output_refused', lost: 0, waiting: 1 });
    await database.query('CREATE DATABASE nowhere');
    await expect.poll(() => world.counts(), LATE).toEqual({ sent: 1, lost: 0, waiting: 0 });
  });
});
