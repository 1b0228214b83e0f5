import { expect, it } from 'vitest';
import { LogTail } from '../../src/system/log-tail.ts';
import { FakeClock } from '../support/fake-clock.ts';

function tail() {
  const passed: string[] = [];
  const note = (level: string) => (_: object, text: string) => void passed.push(`${level} ${text}`);
  const made = new LogTail({ info: note('info'), warn: note('warn'), error: note('error') }, new FakeClock());
  return { made, passed };
}

it('hands every line on, and keeps it with its device and code', () => {
  const { made, passed } = tail();
  made.log.warn({ device: 'psu-1', code: 'link_closed', other: 1 }, 'closed');
  made.log.info({}, 'ready');
  expect(passed).toEqual(['warn closed', 'info ready']);
  expect(made.after(0)).toEqual([
    expect.objectContaining({ n: 1, level: 'warn', text: 'closed', device: 'psu-1', code: 'link_closed' }),
    expect.objectContaining({ n: 2, level: 'info', text: 'ready' }),
  ]);
  expect(made.after(1).map(({ n }) => n)).toEqual([2]);
});

it('keeps the last 500 lines, and 1,000 characters of each', () => {
  const { made } = tail();
  for (let line = 0; line < 1_200; line++) made.log.info({}, 'x'.repeat(5_000));
  const kept = made.after(0);
  expect([kept.length, kept[0]?.n, kept.at(-1)?.n, kept[0]?.text.length]).toEqual([500, 701, 1_200, 1_000]);
});
