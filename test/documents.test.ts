import { describe, expect, it } from 'vitest';
import { readProjectFile } from './support/project-files.ts';

/** First cells of a document's tables, as far as they are code. */
function named(document: string): ReadonlySet<string> {
  return new Set([...readProjectFile(document).matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name));
}

function declared(path: string, pattern: RegExp): readonly string[] {
  const names = [...readProjectFile(path).matchAll(pattern)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(2);
  return [...new Set(names)];
}

describe('docs/feed.md', () => {
  const listed = named('docs/feed.md');
  /** Replies that stand in the table of what a client may send, beside their questions. */
  const replies = ['response', 'broadcast_ack', 'clients_list', 'pong', 'error'];

  it('lists every message that the server sends', () => {
    const types = declared('src/feed/wire/server-messages.ts', /Envelope<\s*'([a-z_]+)'/g);
    expect(types.filter((type) => !listed.has(type) && !replies.includes(type))).toEqual([]);
    for (const reply of replies) expect(readProjectFile('docs/feed.md')).toContain(`\`${reply}\``);
  });

  it('lists every message that a client may send', () => {
    const types = declared('src/feed/wire/client-message.ts', /readonly type: '([a-z_]+)'/g);
    expect(types.filter((type) => !listed.has(type))).toEqual([]);
  });

  it.each([
    ['DeviceStatus', /type DeviceStatus = ([^;]+);/],
    ['LinkStatus', /type LinkStatus = ([^;]+);/],
  ])('lists every %s', (_, pattern) => {
    const [, union = ''] = pattern.exec(readProjectFile('src/device/state-document.ts')) ?? [];
    const statuses = [...union.matchAll(/'([a-z]+)'/g)].map(([, status = '']) => status);
    expect(statuses.length).toBeGreaterThan(2);
    expect(statuses.filter((status) => !listed.has(status))).toEqual([]);
  });
});
