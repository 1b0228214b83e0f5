import type { CommandOutcome, FeedCommand } from '../../src/contract/command.ts';
import { Audience } from '../../src/feed/core/audience.ts';
import { FeedSession } from '../../src/feed/core/session.ts';
import {
  type SessionConnection,
  SessionContext,
  type SessionPort,
} from '../../src/feed/core/session-context.ts';
import type { SessionMemory } from '../../src/feed/core/session-memory.ts';
import type { FeedStore } from '../../src/feed/core/store.ts';
import type { Subscriber } from '../../src/feed/core/subscriber.ts';
import type { Instant } from '../../src/instant.ts';
import { anybody } from './anybody.ts';
import { plainFramer } from './plain-framer.ts';

/** An audience whose frames are lines, and whose passes are the test's to make. */
export function modelAudience(store: FeedStore, now: () => Instant): Audience {
  const audience: Audience = new Audience(store, (parts) => plainFramer([...parts, '\n']), {
    pending: () => undefined,
    paced: () => undefined,
    overfull: () => audience.settle(now()),
  });
  return audience;
}

type CommandDone = (outcome: CommandOutcome, now: Instant) => void;

/** A session of anybody, without limits that a model would reach; `parked` is what it may resume. */
export function modelSession(
  audience: Audience,
  subscriber: Subscriber,
  memory: SessionMemory,
  now: Instant,
  parked?: SessionMemory,
  command: (command: FeedCommand, done: CommandDone) => void = () => undefined,
): FeedSession<SessionConnection> {
  const limits = {
    max_message_bytes: 65_536,
    messages_per_second: 1e9,
    message_burst: 1e9,
    max_patterns: 256,
    max_connections_per_address: 30,
    auth_timeout_ms: 10_000,
  };
  const port: SessionPort<SessionConnection> = {
    clients: () => undefined,
    clientCount: 0,
    command: (asked, _client, done) => command(asked, done),
    resume: () => parked,
    access: anybody,
    kick: () => undefined,
    addEntry: () => undefined,
  };
  const connection: SessionConnection = {
    subscriber,
    address: 'test',
    traffic: { sent: 0, received: 0 },
    close: () => undefined,
  };
  return new FeedSession(
    new SessionContext(audience, port, limits, 20_000, 30_000, now),
    connection,
    memory,
    now,
  );
}

/** A pass over an audience, made in parts. */
export class ModelPass {
  readonly #audience: Audience;
  #pass: Generator<Subscriber, void, void> | undefined;

  constructor(audience: Audience) {
    this.#audience = audience;
  }

  /** So many subscribers more, or all that are left. */
  flush(most: number, now: Instant): void {
    this.#pass ??= this.#audience.pass();
    for (let count = 0; count < most; count++) {
      const next = this.#pass.next();
      if (next.done === true) {
        this.#pass = undefined;
        return;
      }
      next.value.flush(now);
    }
  }
}
