import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { IdleSensor } from '../../src/links/idle-sensor.ts';
import { lineGapMs } from '../../src/links/serial.ts';
import { serialAddress } from '../support/serial-address.ts';

describe('the sensor of silence', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const sensor = (gapMs: number) => {
    const idle = vi.fn();
    return { idle, sensor: new IdleSensor(gapMs, idle) };
  };

  test('tells once after every burst, and never without one', async () => {
    const { idle, sensor: line } = sensor(100);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(idle).not.toHaveBeenCalled();
    line.sawBytes();
    await vi.advanceTimersByTimeAsync(99);
    expect(idle).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(idle).toHaveBeenCalledTimes(1);
    line.sawBytes();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(idle).toHaveBeenCalledTimes(2);
  });

  test('bytes begin the gap anew, also while a silence is being confirmed', async () => {
    const { idle, sensor: line } = sensor(100);
    for (let round = 0; round < 20; round += 1) {
      line.sawBytes();
      await vi.advanceTimersByTimeAsync(round % 2 === 0 ? 90 : 105);
    }
    expect(idle).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(200);
    expect(idle).toHaveBeenCalledTimes(1);
  });

  test('a burst of any number of chunks ends in one silence', async () => {
    const { idle, sensor: line } = sensor(100);
    for (const chunks of [1, 1_023, 1_024, 1_025, 5_000]) {
      idle.mockClear();
      for (let at = 0; at < chunks; at += 1) {
        line.sawBytes();
        // Slow enough for the parser to be fed by nearly every one.
        await vi.advanceTimersByTimeAsync(51);
      }
      expect(idle).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(50);
      expect(idle).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1_000);
      expect(idle).toHaveBeenCalledTimes(1);
    }
  });

  test('silence is counted from the last byte, not from when the parser was fed', async () => {
    const { idle, sensor: line } = sensor(100);
    line.sawBytes();
    await vi.advanceTimersByTimeAsync(45);
    line.sawBytes();
    await vi.advanceTimersByTimeAsync(95);
    expect(idle).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(30);
    expect(idle).toHaveBeenCalledTimes(1);
  });

  test('a loop that stood still senses nothing until it has run for one more gap', async () => {
    const { idle, sensor: line } = sensor(100);
    line.sawBytes();
    await vi.advanceTimersByTimeAsync(90);
    const real = performance.now.bind(performance);
    const skew = vi.spyOn(performance, 'now').mockImplementation(() => real() + 80);
    await vi.advanceTimersByTimeAsync(60);
    expect(idle).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(100);
    expect(idle).toHaveBeenCalledTimes(1);
    skew.mockRestore();
  });

  test('closed, it tells nothing and leaves no timer', async () => {
    const { idle, sensor: line } = sensor(100);
    line.sawBytes();
    line.close();
    line.close();
    line.sawBytes();
    expect(vi.getTimerCount()).toBe(0);
    const second = sensor(100);
    second.sensor.sawBytes();
    await vi.advanceTimersByTimeAsync(102);
    second.sensor.close();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(idle).not.toHaveBeenCalled();
    expect(second.idle).not.toHaveBeenCalled();
  });
});

describe('the gap of a line', () => {
  test.each([
    [115_200, {}, 50],
    [9_600, {}, 50],
    [4_800, {}, 53],
    [2_400, {}, 74],
    [300, {}, 366],
    [300, { parity: 'even', stopBits: 2 }, 432],
    [300, { dataBits: 7, parity: 'even' }, 366],
    [50, {}, 2_032],
  ] as const)('at %i baud with %o: %i ms', (baud, settings, gapMs) => {
    expect(lineGapMs(serialAddress('/dev/ttyUSB0', { baud, ...settings }).settings)).toBe(gapMs);
  });
});
