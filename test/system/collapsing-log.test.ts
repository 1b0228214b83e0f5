import { expect, it } from 'vitest';
import { collapsingLog } from '../../src/system/log-limits.ts';
import { FakeClock } from '../support/fake-clock.ts';

function bench() {
  const lines: string[] = [];
  const clock = new FakeClock();
  const note = (_fields: object, text: string) => void lines.push(text);
  const log = collapsingLog({ info: note, warn: note, error: note }, clock);
  return { lines, clock, log };
}

it('writes five lines of a kind in ten seconds, and then how many there were', () => {
  const { lines, clock, log } = bench();
  for (let i = 0; i < 1_000; i++) log.warn({ device: 'p1', code: 'link_queue_full' }, `line ${i}`);
  expect(lines).toEqual(['line 0', 'line 1', 'line 2', 'line 3', 'line 4']);
  clock.advance(10_000);
  log.warn({ device: 'p1', code: 'link_queue_full' }, 'next');
  expect(lines.at(-1)).toBe('next (and 995 more like this before)');
});

it('lets no kind take the lines of another', () => {
  const { lines, log } = bench();
  for (let i = 0; i < 10; i++) {
    log.warn({ device: 'p1', code: 'a' }, 'p1 a');
    log.warn({ device: 'p2', code: 'a' }, 'p2 a');
    log.warn({ device: 'p1', code: 'b' }, 'p1 b');
    log.info({ device: 'p1', code: 'a' }, 'p1 a, for information');
  }
  expect(lines).toHaveLength(20);
});

it('takes the connections of one host for one peer', () => {
  const { lines, log } = bench();
  for (let i = 0; i < 10; i++) log.info({ code: 'silent', address: `10.0.0.1:${5_000 + i}` }, 'silent');
  log.info({ code: 'silent', address: '10.0.0.2:5000' }, 'silent');
  expect(lines).toHaveLength(6);
});
