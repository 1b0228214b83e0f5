import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { History } from '../src/history/history.ts';
import { systemClock } from '../src/system/clock.ts';
import { killWhileWriting } from '../test/support/killed-history.ts';
import { startBridge } from '../test/support/test-bridge.ts';
import { type Bench, type BenchRow, median } from './support/bench.ts';
import { changeValues, LateWatcher, p99 } from './support/late-feed.ts';

const DEVICES = 1_000;
const FIELDS = 10;
const SECONDS = 600;
const KILLS = 50;
const QUERIES = 200;
/** How late the feed is: with and without a history in turns of so long. */
const TURN_MS = 1_500;
const TURNS = 16;
const WARM_UP_TURNS = 2;

/** A wall clock that the bench moves on, so that ten minutes of rows need not take ten minutes. */
function movedClock(): { readonly clock: typeof systemClock; move(ms: number): void } {
  let moved = 0;
  const clock = {
    ...systemClock,
    now: () => {
      const { monoMs, wallMs } = systemClock.now();
      return { monoMs: monoMs + moved, wallMs: wallMs + moved };
    },
    setTimer: (at: number, callback: () => void) => systemClock.setTimer(at - moved, callback),
  };
  return {
    clock,
    move(ms) {
      moved += ms;
    },
  };
}

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
const LIMITS = { keepMs: 30 * 86_400_000, budgetBytes: 4e9 };

const cpuMs = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1_000;

async function ingest(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'heartwire-history-'));
  const file = join(folder, 'history.db');
  const { clock, move } = movedClock();
  const history = new History({
    file,
    epoch: 'bench',
    version: 'bench',
    ...LIMITS,
    clock,
    log: SILENT,
    conceals: () => false,
  });
  await history.start();
  const devices = Array.from({ length: DEVICES }, (_, index) => `d${index}`).flatMap(
    (id) => history.observe({ id, fields: undefined, replay: false }) ?? [],
  );
  const from = clock.now().wallMs;
  const values: Record<string, number> = {};
  let rss = 0;
  let rssAtHalf = 0;
  // Making the values is not part of it.
  let making = 0;
  const before = process.cpuUsage();
  for (let second = 0; second < SECONDS; second++) {
    for (const [index, device] of devices.entries()) {
      const began = performance.now();
      for (let field = 0; field < FIELDS; field++)
        values[`f${field}`] = Math.round(2_000 + 500 * Math.sin((second + index + field * 7) / 30)) / 100;
      making += performance.now() - began;
      device.measured('m', values);
    }
    move(1_000);
    // One turn for the thread's answers.
    await new Promise((resolve) => setImmediate(resolve));
    while (history.pendingRows > 20_000) await new Promise((resolve) => setTimeout(resolve, 1));
    rss = Math.max(rss, process.memoryUsage().rss);
    if (second === SECONDS / 2) rssAtHalf = process.memoryUsage().rss;
  }
  while (history.pendingRows > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const busy = cpuMs(process.cpuUsage(before)) - making;
  const rows = DEVICES * FIELDS * SECONDS;
  const share = busy / (SECONDS * 1_000);
  const rssAtEnd = process.memoryUsage().rss;
  const took: number[] = [];
  let points = 0;
  for (let query = 0; query < QUERIES; query++) {
    const began = performance.now();
    const answer = await history.query({
      kind: 'values',
      device: `d${(query * 37) % DEVICES}`,
      field: `m.f${query % FIELDS}`,
      from,
      to: clock.now().wallMs,
      points: 600,
    });
    took.push(performance.now() - began);
    if (answer.ok && answer.body !== undefined)
      points = (JSON.parse(Buffer.from(answer.body).toString()) as { points: unknown[] }).points.length;
  }
  took.sort((a, b) => a - b);
  const p95 = took[Math.floor(QUERIES * 0.95)] ?? 0;
  const { dropped } = history.status();
  await history[Symbol.asyncDispose]();
  const bytes = statSync(file).size / rows;
  rmSync(folder, { recursive: true });
  const mib = (value: number): string => `${(value / 2 ** 20).toFixed(0)} MiB`;
  return [
    {
      name: `history: ${DEVICES} devices x ${FIELDS} values/s, ${SECONDS} s of rows`,
      peer: '-',
      ratio: '-',
      figure: `${(share * 100).toFixed(1)} % of a core, ${((busy * 1_000) / rows).toFixed(2)} us a value, ${String(dropped)} dropped`,
      target: { text: '<= 15 % of a core', met: share <= 0.15 && dropped === 0 },
    },
    {
      name: 'history: one field over all of it',
      peer: '-',
      ratio: '-',
      figure: `p95 ${p95.toFixed(1)} ms, median ${(took[QUERIES / 2] ?? 0).toFixed(1)} ms, ${points} points`,
      target: { text: 'p95 < 50 ms', met: p95 < 50 },
    },
    { name: 'history: disk', peer: '-', ratio: '-', figure: `${bytes.toFixed(1)} bytes a value` },
    {
      name: 'history: memory',
      peer: '-',
      ratio: '-',
      figure: `${mib(rssAtHalf)} at half, ${mib(rssAtEnd)} at the end, ${mib(rss)} at most`,
    },
  ];
}

/** The feed of devices with ten values each, 1,000 times a second: how late it is where all of it is kept, and where not. */
async function lateness(): Promise<BenchRow> {
  const folder = mkdtempSync(join(tmpdir(), 'heartwire-late-'));
  const history = new History({
    file: join(folder, 'history.db'),
    epoch: 'bench',
    version: 'bench',
    ...LIMITS,
    clock: systemClock,
    log: SILENT,
    conceals: () => false,
  });
  await history.start();
  await using bridge = await startBridge('listeners: [{ link: "tcp-listen:127.0.0.1:0" }]');
  const watcher = await LateWatcher.connect(bridge.url);
  const records = new Map(
    Array.from({ length: DEVICES }, (_, index) => `d${index}`).map((id) => [
      id,
      history.observe({ id, fields: undefined, replay: false }),
    ]),
  );
  const keep = (device: string, values: Readonly<Record<string, number>>): void => {
    const { n = 0 } = values;
    const ten: Record<string, number> = {};
    for (let field = 0; field < FIELDS; field++) ten[`f${field}`] = (n + field) / 8;
    records.get(device)?.measured('t', ten);
  };
  const turn = async (kept: boolean): Promise<number> => {
    watcher.take();
    await changeValues(bridge, TURN_MS, kept ? keep : () => undefined);
    return p99(watcher.take());
  };
  const turns = { without: [] as number[], kept: [] as number[] };
  for (let round = -WARM_UP_TURNS; round < TURNS; round++) {
    // Now this first, now that: what drifts hits both alike.
    const both = ['without', 'kept'] as const;
    for (const each of round % 2 === 0 ? both : both.toReversed()) {
      const late = await turn(each === 'kept');
      if (round >= 0) turns[each].push(late);
    }
  }
  watcher.close();
  const { dropped } = history.status();
  await history[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
  const [kept, without] = [median(turns.kept), median(turns.without)];
  return {
    name: `history: feed p99, 1,000 changes/s of ${FIELDS} values each, all of them kept`,
    figure: `${kept.toFixed(2)} ms, ${String(dropped)} dropped`,
    peer: `${without.toFixed(2)} ms without a history`,
    ratio: (kept / without).toFixed(2),
    target: { text: '<= 1.1 x or 0.5 ms more', met: kept <= without * 1.1 || kept - without <= 0.5 },
  };
}

async function kills(): Promise<BenchRow> {
  const folder = mkdtempSync(join(tmpdir(), 'heartwire-killed-'));
  const file = join(folder, 'history.db');
  let first = 0;
  let worst = 0;
  let wrong = 0;
  for (let round = 0; round < KILLS; round++) {
    const { fields, said, missingMs, damaged } = await killWhileWriting(
      file,
      first,
      Math.round(55 + Math.random() * 75),
    );
    worst = Math.max(worst, missingMs);
    for (const values of fields) {
      const fresh = values.filter((value) => value >= first);
      const whole = fresh.length > 0 && fresh.every((value, index) => value === first + index);
      if (damaged || !whole || new Set(values).size !== values.length) wrong++;
    }
    first = said + 1_000;
  }
  rmSync(folder, { recursive: true });
  return {
    name: `history: killed while writing, ${KILLS} times`,
    peer: '-',
    ratio: '-',
    figure: `${wrong} fields with a hole or a value twice; at most the last ${worst} ms missing`,
    target: { text: 'nothing twice, at most 1 s missing', met: wrong === 0 && worst <= 1_000 },
  };
}

export const bench: Bench = {
  about: 'What it costs to keep what was, to ask for it, and what a killed process takes with it.',
  async *run() {
    yield* await ingest();
    yield await lateness();
    yield await kills();
  },
};
