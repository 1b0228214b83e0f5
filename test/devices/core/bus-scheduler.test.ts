import { describe, expect, it } from 'vitest';
import { type BusEvent, BusScheduler } from '../../../src/devices/core/bus-scheduler.ts';

const NEVER = Number.POSITIVE_INFINITY;
const TURNAROUND_MS = 20;

/** A line of devices, all joined and the line open at 0. */
class Line {
  readonly #scheduler = new BusScheduler({ turnaroundMs: TURNAROUND_MS });

  constructor(...devices: string[]) {
    for (const device of devices) this.tell(0, { type: 'joined', device, timeoutMs: 500 });
    this.tell(0, { type: 'lineOpened' });
  }

  /** Returns the device that gets the turn. */
  tell(at: number, event: BusEvent): string | undefined {
    return this.#scheduler.handle(event, { monoMs: at, wallMs: at })[0]?.device;
  }

  polls(at: number, device: string, pollAt = 0): string | undefined {
    return this.tell(at, { type: 'wanted', device, commandAt: NEVER, pollAt });
  }

  commands(at: number, device: string, pollAt = NEVER): string | undefined {
    return this.tell(at, { type: 'wanted', device, commandAt: at, pollAt });
  }

  /** The turn ends, and the line is quiet after the turn-around; returns who is next. */
  over(at: number, device: string, how: 'answered' | 'silent' | 'sent' = 'answered'): string | undefined {
    expect(this.tell(at, { type: 'turnOver', device, how })).toBeUndefined();
    return this.tell(at + TURNAROUND_MS, { type: 'deadlineReached' });
  }

  get deadline(): number {
    return this.#scheduler.nextDeadline();
  }

  get asked(): string | undefined {
    return this.#scheduler.asked;
  }
}

describe('the turns on a bus', () => {
  it('are one at a time, in a ring, each behind the turn-around', () => {
    const line = new Line('a', 'b', 'c');
    expect(line.polls(0, 'a')).toBe('a');
    expect(line.polls(1, 'b')).toBeUndefined();
    expect(line.polls(1, 'c')).toBeUndefined();
    expect(line.polls(1, 'a', NEVER)).toBeUndefined();
    expect(line.deadline).toBe(NEVER);
    const order: (string | undefined)[] = [];
    let asked: string | undefined = 'a';
    for (let at = 100; at < 700; at += 100) {
      line.polls(at, asked ?? '');
      asked = line.over(at, asked ?? '');
      order.push(asked);
    }
    expect(order).toEqual(['b', 'c', 'a', 'b', 'c', 'a']);
  });

  it('wait for the poll that is due first where none is due now', () => {
    const line = new Line('a', 'b');
    line.polls(0, 'a', 500);
    line.polls(0, 'b', 300);
    expect(line.deadline).toBe(300);
    expect(line.tell(300, { type: 'deadlineReached' })).toBe('b');
  });

  it('give commands precedence, in the order in which they came, and a poll after four', () => {
    const line = new Line('a', 'b', 'c');
    expect(line.polls(0, 'a')).toBe('a');
    line.polls(1, 'b');
    line.commands(2, 'c');
    line.commands(3, 'a');
    const order: (string | undefined)[] = [];
    let asked: string | undefined = 'a';
    for (let at = 100; at < 800; at += 100) {
      asked = line.over(at, asked ?? '');
      order.push(asked);
    }
    expect(order).toEqual(['c', 'a', 'c', 'a', 'b', 'c', 'a']);
  });

  it('leave the line alone while bytes come that nobody asked for, but not for ever', () => {
    const line = new Line('a');
    expect(line.tell(10, { type: 'heard' })).toBeUndefined();
    expect(line.polls(11, 'a')).toBeUndefined();
    expect(line.deadline).toBe(30);
    for (let at = 20; at < 500; at += 10) line.tell(at, { type: 'heard' });
    expect(line.deadline).toBe(500);
    expect(line.tell(500, { type: 'deadlineReached' })).toBe('a');
  });

  it('free the line when a device leaves with its turn, behind the turn-around', () => {
    const line = new Line('a', 'b');
    line.polls(0, 'a');
    line.polls(0, 'b');
    expect(line.tell(50, { type: 'left', device: 'a' })).toBeUndefined();
    expect(line.tell(70, { type: 'deadlineReached' })).toBe('b');
  });

  it('end with the line', () => {
    const line = new Line('a');
    line.polls(0, 'a');
    line.tell(5, { type: 'lineClosed' });
    expect(line.asked).toBeUndefined();
    expect(line.deadline).toBe(NEVER);
    expect(line.tell(9, { type: 'lineOpened' })).toBe('a');
  });

  it('pass to the next device where nothing was sent, without a pause', () => {
    const line = new Line('a', 'b');
    line.polls(0, 'a');
    line.polls(0, 'b');
    line.polls(0, 'a', NEVER);
    expect(line.tell(0, { type: 'turnOver', device: 'a', how: 'unused' })).toBe('b');
  });
});

/** How often each device is asked in a minute on a line that is never idle; answers take 80 ms, a time-out 500 ms. */
function minute(dead: readonly string[], alive: readonly string[]) {
  const line = new Line(...dead, ...alive);
  const asked = new Map<string, number>();
  let device: string | undefined;
  for (const each of [...dead, ...alive]) device = line.polls(0, each) ?? device;
  let at = 0;
  while (at < 60_000) {
    if (device === undefined) {
      at = line.deadline;
      device = line.tell(at, { type: 'deadlineReached' });
      continue;
    }
    asked.set(device, (asked.get(device) ?? 0) + 1);
    const silent = dead.includes(device);
    at += silent ? 500 : 80;
    device = line.over(at, device, silent ? 'silent' : 'answered');
    at += TURNAROUND_MS;
  }
  return asked;
}

describe('a device that does not answer', () => {
  const LIVE = ['b', 'c', 'd', 'e', 'f', 'g', 'h'];

  it('costs the others less than 5 % of a line that is never idle, and all are asked alike', () => {
    const before = minute([], LIVE);
    const after = minute(['a'], LIVE);
    for (const device of LIVE) {
      const rate = (after.get(device) ?? 0) / (before.get(device) ?? 1);
      expect(rate).toBeGreaterThan(0.95);
    }
    const counts = LIVE.map((device) => after.get(device) ?? 0);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(after.get('a')).toBeGreaterThanOrEqual(3);
  });

  it('shares that with all others of its kind', () => {
    const live = LIVE.slice(0, 4);
    const before = minute([], live);
    const after = minute(['u', 'v', 'w', 'a'], live);
    // Eight time-outs find out that they are dead.
    for (const device of live)
      expect((after.get(device) ?? 0) / (before.get(device) ?? 1)).toBeGreaterThan(0.88);
    for (const device of ['u', 'v', 'w', 'a']) expect(after.get(device)).toBeGreaterThanOrEqual(2);
  });

  it('is asked less and less often where the line is idle, and in turn again once it answers', () => {
    const line = new Line('a');
    const times: number[] = [];
    line.polls(0, 'a');
    for (let at = 0; times.length < 8; ) {
      times.push(at);
      line.tell(at + 500, { type: 'turnOver', device: 'a', how: 'silent' });
      at = line.deadline;
      expect(line.tell(at, { type: 'deadlineReached' })).toBe('a');
    }
    const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0) - 500);
    expect(pauses).toEqual([20, 1_040, 2_080, 4_160, 8_320, 16_640, 30_000]);
    const now = (times.at(-1) ?? 0) + 60_000;
    line.tell(now, { type: 'turnOver', device: 'a', how: 'answered' });
    expect(line.deadline).toBe(now + TURNAROUND_MS);
  });

  it('is not blamed for the time in which this process stood still', () => {
    const line = new Line('a');
    line.polls(0, 'a');
    line.tell(9_000, { type: 'turnOver', device: 'a', how: 'silent' });
    expect(line.tell(9_020, { type: 'deadlineReached' })).toBe('a');
    line.tell(18_000, { type: 'turnOver', device: 'a', how: 'silent' });
    expect(line.deadline).toBe(18_000 + 1_040);
  });

  it('gets its commands through all the same', () => {
    const line = new Line('a', 'b');
    line.polls(0, 'a');
    for (const at of [0, 520, 1_040]) {
      if (line.asked === undefined) line.tell(at, { type: 'deadlineReached' });
      if (line.asked === 'a') line.tell(at + 500, { type: 'turnOver', device: 'a', how: 'silent' });
    }
    expect(line.asked).toBeUndefined();
    expect(line.commands(1_600, 'a')).toBe('a');
  });
});
