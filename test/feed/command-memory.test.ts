import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { CommandOutcome, FeedCommand } from '../../src/contract/command.ts';
import { CommandMemory, fingerprint } from '../../src/feed/core/command-memory.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function heldBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

function command(fields: FeedCommand['fields'] = {}): FeedCommand {
  return { device: 'd1', message: 'set', fields, timeoutMs: 5_000 };
}

function done(text: string): CommandOutcome {
  return { ok: true, result: { fields: { text } } };
}

/** What becomes of a command that is asked for, and answered at once where it is new. */
function carryOut(memory: CommandMemory, id: string, outcome: CommandOutcome, asked = command()): unknown {
  const answer = memory.ask(id, asked);
  if (answer === 'new') memory.settle(id, outcome);
  return answer;
}

describe('the commands of a session', () => {
  it('are remembered by their id, the last 256 of them', () => {
    const memory = new CommandMemory('t');
    for (let n = 0; n < 257; n++) carryOut(memory, `c${n}`, done(`${n}`));
    expect(memory.ask('c256', command())).toEqual(done('256'));
    expect(memory.ask('c1', command())).toEqual(done('1'));
    expect(memory.ask('c256', command({ other: true }))).toBe('other');
    expect(memory.ask('c0', command())).toBe('new');
  });

  it('are remembered as long as their results fit into 256 KiB, and the last one in any case', () => {
    const memory = new CommandMemory('t');
    const large = done('x'.repeat(100_000));
    for (const id of ['a', 'b', 'c']) carryOut(memory, id, large);
    expect(['b', 'c'].map((id) => memory.ask(id, command()))).toEqual([large, large]);
    const huge = done('x'.repeat(1_000_000));
    carryOut(memory, 'd', huge);
    expect(memory.ask('d', command())).toEqual(huge);
    expect(['a', 'b', 'c'].map((id) => memory.ask(id, command()))).toEqual(['new', 'new', 'new']);
  });

  it('cost next to nothing, however large they were', () => {
    const memory = new CommandMemory('t');
    const refused: CommandOutcome = { ok: false, code: 'device_unknown', message: 'none', retry: false };
    const text = (n: number): string => `${'x'.repeat(60_000)}${n}`;
    const before = heldBytes();
    for (let n = 0; n < 256; n++) carryOut(memory, `c${n}`, refused, command({ text: text(n) }));
    expect(heldBytes() - before).toBeLessThan(2_000_000);
    expect(memory.ask('c7', command({ text: text(7) }))).toEqual(refused);
    expect(memory.ask('c7', command({ text: text(8) }))).toBe('other');
  });
});

describe('a fingerprint', () => {
  it('tells texts apart that differ in one character, in their order or in their length', () => {
    const texts = Array.from({ length: 20_000 }, (_, n) => `{"a":${n},"b":${n % 7}}`);
    const near = ['', '\0', '\0\0', 'ab', 'ba', 'a\u0100', 'a\u0200'];
    expect(new Set([...texts, ...near].map(fingerprint)).size).toBe(texts.length + near.length);
  });
});
