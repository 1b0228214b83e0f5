import type { Browser, CDPSession, Page } from 'playwright-core';
import { BridgeFace } from '../test/support/bridge-face.ts';
import { hasChromium, launchChromium } from '../test/support/chromium.ts';
import type { Bench, BenchOptions, BenchRow } from './support/bench.ts';
import { busyShare, droppedShare, type TraceEvent } from './support/browser-trace.ts';

const DEVICES = 1_000;
const UPDATES_PER_SECOND = 10;
const HEARTBEAT_MS = 3_000;
const TICK_MS = 20;
const WARM_UP_MS = 4_000;
const TRACED_MS = 5_000;
const CATEGORIES = ['toplevel', 'benchmark', 'disabled-by-default-devtools.timeline.frame'];
const SCREEN = { width: 1440, height: 900 };
const MOST_BUSY = 0.4;
const MOST_DROPPED = 0.05;
/** Of the heap after every opening and closing, against the first ones. */
const MOST_GROWTH = 1.15;

/** A fleet that changes all the time, and a browser that shows it. */
class Fleet {
  readonly face: BridgeFace;
  readonly #since = Date.now();
  #at = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(face: BridgeFace) {
    this.face = face;
    face.store.publishState('declarations/rig', {
      fields: { 'rig.load': { unit: 'kN', decimals: 2 }, 'rig.heat': { unit: '°C', decimals: 1 } },
    });
    for (let index = 0; index < DEVICES; index++) this.#publish(index);
  }

  start(): void {
    const perTick = (DEVICES * UPDATES_PER_SECOND * TICK_MS) / 1_000;
    const startedAt = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      // What a busy loop missed is made up for, up to a second.
      const due = Math.min(
        ((performance.now() - startedAt) / TICK_MS) * perTick,
        sent + DEVICES * UPDATES_PER_SECOND,
      );
      for (; sent < due; sent++) this.#publish(this.#at++ % DEVICES);
    }, TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #publish(index: number): void {
    const id = `rig-${String(index).padStart(4, '0')}`;
    const { store } = this.face;
    store.publishState(`devices/${id}/state`, {
      device: id,
      group: `Hall ${index % 8}`,
      status: 'online',
      since: this.#since,
      link: {
        status: 'connected',
        transport: 'tcp',
        address: `10.0.0.${index % 250}:9089`,
        since: this.#since,
        attempt: 0,
      },
      values: {
        rig: {
          load: Math.round(Math.sin(this.#at / 5_000 + index) * 1_000) / 100,
          heat: 20 + (this.#at % 97) / 10,
          cycles: this.#at,
        },
      },
      declaration: 'rig',
    });
    // Each at its own time.
    const beats = (UPDATES_PER_SECOND * HEARTBEAT_MS) / 1_000;
    if ((Math.floor(this.#at / DEVICES) + index) % beats === 0)
      store.publishState(`devices/${id}/stats`, {
        last_heartbeat_at: Date.now(),
        round_trip_ms: (this.#at % 40) / 10,
      });
  }
}

async function traced(
  browser: Browser,
  page: Page,
  act: () => Promise<unknown>,
): Promise<readonly TraceEvent[]> {
  await browser.startTracing(page, { categories: CATEGORIES });
  await act();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString('utf8')) as {
    readonly traceEvents: readonly TraceEvent[];
  };
  return traceEvents;
}

/** Something that the compositor moves all the time, at the top of the window, so that every frame has something to present. */
const PROBE = `(() => {
  const probe = document.createElement('div');
  probe.style.cssText = 'position:fixed;top:0;left:0;width:20px;height:20px;background:#888;z-index:99';
  document.body.append(probe);
  probe.animate([{ transform: 'none' }, { transform: 'translateX(300px)' }], { duration: 1000, iterations: Infinity });
})()`;

const wait = (page: Page): Promise<void> => page.waitForTimeout(TRACED_MS);

/** A page with nothing on it but what moves: what this browser drops on this machine at this moment. */
async function calmShare(browser: Browser, page: Page): Promise<number> {
  await page.goto('about:blank');
  await page.evaluate(PROBE);
  await page.waitForTimeout(WARM_UP_MS / 2);
  return droppedShare(await traced(browser, page, () => wait(page))) ?? 0;
}

async function heapBytes(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize;
}

/** Opens and closes the pages of the program in turn; the heap after each round, in bytes. */
async function* rounds(page: Page, url: string, untilMs: number): AsyncGenerator<number> {
  const session = await page.context().newCDPSession(page);
  const places = [
    '#/?view=tiles',
    '#/devices/rig-0007',
    '#/?groups=1',
    '#/plots?lines=rig-0001:rig.load,rig-0002:rig.heat',
    '#/events',
    '#/devices/rig-0500?span=60',
    '#/bridge',
    '#/',
  ];
  while (performance.now() < untilMs) {
    for (const place of places) {
      await page.goto(`${url}${place}`);
      await page.waitForTimeout(700);
    }
    yield await heapBytes(session);
  }
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

function busyRow(name: string, busy: number): BenchRow {
  return {
    name: `${name}: main thread`,
    figure: `${percent(busy)} busy`,
    peer: '',
    ratio: '',
    target: { text: `<= ${percent(MOST_BUSY)}`, met: busy <= MOST_BUSY },
  };
}

function framesRow(name: string, dropped: number, calm: number): BenchRow {
  return {
    name: `${name}: frames`,
    figure: `${percent(dropped)} dropped`,
    peer: `${percent(calm)} of a page with nothing on it`,
    ratio: calm === 0 ? '' : (dropped / calm).toFixed(1),
    target: { text: `< ${percent(MOST_DROPPED)}`, met: dropped < MOST_DROPPED },
  };
}

async function* run({ minutes = 0.5 }: BenchOptions): AsyncGenerator<BenchRow> {
  if (!hasChromium) return;
  const fleet = new Fleet(await BridgeFace.open());
  const browser = await launchChromium({ page: SCREEN });
  try {
    const context = await browser.newContext({ viewport: null });
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    const { url } = fleet.face;
    const scroll = (): Promise<unknown> =>
      session.send('Input.synthesizeScrollGesture', { x: 600, y: 500, yDistance: -6_000, speed: 1_200 });
    const shown: ReadonlyArray<readonly [string, string, (() => Promise<unknown>)?]> = [
      ['overview', '#/'],
      ['overview, scrolled', '#/', scroll],
      ['tiles', '#/?view=tiles'],
      ['a device', '#/devices/rig-0007'],
    ];
    for (const [place, hash, act = () => wait(page)] of shown) {
      const name = `${DEVICES} devices at ${UPDATES_PER_SECOND}/s, ${place}`;
      const calm = await calmShare(browser, page);
      await page.goto(`${url}${hash}`);
      await page.waitForSelector('[data-device]');
      fleet.start();
      await page.waitForTimeout(WARM_UP_MS);
      await page.evaluate(PROBE);
      const events = await traced(browser, page, async () => {
        await act();
        // The trace is read in this process: nothing else is to be done meanwhile.
        fleet.stop();
      });
      yield busyRow(name, busyShare(events));
      const dropped = droppedShare(events);
      if (dropped !== undefined) yield framesRow(name, dropped, calm);
    }
    fleet.start();
    const heaps: number[] = [];
    for await (const heap of rounds(page, url, performance.now() + minutes * 60_000)) heaps.push(heap);
    // The first round loads what is loaded when it is opened first.
    const [, first = Number.NaN] = heaps;
    const last = heaps.at(-1) ?? Number.NaN;
    yield {
      name: `${heaps.length} rounds of opening and closing: heap`,
      figure: `${(first / 1e6).toFixed(1)} MB, then ${(last / 1e6).toFixed(1)} MB`,
      peer: '',
      ratio: (last / first).toFixed(2),
      target: { text: `<= ${MOST_GROWTH}`, met: last <= first * MOST_GROWTH },
    };
  } finally {
    fleet.stop();
    await browser.close();
    await fleet.face[Symbol.asyncDispose]();
  }
}

export const bench: Bench = {
  about: 'What the page costs its browser, by the trace of the browser',
  run,
};
