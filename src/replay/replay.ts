import type { ObserverFactory } from '../devices/index.ts';
import type { FeedStore } from '../feed/index.ts';
import type { LinkEnd } from '../links/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import { readMeta } from '../recording/index.ts';
import type { Clock, Log, LoggedDefect } from '../system/index.ts';
import type { TraceEvent, TraceHead, Unmet } from '../trace/index.ts';
import { ReplayDevice } from './replay-device.ts';
import { changeLine, factLine, type ReplayLine } from './replay-line.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface ReplayOptions {
  /** Where the devices publish; everything is marked `replay: true`. */
  readonly store: FeedStore;
  /** What the wall clock shows at the start, ms since the epoch: the earliest start of the traces. */
  readonly startMs: number;
  readonly log?: Log;
  /** What the devices speak besides the built-in messages. */
  readonly messages?: DeclaredProtocol | undefined;
  line?(line: ReplayLine): void;
  wantsBytes?(topic: string): boolean;
  /** What looks on at the devices. */
  observers?(clock: Clock): readonly ObserverFactory[];
}

const SILENT: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A replay is a test: a defect that a bridge would survive ends it. */
const strict = (log: Log): Log => ({
  info: (fields, text) => log.info(fields, text),
  warn: (fields, text) => log.warn(fields, text),
  error: (fields: Partial<LoggedDefect>, text) => {
    if (fields.code === 'internal_error') throw fields.err;
    log.error(fields, text);
  },
});

/** A device of a register map has the address that its trace says, or is alone on its line. */
function addressed(
  messages: DeclaredProtocol | undefined,
  { meta }: TraceHead,
): DeclaredProtocol | undefined {
  const { polls, address } = messages?.declaration ?? {};
  if (polls === undefined || address?.value !== undefined) return messages;
  return messages?.at(Number(meta.address ?? 1));
}

/** One or more traced devices on one virtual clock; what goes in comes out the same, always. */
export class Replay {
  readonly clock: VirtualClock;
  /** What `?` lines wanted and did not get. */
  readonly unmet: Unmet[] = [];
  readonly #options: ReplayOptions;
  readonly #devices = new Map<string, ReplayDevice>();
  readonly #unlisten: () => void;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.clock = new VirtualClock(options.startMs);
    const { line } = options;
    this.#unlisten =
      line === undefined
        ? () => undefined
        : options.store.listen((change) => {
            const made = changeLine(this.#seconds(), change);
            if (made !== undefined) line(made);
          });
  }

  /**
   * The device of a trace; a second trace of the same device goes on with it. `name` is the device's where the trace
   * gives none, `file` is for errors.
   *
   * @throws HeartwireError `trace_unfit`
   */
  device(head: TraceHead, name: string, file: string): ReplayDevice {
    const device = readMeta(head, name, file);
    const known = this.#devices.get(device.settings.device);
    if (known !== undefined) return known;
    const { line, store, log = SILENT, messages, wantsBytes, observers } = this.#options;
    this.clock.goTo(Math.max(head.startMs - this.#options.startMs, this.clock.now().monoMs));
    const made = new ReplayDevice({
      device,
      clock: this.clock,
      publisher: store,
      log: strict(log),
      observers: observers?.(this.clock) ?? [],
      messages: addressed(messages, head),
      happened: (fact) => {
        if ('unmet' in fact) this.unmet.push(fact.unmet);
        line?.(factLine(this.#seconds(), made.id, fact));
      },
      ...(wantsBytes === undefined ? {} : { wantsBytes }),
    });
    this.#devices.set(made.id, made);
    made.start();
    this.clock.drain();
    return made;
  }

  /** Lets time pass up to the event, then plays it. `offsetMs` is how much later than the replay its trace starts, `file` its name. */
  play(device: ReplayDevice, event: TraceEvent, offsetMs = 0, file?: string): void {
    this.clock.goTo(offsetMs + event.atUs / 1_000);
    device.take(event, file);
  }

  /** Every link of every device ends in this way. */
  endLinks(end: LinkEnd): void {
    for (const device of this.#devices.values()) device.endLinks(end);
  }

  /** The traces are over. Their devices stay as they are: nothing is open, and their clock stands still. */
  finish(): void {
    for (const device of this.#devices.values()) device.finish();
    this.#unlisten();
  }

  /** Seconds with six decimals at most, so that they read the same everywhere. */
  #seconds(): number {
    return Math.round(this.clock.now().monoMs * 1_000) / 1e6;
  }
}
