import { describe, expect, it } from 'vitest';
import { matchesTopic, patternProblem, topicProblem } from '../../../src/contract/wire/topic.ts';
import { PatternTrie } from '../../../src/feed/core/pattern-trie.ts';

describe('a pattern and a topic', () => {
  const table: ReadonlyArray<readonly [pattern: string, topic: string, matches: boolean]> = [
    ['devices/p1/state', 'devices/p1/state', true],
    ['devices/p1/state', 'devices/p2/state', false],
    ['devices/+/state', 'devices/p1/state', true],
    ['devices/+/state', 'devices/state', false],
    ['devices/+/state', 'devices/p1/x/state', false],
    ['+/+/+', 'devices/p1/state', true],
    ['+', 'devices/p1', false],
    ['#', 'bridge/status', true],
    ['#', 'a', true],
    ['devices/#', 'devices/p1/state', true],
    ['devices/#', 'devices', true],
    ['devices/#', 'device', false],
    ['devices/p1', 'devices/p1/state', false],
    ['devices/p1/bytes', 'devices/p1/bytes', true],
    ['devices/+/bytes', 'devices/p1/bytes', true],
    ['+/+/bytes', 'devices/p1/bytes', true],
    ['devices/p1/+', 'devices/p1/bytes', false],
    ['devices/p1/#', 'devices/p1/bytes', false],
    ['devices/p1/bytes/#', 'devices/p1/bytes', false],
    ['#', 'devices/p1/bytes', false],
    ['#', 'other/p1/bytes', true],
  ];

  it.each(table)('%s %s: %s', (pattern, topic, matches) => {
    expect(matchesTopic(pattern, topic)).toBe(matches);
    const trie = new PatternTrie<string>();
    trie.add(pattern, 'here');
    expect([...trie.match(topic.split('/'))]).toEqual(matches ? ['here'] : []);
  });

  it('are matched alike by the trie, however many patterns it holds', () => {
    const trie = new PatternTrie<string>();
    const patterns = [...new Set(table.map(([pattern]) => pattern))];
    for (const pattern of patterns) trie.add(pattern, pattern);
    for (const [, topic] of table) {
      const expected = patterns.filter((pattern) => matchesTopic(pattern, topic));
      expect([...trie.match(topic.split('/'))].sort()).toEqual(expected.sort());
    }
    for (const pattern of patterns) trie.delete(pattern, pattern);
    for (const [, topic] of table) expect([...trie.match(topic.split('/'))]).toEqual([]);
  });
});

describe('what is no topic', () => {
  it.each([
    ['', 'at least one level'],
    ['/a', 'empty level'],
    ['a//b', 'empty level'],
    ['a/', 'empty level'],
    ['a/b/c/d/e/f/g/h/i', '9 levels'],
    ['a\nb', 'control characters'],
    ['a\ud800', 'control characters'],
    ['x'.repeat(513), '512 characters'],
  ])('%j', (text, problem) => {
    expect(topicProblem(text)).toContain(problem);
    expect(patternProblem(text)).toContain(problem);
  });

  it('a wildcard is for patterns', () => {
    expect(topicProblem('a/+')).toContain('wildcard');
    expect(patternProblem('a/+')).toBeUndefined();
    expect(patternProblem('a/#')).toBeUndefined();
    expect(patternProblem('a/#/b')).toContain('last level');
    expect(patternProblem('a/b+')).toContain('whole level');
  });
});
