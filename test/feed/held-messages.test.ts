import { describe, expect, it } from 'vitest';
import { FeedSession } from '../../src/feed/core/session.ts';
import { type SessionConnection, SessionContext } from '../../src/feed/core/session-context.ts';
import { SessionMemory } from '../../src/feed/core/session-memory.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import { anybody } from '../support/anybody.ts';
import { modelAudience } from '../support/model-session.ts';

const NOW = { monoMs: 0, wallMs: 0 };
const LIMITS = {
  max_message_bytes: 2 ** 20,
  messages_per_second: 1e9,
  message_burst: 1e9,
  max_patterns: 256,
  max_connections_per_address: 30,
  auth_timeout_ms: 10_000,
};

/** How many messages of so many characters a session takes behind a token that is never judged. */
function takenOf(length: number): number {
  const audience = modelAudience(new FeedStore({ epoch: 'e' }), () => NOW);
  const closed: string[] = [];
  const connection: SessionConnection = {
    subscriber: audience.admit({ unsent: 0, write: () => 0 }),
    address: 'test',
    traffic: { sent: 0, received: 0 },
    close: (reason) => void closed.push(reason),
  };
  const port = {
    clients: () => undefined,
    clientCount: 0,
    command: () => undefined,
    resume: () => undefined,
    access: anybody, // It never reaches a verdict.
    kick: () => undefined,
    addEntry: () => undefined,
  };
  const shared = new SessionContext(audience, port, LIMITS, 20_000, 30_000, NOW);
  const session = new FeedSession(shared, connection, new SessionMemory('s', 'c', 't'), NOW);
  session.receive('{"type":"auth","token":"t"}', NOW);
  let taken = 0;
  while (closed.length === 0 && taken <= 1_000) {
    session.receive('x'.repeat(length), NOW);
    if (closed.length === 0) taken++;
  }
  expect(closed).toEqual(['rate_limited']);
  return taken;
}

describe('what comes behind a token that is not judged yet', () => {
  it.each([
    [100, 64],
    [100_000, 10],
    [2 ** 20, 1],
  ])('is held, of messages of %i characters at most %i', (length, most) => {
    expect(takenOf(length)).toBe(most);
  });
});
