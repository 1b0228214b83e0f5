import { describe, expect, it } from 'vitest';
import { MOST_HELD, MOST_WAITING, Turns } from '../../src/links/sharing/turns.ts';

const TIMES = { quietMs: 50, replyMs: 1_000, holdMs: 400 };

/** The turns of a line, with what was written in the order in which it was. */
function line() {
  const log: string[] = [];
  const turns = new Turns<string>(TIMES, {
    write: (bytes, by) => void log.push(`${by ?? 'bridge'} ${Buffer.from(bytes).toString()}`),
    taken: (program) => void log.push(`taken ${program}`),
    dropped: (bytes) => void log.push(`dropped ${Buffer.from(bytes).toString()}`),
  });
  return {
    log,
    turns,
    bridge: (text: string, now: number) => turns.bridgeSends(Buffer.from(text), now),
    says: (program: string, text: string, now: number) => turns.programSends(program, Buffer.from(text), now),
    heard: (now: number) => {
      turns.heard(now);
      return turns.program;
    },
    /** Acts at each deadline up to this time, as a timer would. */
    until: (now: number) => {
      for (let at = turns.nextDeadline(0); at <= now; ) {
        turns.act(at);
        const next = turns.nextDeadline(at);
        if (next <= at) break;
        at = next;
      }
      turns.act(now);
    },
  };
}

describe('turns on a shared line', () => {
  it('a program asks at once where the line is free, and its answer is for it alone', () => {
    const { log, says, heard, turns } = line();
    expect(says('a', 'ask', 100)).toBe(true);
    expect(log).toEqual(['a ask', 'taken a']);
    expect(heard(120)).toBe('a');
    expect(heard(140)).toBe('a');
    turns.act(189);
    expect(turns.program).toBe('a');
    turns.act(190);
    expect(turns.taken).toBe(false);
    expect(heard(200)).toBeUndefined();
  });

  it('a program waits for the exchange of the bridge, and the bridge for that of the program', () => {
    const { log, bridge, says, heard, until } = line();
    bridge('poll', 0);
    says('a', 'ask', 10);
    until(20);
    expect(log).toEqual(['bridge poll']);
    expect(heard(30)).toBeUndefined();
    until(80);
    expect(log).toEqual(['bridge poll', 'a ask', 'taken a']);
    bridge('poll 2', 90);
    expect(heard(100)).toBe('a');
    until(149);
    expect(log).toHaveLength(3);
    until(150);
    expect(log.slice(3)).toEqual(['bridge poll 2']);
  });

  it('without an answer, the time for a late one passes before anything else is asked', () => {
    const { log, bridge, says, until, heard } = line();
    says('a', 'ask', 0);
    bridge('poll', 700);
    until(999);
    expect(log).toEqual(['a ask', 'taken a']);
    // A late answer is still that of the program.
    expect(heard(999)).toBe('a');
    until(1_049);
    expect(log).toEqual(['a ask', 'taken a', 'bridge poll']);
  });

  it('a frame of the bridge that waited too long is not sent', () => {
    const { log, bridge, says, until } = line();
    says('a', 'ask', 0);
    bridge('old', 100);
    bridge('fresh', 800);
    until(1_000);
    expect(log.slice(2)).toEqual(['dropped old', 'bridge fresh']);
  });

  it('a program that always has more, and a bridge that always has more, take turns', () => {
    const { log, bridge, says, heard, until } = line();
    for (let now = 0; now < 600; now += 100) {
      says('a', 'ask', now);
      bridge('poll', now);
      heard(now + 10);
      until(now + 65);
      heard(now + 70);
    }
    const who = log.filter((each) => !each.startsWith('taken')).map((each) => each.split(' ')[0]);
    expect(who.filter((each) => each === 'a').length).toBeGreaterThan(2);
    expect(who.filter((each) => each === 'bridge').length).toBeGreaterThan(2);
  });

  it('one program after the other', () => {
    const { log, says, heard, until } = line();
    says('a', '1', 0);
    says('b', '2', 1);
    says('c', '3', 2);
    heard(10);
    until(60);
    heard(70);
    until(120);
    expect(log.filter((each) => !each.startsWith('taken'))).toEqual(['a 1', 'b 2', 'c 3']);
  });

  it('what a program says in its turn goes out at once; a turn has an end all the same', () => {
    const { log, says, heard } = line();
    says('a', '1', 0);
    heard(10);
    says('a', '2', 20);
    expect(log).toEqual(['a 1', 'taken a', 'a 2']);
    for (let now = 30; now < 1_000; now += 10) says('a', '.', now);
    const before = log.length;
    expect(says('a', 'late', 1_010)).toBe(true);
    expect(log).toHaveLength(before);
  });

  it('a device that never falls silent keeps no program waiting for ever, and ends each turn', () => {
    const { log, says, heard, turns, until } = line();
    for (let now = 0; now <= 100; now += 10) heard(now);
    says('a', 'ask', 101);
    for (let now = 110; now <= 2_120; now += 10) {
      heard(now);
      until(now);
    }
    expect(log).toEqual(['a ask', 'taken a']);
    for (let now = 2_130; now <= 4_200; now += 10) heard(now);
    expect(turns.taken).toBe(false);
  });

  it('what waits is bounded, of programs and of the bridge', () => {
    const { turns, bridge, says } = line();
    says('a', 'ask', 0);
    expect(turns.programSends('b', Buffer.alloc(MOST_WAITING - 1), 1)).toBe(true);
    expect(turns.programSends('b', Buffer.alloc(1), 2)).toBe(false);
    for (let at = 0; at < MOST_HELD; at += 1) expect(bridge('x', 3)).toBe(true);
    expect(bridge('x', 3)).toBe(false);
    expect(turns.held).toBe(MOST_HELD);
  });

  it('a program that left has no say; the answer to it reaches no other', () => {
    const { log, turns, says, heard, until } = line();
    says('a', '1', 0);
    says('b', '2', 1);
    turns.left('b');
    turns.left('a');
    expect(heard(10)).toBe('a');
    until(100);
    expect(log).toEqual(['a 1', 'taken a']);
    expect(turns.taken).toBe(false);
  });

  it('a link that is gone takes with it what waited', () => {
    const { log, turns, bridge, says, until } = line();
    says('a', '1', 0);
    says('b', '2', 1);
    bridge('poll', 2);
    turns.reset();
    until(5_000);
    expect(log).toEqual(['a 1', 'taken a', 'taken b']);
    says('b', '3', 6_000);
    expect(log.slice(3)).toEqual(['b 3', 'taken b']);
  });
});
