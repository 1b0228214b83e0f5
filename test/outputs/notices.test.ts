import { describe, expect, it } from 'vitest';
import { type Notice, type NoticeRules, Notices } from '../../src/outputs/core/notices.ts';

const MINUTE = 60_000;
const rules: NoticeRules = {
  on: new Set(['offline', 'online', 'alarm', 'incident']),
  forMs: 10_000,
  minuteOfDay: (wallMs) => Math.floor(wallMs / MINUTE) % 1_440,
};
const at = (seconds: number) => ({ monoMs: seconds * 1_000, wallMs: seconds * 1_000 });
const status = (word: 'online' | 'offline', device = 'a'): Notice => ({
  event: word,
  device,
  subject: 'status',
  word,
  at: 0,
  data: {},
});
const alarm = (word: string): Notice => ({
  event: 'alarm',
  device: 'a',
  subject: 't.x',
  word,
  at: 0,
  data: {},
});
const words = (notices: readonly Notice[]) => notices.map(({ device, word }) => `${device} ${word}`);

describe('what people are told', () => {
  it('is what stays so', () => {
    const notices = new Notices(rules);
    notices.note(status('online'), true, at(0));
    expect(notices.nextDeadline()).toBe(Infinity);
    notices.note(status('offline'), false, at(1));
    expect([words(notices.take(at(10.9))), notices.nextDeadline()]).toEqual([[], 11_000]);
    expect(words(notices.take(at(11)))).toEqual(['a offline']);
    notices.note(status('online'), true, at(20));
    expect(words(notices.take(at(30)))).toEqual(['a online']);
  });

  it('is nothing of a device that comes and goes, and one message where it stays away', () => {
    const notices = new Notices(rules);
    const told: string[] = [];
    notices.note(status('online'), true, at(0));
    for (let second = 1; second < 400; second += 6) {
      notices.note(status(second % 12 === 1 ? 'offline' : 'online'), second % 12 !== 1, at(second));
      told.push(...words(notices.take(at(second + 5))));
    }
    expect(told).toEqual([]);
    notices.note(status('offline'), false, at(500));
    notices.note(status('offline'), false, at(505));
    expect(words(notices.take(at(510)))).toEqual(['a offline']);
    expect(words(notices.take(at(9_000)))).toEqual([]);
  });

  it('is only what was asked for, and a device that was never there is no news', () => {
    const notices = new Notices({ ...rules, on: new Set(['online']) });
    notices.note(status('offline'), true, at(0));
    expect(notices.nextDeadline()).toBe(Infinity);
    notices.note(status('online'), true, at(1));
    expect(words(notices.take(at(11)))).toEqual(['a online']);
    notices.note(status('offline'), false, at(20));
    expect(notices.take(at(40))).toEqual([]);
  });

  it('is each subject of a device by itself, and of an alarm the present level', () => {
    const notices = new Notices(rules);
    notices.note(alarm('warn'), false, at(0));
    notices.note(alarm('alarm'), false, at(2));
    notices.note(status('offline', 'b'), false, at(2));
    expect(words(notices.take(at(12)))).toEqual(['a alarm', 'b offline']);
    notices.note(alarm('good'), true, at(13));
    expect(words(notices.take(at(23)))).toEqual(['a good']);
    notices.note(alarm('warn'), false, at(30));
    notices.forget('a');
    expect(notices.take(at(60))).toEqual([]);
  });

  it('waits for the end of quiet hours, and is then what still is so', () => {
    // From 22:00 to 07:00.
    const notices = new Notices({ ...rules, quiet: [22 * 60, 7 * 60] });
    const evening = 23 * 3_600;
    notices.note(status('offline'), false, at(evening));
    notices.note(status('offline', 'b'), false, at(evening));
    expect(notices.take(at(evening + 10))).toEqual([]);
    const morning = notices.nextDeadline() / 1_000;
    expect(morning - (evening + 10)).toBe(8 * 3_600);
    notices.note(status('online', 'b'), true, at(evening + 60));
    expect(words(notices.take(at(morning)))).toEqual(['a offline']);
  });

  it('is an incident at once, and each of them', () => {
    const notices = new Notices(rules);
    const incident = (id: string): Notice => ({ ...alarm(id), event: 'incident', subject: 'incident' });
    notices.note(incident('1'), false, at(0));
    expect(words(notices.take(at(0)))).toEqual(['a 1']);
    notices.note(incident('2'), false, at(1));
    expect(words(notices.take(at(1)))).toEqual(['a 2']);
  });
});
