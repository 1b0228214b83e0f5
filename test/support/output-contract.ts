import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/system/index.ts';
import { Endpoint } from './endpoint.ts';
import { FakeClock } from './fake-clock.ts';
import { OutputWorld } from './output-world.ts';

/** The other side of an output, as it is in the field: a process that is killed, frozen and started again. */
export interface OutputSide extends AsyncDisposable {
  /** Its entry of `outputs`. */
  entry(): string;
  /** Gives one thing to the output, which shows `n`; `padding` makes it so much longer. */
  publish(world: OutputWorld, n: number, padding: number): void;
  /** The numbers that it really has, each once, in the order in which they came first. */
  received(): Promise<readonly number[]>;
  /** Its process is gone, without a word. */
  kill(): Promise<void>;
  /** It is there again, with what it had. */
  restart(): Promise<void>;
  /** It takes what comes and says nothing. */
  freeze(): void;
  thaw(): void;
  /** From now on it refuses the login. */
  refuseLogin(): Promise<void>;
}

export interface OutputContractOptions {
  /** Things that are more than its buffer holds, with `padding`. */
  readonly tooMany: number;
  readonly padding: number;
  /** Each connection sends one thing besides what is published. */
  readonly greets?: boolean;
  /** Of what is acknowledged when the other side is killed, it may forget so much: it keeps nothing on a disk. */
  readonly forgets?: number;
}

/** What each output has as its password, token or secret, in the file of that name. */
export const SECRET = 's3cr3t-w0rd';

/** One alarm of its own, for outputs that send messages to people. */
export function publishAlarm(world: OutputWorld, n: number, padding: number): void {
  const text = padding === 0 ? {} : { text: 'x'.repeat(padding) };
  const alarm = { at: 1_767_225_600_000, message: 't', field: `f${n}`, level: 'alarm', value: n, ...text };
  world.store.publishEvent(`devices/d${n % 1_000}/alarms`, alarm);
}

const LATE = { timeout: 60_000 };
const DEVICES = 1_000;

const upTo = (total: number): readonly number[] => Array.from({ length: total }, (_, n) => n);
const ascending = (numbers: readonly number[]): readonly number[] => numbers.toSorted((a, b) => a - b);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What every output promises, whatever its other side is. */
export function outputContract(
  name: string,
  makeSide: () => Promise<OutputSide>,
  { tooMany, padding, greets = false, forgets = 0 }: OutputContractOptions,
): void {
  describe(`${name} keeps the contract of an output`, { timeout: 180_000 }, () => {
    let side: OutputSide;
    let world: OutputWorld;
    let log: string[];
    let published: number;
    const begin = async (clock?: Clock): Promise<void> => {
      const say = (_: object, text: string): void => void log.push(text);
      world = new OutputWorld({
        log: { info: say, warn: say, error: say },
        ...(clock === undefined ? {} : { clock }),
      });
      await world.apply(side.entry());
    };
    beforeEach(async () => {
      log = [];
      published = 0;
      side = await makeSide();
      await begin();
    });
    afterEach(async () => {
      await world[Symbol.asyncDispose]();
      await side[Symbol.asyncDispose]();
    });

    /** What the output sent of itself: one greeting for each connection that it had. */
    const greetings = (): number =>
      greets ? log.filter((line) => /^output mqtt .* takes what is sent$/.test(line)).length : 0;
    const sum = (): number => {
      const { sent, lost, waiting } = world.counts();
      return sent + lost + waiting;
    };
    /** Publishes so many, of a thousand devices, and looks in between whether each is counted once. */
    const publish = async (count: number, more = 0): Promise<void> => {
      for (const end = published + count; published < end; ) {
        for (let each = 0; each < 100 && published < end; each++) side.publish(world, published++, more);
        expect(sum()).toBe(published + greetings());
        await turn();
        expect(sum()).toBe(published + greetings());
      }
    };
    const settled = async (): Promise<{ readonly sent: number; readonly lost: number }> => {
      await expect.poll(() => world.counts().waiting, LATE).toBe(0);
      const { sent, lost } = world.counts();
      expect(sent + lost).toBe(published + greetings());
      return { sent: sent - greetings(), lost };
    };
    const arrived = async (count: number): Promise<readonly number[]> => {
      await expect.poll(async () => (await side.received()).length, LATE).toBe(count);
      return side.received();
    };

    it('sends each thing once and in order, and counts it', async () => {
      await publish(DEVICES);
      expect(await settled()).toEqual({ sent: DEVICES, lost: 0 });
      expect(await arrived(DEVICES)).toEqual(upTo(DEVICES));
      expect(world.shown()).toMatchObject({ status: 'ready', lost: 0, waiting: 0 });
      expect(world.shown().reason).toBeUndefined();
    });

    it('says that its other side is gone and when it is tried again, and sends all later, in order', async () => {
      await publish(1);
      await arrived(1);
      await side.kill();
      await publish(10);
      await expect
        .poll(() => world.shown(), LATE)
        .toMatchObject({
          status: 'backoff',
          reason: 'output_unreachable',
          retry_at: expect.any(Number),
          lost: 0,
        });
      await publish(10);
      await side.restart();
      expect(await settled()).toEqual({ sent: 21, lost: 0 });
      expect((await side.received()).slice(-20)).toEqual(upTo(21).slice(1));
      expect(world.shown().status).toBe('ready');
    });

    it('adds up exactly while its other side is killed and started again under a thousand devices', async () => {
      for (let round = 0; round < 2; round++) {
        await publish(DEVICES / 2);
        // In the middle of what is on its way.
        await side.kill();
        await publish(DEVICES / 2);
        await side.restart();
      }
      const { sent, lost } = await settled();
      const received = await side.received();
      expect(received.length).toBeLessThanOrEqual(sent);
      expect(received.length).toBeGreaterThanOrEqual(sent - 2 * forgets);
      expect(lost).toBe(published - sent);
      if (forgets === 0) expect(ascending(received)).toEqual(upTo(published));
    });

    it('adds up exactly while its other side is frozen, and holds up no other output', async () => {
      await using well = await Endpoint.start();
      await world.apply(`${side.entry()}\n  - webhook: { url: "${well.url}", on: [incident] }`);
      await publish(100);
      side.freeze();
      await publish(DEVICES - 100);
      const incidents = upTo(50).map((n) => [`i${n}`, { id: `i${n}`, device: 'd0', at: n, reason: 'alarm' }]);
      world.store.publishState('bridge/incidents', { incidents: Object.fromEntries(incidents) });
      await expect.poll(() => well.taken.length, LATE).toBe(50);
      expect(world.counts().waiting).toBeGreaterThan(0);
      side.thaw();
      const { sent, lost } = await settled();
      expect(ascending(await arrived(sent))).toEqual(upTo(published).slice(lost));
    });

    it('keeps what has room, drops the oldest of the rest, and says so', async () => {
      await publish(1);
      await arrived(1);
      await side.kill();
      await publish(tooMany, padding);
      await expect.poll(() => world.counts().lost, LATE).toBeGreaterThan(0);
      expect(sum()).toBe(published + greetings());
      expect(String(world.shown().lost_detail)).toMatch(/wait.*; the oldest go\.$/);
      expect(
        log.filter((line) => /^output \w+ \S+ lost \d+: .*the oldest go\.$/.test(line)).length,
      ).toBeGreaterThan(0);
      await side.restart();
      const { sent, lost } = await settled();
      const received = await arrived(sent);
      expect(lost).toBe(published - sent);
      // Among them the newest.
      expect(received.at(-1)).toBe(published - 1);
    });

    it('goes on through a reload that leaves it as it is, and ends with one that takes it out', async () => {
      await publish(10);
      await settled();
      const { since } = world.shown();
      await world.apply(`  - webhook: { url: "http://127.0.0.1:1/x" }\n${side.entry()}`);
      await publish(10);
      const [same] = world.outputs.status() ?? [];
      expect(same).toMatchObject({ since });
      expect(await settled()).toEqual({ sent: 20, lost: 0 });
      await world.outputs.apply([]);
      side.publish(world, 20, 0);
      expect(world.outputs.status()).toBeUndefined();
      expect(await arrived(20)).toEqual(upTo(20));
    });

    it('never repeats its password', async () => {
      await world.outputs.apply([]);
      await side.refuseLogin();
      await world.apply(side.entry());
      side.publish(world, 0, 0);
      await expect
        .poll(() => world.shown(), LATE)
        .toMatchObject({ status: 'backoff', reason: 'output_refused', lost: 0 });
      expect(JSON.stringify([world.outputs.status(), log])).not.toContain(SECRET);
    });

    it('stops within its time though its other side hangs', async () => {
      await world[Symbol.asyncDispose]();
      const clock = new FakeClock();
      await begin(clock);
      side.publish(world, 0, 0);
      await expect
        .poll(() => {
          clock.advance(100);
          return world.counts().sent;
        }, LATE)
        .toBeGreaterThan(0);
      side.freeze();
      for (let n = 1; n < 10; n++) side.publish(world, n, 0);
      clock.advance(100);
      let isClosed = false;
      const closed = world.outputs.close().then(() => {
        isClosed = true;
      });
      for (let each = 0; each < 20; each++) await turn();
      expect(isClosed).toBe(false);
      clock.advance(2_000);
      await closed;
      side.thaw();
    });
  });
}
