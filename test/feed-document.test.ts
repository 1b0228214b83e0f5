import { describe, expect, it } from 'vitest';
import { parseClientMessage } from '../src/contract/feed/parse-client-message.ts';
import { SERVER_MESSAGES } from '../src/contract/feed/server-messages.ts';
import type { JsonObject } from '../src/contract/wire/json.ts';
import { checkServerMessage, checkTopicDocument } from './support/feed-contract.ts';
import { readProjectFile } from './support/project-files.ts';

const page = readProjectFile('docs/reference/feed.md');

/** Every JSON text of the page: a block is one, or each of its lines is. */
const texts: readonly string[] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  block.startsWith('{"type"') ? block.trim().split('\n') : [block],
);

/** What is left out of the page for the sake of the reader. */
const ENVELOPE = { id: 'm1', timestamp: 0 };

/** Which topic holds such a document. What is shown of `bridge/status` is compared in app/reload/reload-told.test.ts. */
function topicOf(document: JsonObject): string | undefined {
  if ('config' in document) return undefined;
  if ('fields' in document) return 'declarations/1k2f8s0y3qv9';
  return 'device' in document ? 'devices/psu-1/state' : 'devices/psu-1/alarms';
}

describe('every JSON text of docs/reference/feed.md', () => {
  it('is looked at below', () => {
    expect(texts.length).toBeGreaterThanOrEqual(13);
    const blocks = [...page.matchAll(/```(\w*)\n/g)].map(([, language = '']) => language).filter(Boolean);
    // Programs and commands are run by feed-examples.test.ts, and by web/token.test.ts the one with a token.
    expect(new Set(blocks)).toEqual(new Set(['console', 'python', 'js', 'json']));
    expect(blocks.filter((language) => language === 'js')).toHaveLength(2);
  });

  it.each(texts)('is what a client may say, what a bridge says, or what a topic holds: %.60s', (text) => {
    const value = JSON.parse(text) as JsonObject;
    if (typeof value.type !== 'string') {
      const topic = topicOf(value);
      if (topic !== undefined) checkTopicDocument(topic, value);
    } else if (Object.hasOwn(SERVER_MESSAGES, value.type)) {
      checkServerMessage({ ...ENVELOPE, ...value, type: value.type });
    } else expect(parseClientMessage(text)).toMatchObject({ ok: true });
  });
});
