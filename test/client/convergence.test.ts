import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Client, ClientError, connect, type FeedItem } from '../../src/client/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelBridge } from '../support/model-bridge.ts';

const TOPICS = ['devices/a/state', 'devices/b/state', 'devices/c/state'];
const PATTERNS = ['devices/+/state', 'devices/a/#', '#', 'devices/+/messages'];

type Step =
  | { readonly kind: 'publish'; readonly topic: number; readonly value: number }
  | { readonly kind: 'remove'; readonly topic: number }
  | {
      readonly kind:
        | 'happen'
        | 'positions'
        | 'cut'
        | 'halfOpen'
        | 'restart'
        | 'freeze'
        | 'thaw'
        | 'down'
        | 'up'
        | 'retry'
        | 'command';
    }
  | { readonly kind: 'drain'; readonly afterMs: number }
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly pattern: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'sleep'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), topic: fc.nat(2), value: fc.nat(9) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), topic: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'happen' as const }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'happen' as const,
        'positions',
        'cut',
        'halfOpen',
        'restart',
        'freeze',
        'thaw',
        'down',
        'up',
        'retry',
        'command',
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drain' as const), afterMs: fc.nat(20_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('subscribe' as const, 'unsubscribe'), pattern: fc.nat(3) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 5, 20, 1_000, 25_000, 130_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('sleep' as const),
      ms: fc.constantFrom(2_000, 60_000, 3_600_000),
    }),
  },
);

class World {
  readonly clock = new FakeClock();
  readonly bridge = new ModelBridge(this.clock);
  readonly client: Client;
  readonly items: FeedItem[] = [];
  readonly commands: Array<Promise<readonly [n: number, outcome: string]>> = [];
  readonly #subscriptions = new Map<number, { unsubscribe(): void }>();

  constructor(random: () => number) {
    this.client = connect('ws://model', {
      WebSocket: this.bridge.WebSocket,
      clock: this.clock,
      random,
      watchReturn: () => () => undefined,
    });
    this.client.on('item', (item) => this.items.push(item));
    this.act({ kind: 'subscribe', pattern: 0 });
    this.act({ kind: 'subscribe', pattern: 3 });
  }

  act(step: Step): void {
    const { bridge, clock, client } = this;
    // Who is frozen notices nothing of the world either.
    if (bridge.frozen && ['publish', 'remove', 'happen', 'positions', 'drain'].includes(step.kind)) return;
    switch (step.kind) {
      case 'publish':
        return bridge.publish(TOPICS[step.topic] ?? '', { value: step.value, [`only${step.value}`]: true });
      case 'remove':
        return bridge.publish(TOPICS[step.topic] ?? '', undefined);
      case 'happen':
        return bridge.happen('devices/a/messages', { life: bridge.epoch });
      case 'positions':
        return bridge.tellPositions();
      case 'cut':
        return bridge.cut();
      case 'halfOpen':
        for (const socket of bridge.sockets) socket.dead = true;
        return;
      case 'restart':
        return bridge.restart();
      case 'freeze':
        return bridge.freeze();
      case 'thaw':
        return bridge.thaw();
      case 'down':
        bridge.down = true;
        return bridge.cut();
      case 'up':
        bridge.down = false;
        return;
      case 'retry':
        return client.retryNow();
      case 'drain':
        return bridge.drain(step.afterMs);
      case 'command': {
        const n = this.commands.length;
        const outcome = client.command('a', 'set', { n }).then(
          ({ fields }) => `done ${String(fields.n)}`,
          (error: unknown) => (error instanceof ClientError ? error.code : String(error)),
        );
        this.commands.push(outcome.then((each) => [n, each] as const));
        return;
      }
      case 'subscribe':
        if (!this.#subscriptions.has(step.pattern))
          this.#subscriptions.set(step.pattern, client.subscribe(PATTERNS[step.pattern] ?? ''));
        return;
      case 'unsubscribe':
        // The first one stays, so that there is always something to compare.
        if (step.pattern === 0) return;
        this.#subscriptions.get(step.pattern)?.unsubscribe();
        this.#subscriptions.delete(step.pattern);
        return;
      case 'pass':
        clock.advance(step.ms);
        this.checkStatus();
        return;
      case 'sleep':
        clock.stall(step.ms);
    }
  }

  /** `connected` is only said while something was heard lately. */
  checkStatus(): void {
    if (this.client.status.state !== 'connected') return;
    expect(this.clock.now().monoMs - this.bridge.lastHeardAtMs).toBeLessThan(30_000);
  }

  get documents(): Record<string, unknown> {
    return Object.fromEntries(
      TOPICS.flatMap((topic) => {
        const document = this.client.view.document(topic);
        return document === undefined ? [] : [[topic, document]];
      }),
    );
  }
}

describe('a client of a bridge that does anything at any time', () => {
  it('always converges, is never called the present when it is not, and does nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60, size: 'max' }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        async (steps, stream) => {
          const world = new World(() => Number(stream.next().value));
          for (const each of steps) world.act(each);
          world.bridge.thaw();
          world.bridge.down = false;
          world.clock.advance(300_000);

          expect(world.client.status).toMatchObject({ state: 'connected' });
          expect(world.documents).toEqual(world.bridge.present);
          const seen = new Map<string, number>();
          for (const item of world.items) {
            if (item.kind !== 'event') continue;
            const key = String(item.data.life);
            expect(item.seq).toBeGreaterThan(seen.get(key) ?? 0);
            seen.set(key, item.seq);
          }
          for (const [n, outcome] of await Promise.all(world.commands)) {
            const times = world.bridge.executed.get(n) ?? 0;
            if (outcome === `done ${n}`) expect(times).toBe(1);
            else if (outcome === 'not_connected') expect(times).toBe(0);
            else expect([outcome, times <= 1]).toEqual(['command_outcome_unknown', true]);
          }
          world.client.close();
          world.clock.advance(60_000);
          expect([world.clock.timers, world.bridge.sockets.size]).toEqual([0, 0]);
        },
      ),
      { numRuns: 400 },
    );
  });
});
