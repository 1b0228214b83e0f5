import { formatProblem, loadMessages } from '../config/index.ts';
import type { StateDocument } from '../contract/feed/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import { ERROR_CODES, type ErrorCode, HeartwireError } from '../errors.ts';
import { FeedStore } from '../feed/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import { decisiveSilenceMs } from '../recording/index.ts';
import { Replay, type ReplayDevice, type ReplayLine } from '../replay/index.ts';
import { parseBytes, type TraceEvent, type Unmet, withSilences } from '../trace/index.ts';
import type { Trace } from './trace-fixture.ts';

/** Something that a test does to the link, besides what the trace says. */
export type Fault =
  /**
   * The link breaks, or cannot be opened while it is dialled; further bytes of its connection are not read. `link_reset`
   * where no code is given.
   */
  | { readonly kind: 'break'; readonly code?: ErrorCode }
  /** What the peer sends is lost, for so long. */
  | { readonly kind: 'silence'; readonly ms: number }
  /** Bytes of the peer that the trace does not hold: hex, quoted text, repeats. */
  | { readonly kind: 'bytes'; readonly bytes: string }
  /** The next chunk of the peer loses this byte, or has all its bits turned. */
  | { readonly kind: 'lose' | 'flip'; readonly at: number };

export interface ReplayTestOptions {
  /** What the device speaks besides the built-in messages: the text of a `messages.yaml`. */
  readonly messages?: string;
  /** Words of `#meta` that are to be others than the trace says. */
  readonly meta?: Readonly<Record<string, string>>;
}

/** One trace on a virtual clock, as far as a test has played it. */
export class ReplayedTrace {
  /** Everything that has happened, as `heartwire replay` prints it. */
  readonly lines: ReplayLine[] = [];
  readonly #events: readonly TraceEvent[];
  readonly #store = new FeedStore({ epoch: 'replay' });
  readonly #replay: Replay;
  readonly #device: ReplayDevice;
  #next = 0;
  #silentUntilMs = 0;
  #damage: { readonly kind: 'lose' | 'flip'; readonly at: number } | undefined;

  constructor(trace: Trace, options: ReplayTestOptions = {}) {
    const head = { ...trace.head, meta: { ...trace.head.meta, ...options.meta } };
    const messages = options.messages === undefined ? undefined : declared(options.messages);
    const gapMs = decisiveSilenceMs(head, messages, trace.name);
    this.#events = gapMs === undefined ? trace.events : withSilences(trace.events, gapMs);
    this.#replay = new Replay({
      store: this.#store,
      startMs: head.startMs,
      line: (line) => void this.lines.push(line),
      messages,
    });
    this.#device = this.#replay.device(head, trace.name, trace.name);
  }

  /** Seconds since the start of the trace. */
  get time(): number {
    return this.#replay.clock.now().monoMs / 1_000;
  }

  /** The state document of the device now. */
  get state(): StateDocument & { readonly replay: true } {
    // The device publishes nothing else on this topic.
    return this.document('state') as unknown as StateDocument & { readonly replay: true };
  }

  /** A retained document of the device: `state`, `stats`. */
  document(topic: string): JsonObject | undefined {
    return this.#store.document(`devices/${this.#device.id}/${topic}`);
  }

  /** Messages of the device, in order. */
  get messages(): JsonObject[] {
    return this.lines.flatMap(({ received }) => (isObject(received) ? [received] : []));
  }

  /** Frames that the bridge sent, as hex, in order. */
  get sent(): string[] {
    return this.lines.flatMap(({ sent }) => (typeof sent === 'string' ? [sent] : []));
  }

  /** What was discarded, in order: count and reason among others. */
  get discarded(): JsonObject[] {
    return this.lines.flatMap(({ discarded }) => (isObject(discarded) ? [discarded] : []));
  }

  /** Every status that the device had, in order, each once. */
  get statuses(): string[] {
    const all = this.lines.flatMap(({ state }) => (isObject(state) ? [String(state.status)] : []));
    return all.filter((status, index) => status !== all[index - 1]);
  }

  /** `?` lines that were not met so far. */
  get unmet(): readonly Unmet[] {
    return this.#replay.unmet;
  }

  /** Plays what lies up to this time, in seconds since the start, and lets the time pass. */
  playTo(seconds: number): this {
    const atMs = seconds * 1_000;
    for (;;) {
      const event = this.#events[this.#next];
      if (event === undefined || event.atUs / 1_000 > atMs) break;
      this.#next += 1;
      this.#play(event);
    }
    this.#replay.clock.goTo(atMs);
    return this;
  }

  /** Plays all that is left, and lets `moreSeconds` pass. */
  playToEnd(moreSeconds = 0): this {
    const last = (this.#events.at(-1)?.atUs ?? 0) / 1e6;
    return this.playTo(Math.max(last, this.time) + moreSeconds);
  }

  /** Does something to the link now, or to what comes next. */
  inject(fault: Fault): this {
    switch (fault.kind) {
      case 'break': {
        const { code = 'link_reset' } = fault;
        this.#device.endLinks({ code, detail: ERROR_CODES[code].meaning });
        break;
      }
      case 'silence':
        this.#silentUntilMs = this.#replay.clock.now().monoMs + fault.ms;
        break;
      case 'bytes': {
        const bytes = parseBytes(fault.bytes);
        if (!(bytes instanceof Uint8Array)) throw new TypeError(`${bytes.problem} ${bytes.fix}`);
        if (!this.#device.inject(bytes)) throw new TypeError('There is no open link to inject bytes into.');
        break;
      }
      case 'lose':
      case 'flip':
        this.#damage = { kind: fault.kind, at: fault.at };
        break;
    }
    return this;
  }

  /** The trace is over: plays what is left, and says which `?` lines were not met. */
  finish(): readonly Unmet[] {
    this.playToEnd();
    this.#replay.finish();
    return this.unmet;
  }

  #play(event: TraceEvent): void {
    const { fact } = event;
    if (fact.kind !== 'in') return this.#replay.play(this.#device, event);
    if (event.atUs / 1_000 < this.#silentUntilMs) return;
    const damage = this.#damage;
    this.#damage = undefined;
    if (damage === undefined) return this.#replay.play(this.#device, event);
    const { kind, at } = damage;
    const bytes =
      kind === 'lose'
        ? fact.bytes.filter((_, i) => i !== at)
        : fact.bytes.map((b, i) => (i === at ? b ^ 0xff : b));
    this.#replay.play(this.#device, { ...event, fact: { kind: 'in', bytes } });
  }
}

/** @throws HeartwireError `config_invalid` with everything that is wrong */
function declared(text: string): DeclaredProtocol {
  const { protocol, problems } = loadMessages(text, 'messages.yaml');
  if (protocol !== undefined) return protocol;
  throw new HeartwireError('config_invalid', problems.map(formatProblem).join('\n'));
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Begins to replay a trace; nothing of it is played yet. */
export function replay(trace: Trace, options: ReplayTestOptions = {}): ReplayedTrace {
  return new ReplayedTrace(trace, options);
}
