import { describe, expect, it } from 'vitest';
import type { Log } from '../../src/system/log.ts';
import { BoundedLog } from '../../src/system/log-limits.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { reload } from '../support/reload.ts';
import { startBridge } from '../support/test-bridge.ts';

function bounded(linesPerSecond: number) {
  const clock = new FakeClock();
  const lines: Array<{ level: string; fields: object; text: string }> = [];
  const note = (level: string) => (fields: object, text: string) => void lines.push({ level, fields, text });
  const log: Log = { info: note('info'), warn: note('warn'), error: note('error') };
  const made = new BoundedLog(log, clock, linesPerSecond);
  const write = (level: keyof Log, count: number): number => {
    const before = lines.length;
    for (let at = 0; at < count; at++) made.log[level]({ device: `d${at}` }, 'flaps');
    return lines.length - before;
  };
  return { clock, lines, made, write };
}

describe('a log with a bound for all of its lines', () => {
  it('writes so many a second on average, whoever they are of', () => {
    const { clock, lines, write } = bounded(10);
    for (let second = 0; second < 3_600; second++) {
      write('info', 50);
      write('warn', 50);
      write('error', 50);
      clock.advance(1_000);
    }
    // An hour's lines, the burst at its beginning, and a line every 10 s that tells of the others.
    expect(lines.length).toBeLessThanOrEqual(3_600 * 10 + 600 + 360);
    expect(lines.length).toBeGreaterThan(3_600 * 9);
  });

  it('has room for errors when others fill it, and gives errors all of it', () => {
    const { write } = bounded(10);
    expect(write('info', 10_000)).toBe(360);
    expect(write('warn', 10_000)).toBe(120);
    expect(write('error', 10_000)).toBe(120);
    expect(bounded(10).write('error', 10_000)).toBe(600);
  });

  it('says how many were left out, once in a while and at the end', () => {
    const { clock, lines, made, write } = bounded(1);
    const [info, error] = [100 - write('info', 100), 100 - write('error', 100)];
    expect(made.omitted).toEqual({ info, warn: 0, error });
    clock.advance(10_000);
    expect(lines.at(-1)).toMatchObject({
      level: 'warn',
      fields: { event: 'log_limited', omitted: { info, warn: 0, error } },
      text: expect.stringContaining(`${error} errors, 0 warnings and ${info} other lines`),
    });
    write('info', 100);
    made.stop();
    expect(lines.filter(({ fields }) => 'omitted' in fields).length).toBe(2);
  });

  it('follows another bound', () => {
    const { made, write } = bounded(1);
    write('info', 1_000);
    made.follow(1);
    expect(write('info', 10)).toBe(0);
    made.follow(100);
    expect(write('info', 10)).toBe(10);
  });
});

it('a bridge counts what its log leaves out, and follows the configuration', async () => {
  const yaml = 'devices: []\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\n';
  await using bridge = await startBridge(`log: { max_lines_per_second: 1 }\n${yaml}`);
  const metrics = await (await fetch(`${bridge.url}/metrics`)).text();
  expect(metrics).toContain('heartwire_log_lines_omitted_total{level="error"} 0');
  const { diff } = await reload(bridge, `log: { max_lines_per_second: 5 }\n${yaml}`);
  expect([diff?.settings, diff?.needsRestart]).toEqual([['log'], []]);
});
