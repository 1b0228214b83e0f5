import { describe, expect, it } from 'vitest';
import { refusal } from '../../src/access/http-answer.ts';
import { logRefusal, logSubscriber } from '../../src/app/monitoring.ts';
import type { FeedLog } from '../../src/feed/hub/subscriber-registry.ts';
import type { Log } from '../../src/system/log.ts';
import { LogCounts } from '../../src/system/log-limits.ts';

function keptLog() {
  const lines: Array<{ readonly level: string; readonly fields: object; readonly text: string }> = [];
  const keep = (level: string) => (fields: object, text: string) => void lines.push({ level, fields, text });
  const log: Log = { info: keep('info'), warn: keep('warn'), error: keep('error') };
  return { log, lines };
}

describe('the counts of a log', () => {
  it('are by level and code, and a line without a code has that of its event', () => {
    const { log, lines } = keptLog();
    const counts = new LogCounts();
    const counting = counts.counting(log);
    counting.warn({ code: 'silent', device: 'a' }, 'x');
    counting.warn({ code: 'silent' }, 'x');
    counting.info({ code: 'silent' }, 'x');
    counting.info({ event: 'connected' }, 'x');
    counting.error({}, 'x');
    expect(counts.lines).toEqual([
      { level: 'warn', code: 'silent', count: 2 },
      { level: 'info', code: 'silent', count: 1 },
      { level: 'info', code: 'connected', count: 1 },
      { level: 'error', code: '', count: 1 },
    ]);
    expect(lines.map(({ fields }) => fields)).toEqual([
      { code: 'silent', device: 'a' },
      { code: 'silent' },
      { code: 'silent' },
      { event: 'connected', code: 'connected' },
      {},
    ]);
  });

  it('do not grow without end', () => {
    const counts = new LogCounts();
    const counting = counts.counting(keptLog().log);
    for (let at = 0; at < 1_000; at++) counting.warn({ code: `made_up_${at}` }, 'x');
    expect(counts.lines.length).toBeLessThan(310);
    expect(counts.lines.reduce((sum, { count }) => sum + count, 0)).toBe(1_000);
    expect(counts.lines.at(-1)).toMatchObject({ code: 'other' });
  });
});

describe('a line about a subscriber', () => {
  const who = { address: '10.0.0.9', client: 'bench' };
  const refused = String(refusal(403, 'origin_not_allowed', 'Pages of "x" may not.').body);

  it.each<readonly [FeedLog, string, object, string]>([
    [{ event: 'connected', ...who }, 'info', {}, 'subscriber bench at 10.0.0.9 connected'],
    [
      { event: 'disconnected', ...who, detail: 'slow_consumer' },
      'info',
      { code: 'slow_consumer' },
      'subscriber bench at 10.0.0.9 disconnected: slow_consumer',
    ],
    [
      { event: 'disconnected', ...who, detail: 'code 4321' },
      'info',
      {},
      'subscriber bench at 10.0.0.9 disconnected: code 4321',
    ],
    [
      { event: 'refused', address: '10.0.0.9', detail: refused },
      'warn',
      { code: 'origin_not_allowed', client: undefined },
      'subscriber 10.0.0.9 refused: Pages of "x" may not.',
    ],
  ])('says who, what and why: %j', (entry, level, fields, text) => {
    const { log, lines } = keptLog();
    logSubscriber(log, entry);
    const { event } = entry;
    expect(lines).toEqual([{ level, fields: { event, ...who, ...fields }, text }]);
  });

  it.each<readonly [string, object, string]>([
    [refused, { code: 'origin_not_allowed' }, 'Pages of "x" may not.'],
    ['The token is not accepted.', {}, 'The token is not accepted.'],
  ])('or about a request says why it was refused: %s', (detail, fields, text) => {
    const { log, lines } = keptLog();
    logRefusal(log, '10.0.0.9', detail);
    expect(lines).toEqual([
      {
        level: 'warn',
        fields: { event: 'refused', address: '10.0.0.9', ...fields },
        text: `request from 10.0.0.9 refused: ${text}`,
      },
    ]);
  });
});
