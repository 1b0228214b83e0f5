import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServerMessage } from '../../src/contract/feed/server-messages.ts';
import { matchesTopic } from '../../src/contract/wire/topic.ts';
import type { Audience } from '../../src/feed/core/audience.ts';
import type { Change } from '../../src/feed/core/change.ts';
import type { FeedSession } from '../../src/feed/core/session.ts';
import type { SessionConnection } from '../../src/feed/core/session-context.ts';
import { SessionMemory } from '../../src/feed/core/session-memory.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import type { Sink, Subscriber } from '../../src/feed/core/subscriber.ts';
import { type GroupMember, GroupWriter, NO_SLOT } from '../../src/feed/writes/group-writer.ts';
import { FeedView } from '../support/feed-view.ts';
import { ModelBoard } from '../support/model-board.ts';
import { ModelPass, modelAudience, modelSession } from '../support/model-session.ts';

const NOW = { monoMs: 0, wallMs: 0 };
const PATTERNS = ['devices/+/state', 'devices/d1/#', '#', 'devices/d2/state', 'devices/+/messages'];
const TOPICS = ['d1', 'd2', 'd3', 'd4'].map((id) => `devices/${id}/state`);
const EVENTS = ['devices/d1/messages', 'devices/d2/messages'];
/** Two of these are more than a sink may hold. */
const BIG = 'x'.repeat(40_000);

/** How shared bytes reach the sockets: each by itself, or together. */
const WRITES = ['one by one', 'together on one thread', 'together by threads'] as const;
type Writes = (typeof WRITES)[number];

/** What sockets take before their peers read. */
const SYSTEM_BYTES = 50_000;

/** A socket that drains only on demand; frames are lines. */
class SlowSink implements Sink, GroupMember {
  readonly view = new FeedView();
  readonly #world: World;
  readonly #descriptor: number;
  #slot = NO_SLOT;
  #held = '';
  filled = (): void => undefined;
  mostUnsent = 0;

  constructor(world: World, descriptor: number) {
    this.#world = world;
    this.#descriptor = descriptor;
    world.board.room(descriptor, SYSTEM_BYTES);
  }

  get unsent(): number {
    return this.#held.length;
  }

  write(bytes: Uint8Array, shared = false): number {
    this.settle();
    if (shared && this.#held === '') {
      this.#slot = this.#world.groupWriter?.add(this, this.#descriptor, bytes) ?? NO_SLOT;
      if (this.#slot !== NO_SLOT) return this.unsent;
    }
    this.#hold(bytes);
    return this.unsent;
  }

  settle(): void {
    this.#world.groupWriter?.settle(this.#slot, this);
  }

  tookLess(rest: Uint8Array): void {
    this.#hold(rest);
    this.filled();
  }

  broken(): void {
    throw new Error('no thread stops in the middle of an entry');
  }

  #hold(bytes: Uint8Array): void {
    this.#held += new TextDecoder().decode(bytes);
    this.mostUnsent = Math.max(this.mostUnsent, this.unsent);
  }

  drain(): void {
    this.settle();
    const sent = this.#world.board.drain(this.#descriptor, SYSTEM_BYTES);
    const lines = (sent + this.#held).split('\n');
    this.#held = '';
    for (const line of lines) if (line !== '') this.view.receive(JSON.parse(line) as ServerMessage);
  }
}

class World {
  readonly store = new FeedStore({ epoch: 'e', notify: 'followed' });
  readonly audience: Audience;
  readonly clients: Client[] = [];
  readonly changes: Change[] = [];
  readonly board: ModelBoard;
  readonly groupWriter: GroupWriter | undefined;
  readonly #pass: ModelPass;

  constructor(clients: number, writes: Writes) {
    this.board = new ModelBoard(writes === 'together by threads');
    if (writes !== 'one by one') this.groupWriter = new GroupWriter(this.board.writeSome, this.board.threads);
    this.audience = modelAudience(this.store, () => NOW);
    this.#pass = new ModelPass(this.audience);
    this.store.listen((change) => this.changes.push(change));
    for (let index = 0; index < clients; index++) this.clients.push(new Client(this));
  }

  /** Part of a pass, or all of it. */
  flush(most: number): void {
    this.groupWriter?.begin();
    this.#pass.flush(most, NOW);
    this.groupWriter?.end();
  }

  /** Threads have the time for so many entries. */
  work(entries: number): void {
    if (this.groupWriter !== undefined) this.board.work(entries, this.groupWriter);
  }

  settleAll(): void {
    // Groups without changes of their own get the position only so often.
    for (let tick = 0; tick < 20; tick++) this.audience.sendPositions();
    for (let round = 0; round < 1_000; round++) {
      this.flush(1_000);
      for (const client of this.clients) client.drain();
      if (!this.audience.pending && this.clients.every(({ sink }) => sink.unsent === 0)) return;
    }
    throw new Error('the feed does not come to rest');
  }
}

class Client {
  readonly sink: SlowSink;
  readonly subscriber: Subscriber;
  readonly session: FeedSession<SessionConnection>;
  readonly patterns = new Map<string, number>();
  readonly #world: World;
  #asked = 0;

  constructor(world: World) {
    this.#world = world;
    this.sink = new SlowSink(world, world.clients.length);
    this.subscriber = world.audience.admit(this.sink);
    this.sink.filled = () => this.subscriber.filled();
    this.session = modelSession(world.audience, this.subscriber, new SessionMemory('secret', 'c', 't'), NOW);
  }

  drain(): void {
    this.sink.drain();
    this.checkPosition();
    if (this.subscriber.full) this.#world.audience.wake(this.subscriber);
  }

  subscribe(pattern: string): void {
    const id = String(++this.#asked);
    // A second subscription makes the first no younger.
    if (!this.patterns.has(pattern)) this.patterns.set(pattern, this.#world.store.rev);
    this.sink.view.subscribing(id, [pattern]);
    this.session.receive(JSON.stringify({ type: 'subscribe', id, topics: [pattern] }), NOW);
  }

  unsubscribe(pattern: string): void {
    if (!this.patterns.delete(pattern)) return;
    this.session.receive(JSON.stringify({ type: 'unsubscribe', topics: [pattern] }), NOW);
    // The rest of the model is about patterns that stay: the answer is awaited.
    this.#world.settleAll();
    for (const topic of [...this.sink.view.topics.keys()]) {
      if (!this.hears(topic)) this.sink.view.topics.delete(topic);
    }
  }

  hears(topic: string): boolean {
    return [...this.patterns.keys()].some((pattern) => matchesTopic(pattern, topic));
  }

  /** Everything up to its position, of what it was synced on, is known to it. */
  checkPosition(): void {
    const { view } = this.sink;
    for (const { kind, topic, rev, seq } of this.#world.changes) {
      if (rev > view.position) break;
      const since = [...view.synced].filter((each) => this.patterns.has(each) && matchesTopic(each, topic));
      if (since.length === 0) continue;
      if (kind === 'state') {
        if ((view.topics.get(topic)?.seq ?? Number.POSITIVE_INFINITY) < seq) {
          view.breaches.push(`position ${view.position} claims ${topic} ${seq}`);
        }
      } else if (kind === 'event') {
        if (rev <= Math.min(...since.map((each) => this.patterns.get(each) ?? rev))) continue;
        if (!this.knowsOf(topic, seq))
          view.breaches.push(`position ${view.position} hides event ${topic} ${seq}`);
      }
    }
  }

  knowsOf(topic: string, seq: number): boolean {
    const { events, gaps } = this.sink.view;
    return (
      (events.get(topic) ?? []).includes(seq) ||
      gaps.some((gap) => gap.topic === topic && gap.from <= seq && seq <= gap.to)
    );
  }
}

/** Two messages in one pass, each of which is more than a sink may hold. */
const TWO_LARGE = [
  ['subscribe', 0, 1],
  ['flush', 1, 0],
  ['event', 0, 600_000],
  ['event', 0, 600_000],
] as [string, number, number][];

const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('publish'), fc.nat(3), fc.nat(5)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('publishBig'), fc.nat(3), fc.nat(5)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('remove'), fc.nat(3), fc.constant(0)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('event'), fc.nat(1), fc.constantFrom(10, 40_000, 600_000)) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('subscribe'), fc.nat(2), fc.nat(4)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('unsubscribe'), fc.nat(2), fc.nat(4)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('resync'), fc.nat(2), fc.nat(3)) },
  { weight: 5, arbitrary: fc.tuple(fc.constant('flush'), fc.constantFrom(1, 2, 9), fc.constant(0)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('drain'), fc.nat(2), fc.constant(0)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('work'), fc.nat(3), fc.constant(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('position'), fc.constant(0), fc.constant(0)) },
);

function perform(world: World, [kind, a, b]: readonly [string, number, number]): void {
  const topic = TOPICS[a] ?? '';
  const client = world.clients[a];
  const pattern = PATTERNS[b] ?? '';
  if (kind === 'publish')
    world.store.publishState(topic, { n: b, ...(b % 2 === 0 ? { even: { n: b } } : {}) });
  else if (kind === 'publishBig') world.store.publishState(topic, { n: b, big: BIG + b });
  else if (kind === 'remove') world.store.removeState(topic);
  else if (kind === 'event') world.store.publishEvent(EVENTS[a] ?? '', { data: 'x'.repeat(b) });
  else if (kind === 'subscribe') client?.subscribe(pattern);
  else if (kind === 'unsubscribe') client?.unsubscribe(pattern);
  else if (kind === 'resync') {
    client?.session.receive(JSON.stringify({ type: 'resync', topics: [TOPICS[b]] }), NOW);
  } else if (kind === 'flush') world.flush(a);
  else if (kind === 'drain') client?.drain();
  else if (kind === 'work') world.work(a);
  else world.audience.sendPositions();
}

describe.each(WRITES)('subscribers that stall, overlap, come and go, written to %s', (writes) => {
  it('all come to know what the store knows, and no position and no gap lies', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const world = new World(3, writes);
        for (const each of steps) perform(world, each);
        world.settleAll();
        for (const client of world.clients) {
          const { view, mostUnsent } = client.sink;
          expect(view.breaches).toEqual([]);
          expect([...view.synced].sort()).toEqual([...client.patterns.keys()].sort());
          const documents = world.store.documents('#').filter(({ topic }) => client.hears(topic));
          expect(view.documents()).toEqual(
            Object.fromEntries(documents.map(({ topic, document }) => [topic, document])),
          );
          for (const { kind, topic, rev, seq } of world.changes) {
            const since = [...client.patterns]
              .filter(([each]) => matchesTopic(each, topic))
              .map(([, at]) => at);
            if (kind === 'event' && since.some((at) => rev > at))
              expect(client.knowsOf(topic, seq)).toBe(true);
          }
          if (client.patterns.size > 0) expect(view.position).toBe(world.store.rev);
          // The high-water mark, one chunk above it, and one message that is larger than a chunk.
          expect(mostUnsent).toBeLessThan(2 * 64 * 1024 + 601_000);
        }
      }),
      { numRuns: 150, examples: [[TWO_LARGE]] },
    );
  });
});
