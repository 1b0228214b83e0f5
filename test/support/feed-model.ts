import type { CommandOutcome, FeedCommand } from '../../src/contract/command.ts';
import { REDELIVER_MS } from '../../src/feed/core/ack-window.ts';
import type { Audience } from '../../src/feed/core/audience.ts';
import { FeedStore } from '../../src/feed/core/store.ts';
import type { Instant } from '../../src/instant.ts';
import { ModelClient, type ModelTerms } from './model-client.ts';
import { ModelHistory } from './model-history.ts';
import { ModelPass, modelAudience } from './model-session.ts';

export type { ModelTerms } from './model-client.ts';

type Done = (outcome: CommandOutcome, now: Instant) => void;

/** A feed without sockets whose time, passes and connections are the test's to move. */
export class FeedModel {
  store = new FeedStore({ epoch: 'life-0', notify: 'followed' });
  audience: Audience;
  /** Of this life. */
  history = new ModelHistory();
  monoMs = 0;
  readonly clients: readonly ModelClient[];
  /** How often each command was carried out, by its `n`. */
  readonly executed = new Map<number, number>();
  #waiting: Array<{ readonly n: number; readonly done: Done }> = [];
  #pass: ModelPass;
  #lives = 0;
  #commands = 0;

  constructor(terms: readonly ModelTerms[]) {
    this.audience = this.#open();
    this.#pass = new ModelPass(this.audience);
    this.clients = terms.map((each) => new ModelClient(this, each));
  }

  get now(): Instant {
    return { monoMs: this.monoMs, wallMs: this.monoMs };
  }

  /** The bridge restarts: another epoch, nothing retained, no client connected. */
  restart(): void {
    for (const client of this.clients) {
      client.disconnect();
      client.forgetSession();
    }
    this.#waiting = [];
    this.store = new FeedStore({ epoch: `life-${++this.#lives}`, notify: 'followed' });
    this.history = new ModelHistory();
    this.audience = this.#open();
    this.#pass = new ModelPass(this.audience);
  }

  /** A removal without a message happened all the same. */
  remove(topic: string): void {
    const before = this.store.rev;
    this.store.removeState(topic);
    const { rev, seq } = this.store.version(topic);
    if (rev > before) this.history.note({ kind: 'removal', topic, rev, seq });
  }

  flush(most: number): void {
    this.#pass.flush(most, this.now);
  }

  /** Time passes; what falls due is looked after once. */
  advance(ms: number): void {
    this.monoMs += ms;
    this.store.age(this.now);
    this.audience.wakePaced(this.now);
    for (const client of this.clients) {
      if (ms >= REDELIVER_MS) client.commands.mayBeToldAgain();
      client.remind();
    }
  }

  /** A client asks for something that no client asked for before. */
  command(client: ModelClient | undefined, ack: boolean): void {
    client?.command(++this.#commands, ack);
  }

  /** A command has come in, to be carried out. */
  asked({ fields }: FeedCommand, done: Done): void {
    const n = Number(fields.n);
    this.executed.set(n, (this.executed.get(n) ?? 0) + 1);
    this.#waiting.push({ n, done });
  }

  /** One command that is under way comes to its end. */
  answer(index: number): void {
    const [waiting] = this.#waiting.splice(index % Math.max(1, this.#waiting.length), 1);
    waiting?.done({ ok: true, result: { n: waiting.n } }, this.now);
  }

  /** Every client is connected and reads until nothing more is to be sent. */
  settle(): void {
    for (const client of this.clients) client.connect();
    while (this.#waiting.length > 0) this.answer(0);
    for (let round = 0; round < 2_000; round++) {
      if (round % 50 === 0) for (let tick = 0; tick < 20; tick++) this.audience.sendPositions();
      this.advance(100);
      this.flush(1_000);
      for (const client of this.clients) {
        client.drain();
        client.acknowledge();
      }
      if (round > 120 && !this.audience.pending && this.clients.every(({ idle }) => idle)) return;
    }
    throw new Error('the feed does not come to rest');
  }

  #open(): Audience {
    const { store, history } = this;
    store.listen((change) => history.note(change));
    return modelAudience(store, () => this.now);
  }
}
