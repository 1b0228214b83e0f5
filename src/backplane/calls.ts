import { isJsonObject, type Json, type JsonObject, ownValue } from '../contract/wire/index.ts';
import { type Clock, Lru, type Timer } from '../system/index.ts';
import { type Backplane, BackplaneError } from './core/backplane.ts';
import { parsed } from './core/change-text.ts';

/** Requests whose ids are remembered, so that none is carried out twice. */
const REMEMBERED = 10_000;
/** Characters of an answer in one letter; a longer one goes in several. */
const PART_LENGTH = 64 * 1_024;
/** An answer with more parts is not sent. */
const MOST_PARTS = 256;

/** Carries out what another instance asks for; its answer goes back. */
export type CallHandler = (body: JsonObject, from: string, timeoutMs: number) => Promise<Json>;

/** Why a call has no answer. `sent`: it may have been carried out. */
export class CallFailure extends Error {
  /** `failed`: the other instance could not answer, or its answer is too long. */
  readonly why: 'backplane_lost' | 'owner_lost' | 'timeout' | 'failed';
  readonly sent: boolean;

  constructor(why: CallFailure['why'], sent: boolean) {
    super(`${why}${sent ? ', after the call was sent' : ''}`);
    this.name = 'CallFailure';
    this.why = why;
    this.sent = sent;
  }
}

interface Asked {
  readonly life: string;
  readonly timer: Timer;
  /** Of an answer that comes in several letters. */
  readonly parts: string[];
  answered(body: Json): void;
  failed(failure: CallFailure): void;
}

/**
 * Requests from instance to instance, over the mailboxes. A request is carried out at most once: it is written once under
 * an id, is refused after its time by the clock of the server, and its reader remembers the id.
 */
export class Calls {
  readonly #backplane: Backplane;
  readonly #life: string;
  readonly #clock: Clock;
  readonly #defect: (cause: unknown) => void;
  readonly #handlers = new Map<string, CallHandler>();
  readonly #asked = new Map<string, Asked>();
  readonly #seen = new Lru<string, true>(REMEMBERED);
  readonly #carried = new Set<Promise<void>>();
  #lives: ReadonlySet<string> = new Set();
  #nextId = 1;
  /** What is to be added to the monotonic time for that of the server. */
  #offsetMs: number | undefined;

  constructor(backplane: Backplane, life: string, clock: Clock, defect: (cause: unknown) => void) {
    this.#backplane = backplane;
    this.#life = life;
    this.#clock = clock;
    this.#defect = defect;
  }

  get open(): number {
    return this.#asked.size;
  }

  handle(kind: string, handler: CallHandler): void {
    this.#handlers.set(kind, handler);
  }

  /** The server said what time it is. */
  clockRead(serverMs: number): void {
    this.#offsetMs = serverMs - this.#clock.now().monoMs;
  }

  /** @throws CallFailure */
  async ask(life: string, kind: string, body: JsonObject, timeoutMs: number): Promise<Json> {
    const now = this.#serverMs();
    if (now === undefined) throw new CallFailure('backplane_lost', false);
    const id = `${this.#life}.${this.#nextId++}`;
    const till = now + timeoutMs;
    const answer = new Promise<Json>((resolve, reject) => {
      const late = (): void => this.#settle(id)?.failed(new CallFailure('timeout', true));
      // Behind a loop that stood still the answer may lie in the socket already.
      const timer = this.#clock.setTimer(this.#clock.now().monoMs + timeoutMs, () => {
        this.#clock.afterReading(late);
      });
      this.#asked.set(id, { life, timer, parts: [], answered: resolve, failed: reject });
    });
    // It may fail before anything waits for it.
    answer.catch(() => undefined);
    const text = JSON.stringify({ id, from: this.#life, kind, body, till: Math.round(till) });
    try {
      if (await this.#backplane.call(life, text, till)) return await answer;
    } catch (cause) {
      if (cause instanceof CallFailure || !(cause instanceof BackplaneError)) throw cause;
      this.#settle(id);
      // What is refused was not written; what was not answered may have been.
      throw new CallFailure('backplane_lost', !cause.refused);
    }
    this.#settle(id);
    throw new CallFailure('owner_lost', false);
  }

  /** A letter came. */
  received(text: string): void {
    const letter = parsed(text) as Json;
    if (!isJsonObject(letter)) return;
    const id = ownValue(letter, 'id');
    if (typeof id !== 'string') return;
    const answer = ownValue(letter, 'answer');
    if (answer !== undefined) return void this.#settle(id)?.answered(answer);
    const part = ownValue(letter, 'part');
    if (typeof part === 'string') return this.#partCame(id, part, Number(ownValue(letter, 'of')));
    if (ownValue(letter, 'failed') === true)
      return void this.#settle(id)?.failed(new CallFailure('failed', true));
    const kind = ownValue(letter, 'kind');
    const from = ownValue(letter, 'from');
    const body = ownValue(letter, 'body');
    const till = ownValue(letter, 'till');
    if (typeof kind !== 'string' || typeof from !== 'string' || !isJsonObject(body)) return;
    const leftMs = Number(till) - (this.#serverMs() ?? Number.POSITIVE_INFINITY);
    if (!(leftMs > 0) || this.#seen.get(id) === true) return;
    // A notice has no number of its own: it may come as often as it likes.
    if (from !== '') this.#seen.set(id, true);
    const handler = this.#handlers.get(kind);
    if (handler === undefined) return;
    const carried = this.#carryOut(handler, id, from, body, leftMs).finally(() =>
      this.#carried.delete(carried),
    );
    this.#carried.add(carried);
  }

  /** Of a life that was over the last time too nothing more comes: one that ends answers what it had read. */
  livesAre(lives: ReadonlySet<string>): void {
    for (const [id, { life }] of this.#asked)
      if (!lives.has(life) && !this.#lives.has(life))
        this.#settle(id)?.failed(new CallFailure('owner_lost', true));
    this.#lives = lives;
  }

  /** Resolves once all that came was answered. */
  async answered(): Promise<void> {
    await Promise.allSettled(this.#carried);
  }

  close(): void {
    for (const id of [...this.#asked.keys()])
      this.#settle(id)?.failed(new CallFailure('backplane_lost', true));
  }

  async #carryOut(
    handler: CallHandler,
    id: string,
    from: string,
    body: JsonObject,
    leftMs: number,
  ): Promise<void> {
    const texts = await handler(body, from, leftMs).then(
      (answer) => lettersOf(id, answer),
      (cause: unknown) => {
        this.#defect(cause);
        return [JSON.stringify({ id, failed: true })];
      },
    );
    if (from === '') return;
    // A caller that waits no longer has its outcome: that it is not known.
    for (const text of texts)
      if (!(await this.#backplane.call(from, text, Number.MAX_SAFE_INTEGER).catch(() => false))) return;
  }

  /** They come in their order; where one is lost, the call ends with its time. */
  #partCame(id: string, part: string, of: number): void {
    const asked = this.#asked.get(id);
    if (asked === undefined || asked.parts.push(part) < of) return;
    const answer = parsed(asked.parts.join('')) as Json | undefined;
    this.#settle(id);
    if (answer === undefined) asked.failed(new CallFailure('failed', true));
    else asked.answered(answer);
  }

  #settle(id: string): Asked | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    asked?.timer.cancel();
    return asked;
  }

  #serverMs(): number | undefined {
    return this.#offsetMs === undefined ? undefined : this.#clock.now().monoMs + this.#offsetMs;
  }
}

/** An answer as it is written into a mailbox; where it is too long, that it is. */
function lettersOf(id: string, answer: Json): readonly string[] {
  const text = JSON.stringify(answer);
  if (text.length <= PART_LENGTH) return [JSON.stringify({ id, answer })];
  const of = Math.ceil(text.length / PART_LENGTH);
  if (of > MOST_PARTS) return [JSON.stringify({ id, failed: true })];
  return Array.from({ length: of }, (_, index) => {
    const part = text.slice(index * PART_LENGTH, (index + 1) * PART_LENGTH);
    return JSON.stringify({ id, part, of });
  });
}
