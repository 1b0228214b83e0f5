import { openRegular, Pace } from '../system/index.ts';
import { addSilences, defaultSilenceMs, type TraceEvent } from '../trace/index.ts';
import { type Parsed, refuse } from './address.ts';
import type { LinkEnd, LinkHandlers } from './link.ts';
import type { LinkTransport } from './link-transport.ts';
import { PlayedLink } from './played-link.ts';
import { parseTrace, unpacked } from './trace-file.ts';

/** A trace that is played as if it were a device. */
export interface ReplayAddress {
  readonly scheme: 'replay';
  readonly path: string;
  /** How many times as fast as it was. */
  readonly speed: number;
}

export interface ReplayLinkOptions {
  /**
   * Frames end with silence: where the trace has no `idle` lines, its times say when the line fell silent, by this gap
   * or that of its transport.
   */
  readonly silence?: { readonly gapMs?: number | undefined } | undefined;
}

/** Which connection of its trace each address plays next; a device keeps its address for life. */
const nextOf = new WeakMap<ReplayAddress, number>();

/**
 * A link that plays one connection of a trace: the bytes of the peer come chunk by chunk, at the recorded pace times
 * `speed`. Every link that is dialled plays the next connection, and the first again after the last.
 */
export class ReplayLink extends PlayedLink {
  readonly #target: ReplayAddress;
  readonly #silence: ReplayLinkOptions['silence'];
  readonly #over = new AbortController();

  constructor(target: ReplayAddress, options: ReplayLinkOptions = {}) {
    super('replay', target.path, setImmediate);
    this.#target = target;
    this.#silence = options.silence;
  }

  override open(handlers: LinkHandlers): void {
    super.open(handlers);
    if (this.isOver) return;
    void this.#play()
      .catch((error: unknown) => failedEnd(this.address, error))
      .then((end) => this.playEnd(end));
  }

  override destroy(): void {
    super.destroy();
    // A pipe that the process was given may have nothing to read: reading it ends with this signal alone.
    this.#over.abort();
  }

  /** Plays one connection to its end. */
  async #play(): Promise<LinkEnd> {
    const { path, speed } = this.#target;
    const wanted = nextOf.get(this.#target) ?? 0;
    const names: string[] = [];
    const pace = new Pace({ speed, signal: this.#over.signal });
    let startUs: number | undefined;
    let hasRead = false;
    for await (const { connection, fact, atUs } of this.#events()) {
      const carries = fact.kind === 'in' || fact.kind === 'life';
      if (carries && !names.includes(connection) && !(fact.kind === 'life' && fact.word === 'dial')) {
        if (names.length > wanted) continue;
        names.push(connection);
      }
      if (names.length <= wanted || connection !== names[wanted]) continue;
      if (startUs === undefined) nextOf.set(this.#target, wanted + 1);
      startUs ??= atUs;
      await pace.until((atUs - startUs) / 1_000);
      // Destroyed meanwhile: it has an end already.
      if (this.isOver) break;
      if (fact.kind === 'in') {
        this.playOpen(path);
        this.playBytes(fact.bytes);
        hasRead = true;
      } else if (fact.kind === 'life') {
        if (fact.word === 'close' || fact.word === 'error') {
          return {
            code: 'link_closed',
            detail: `In ${path} the link ended here: ${fact.detail.replace(/\.$/, '')}.`,
          };
        }
        if (fact.word === 'open') this.playOpen(path);
        // A silence behind bytes that were sent is no end of a frame that was read.
        if (fact.word === 'idle' && hasRead) this.playIdle();
        if (fact.word === 'idle') hasRead = false;
      }
    }
    if (names.length <= wanted) nextOf.set(this.#target, 0);
    return { code: 'trace_ended', detail: `${path} is at its end; it begins again when it is dialled.` };
  }

  async *#events(): AsyncGenerator<TraceEvent> {
    const { path } = this.#target;
    const file = (await openRegular(path)).createReadStream({ signal: this.#over.signal });
    // A recording that a crash cut short is played as far as it goes.
    const { head, events } = await parseTrace(path, unpacked(file), () => undefined);
    const { gapMs = defaultSilenceMs(head.meta.transport) } = this.#silence ?? {};
    const pieces = this.#silence === undefined ? events : addSilences(events, gapMs);
    for await (const piece of pieces) yield* piece;
  }
}

function failedEnd(address: string, error: unknown): LinkEnd {
  const detail = error instanceof Error ? error.message : String(error);
  return { code: 'trace_unreadable', detail: `${address} could not be played: ${detail}.` };
}

export const replay: LinkTransport<ReplayAddress> = {
  parse: parseReplayAddress,
  label: ({ path }) => path,
  dial: (address, { silence }) => new ReplayLink(address, { silence }),
};

function parseReplayAddress(rest: string): Parsed<ReplayAddress> {
  const fix = 'Write replay:FILE.trace, or replay:FILE.trace?speed=10.';
  const [, path = '', , option] = /^(.*?)(\?(.*))?$/s.exec(rest) ?? [];
  if (path === '') return refuse('The file of the trace is missing.', fix);
  if (option === undefined) return { ok: true, value: { scheme: 'replay', path, speed: 1 } };
  const [, text] = /^speed=(\d{1,6}(?:\.\d{1,3})?)$/.exec(option) ?? [];
  const speed = Number(text ?? 0);
  if (speed > 0) return { ok: true, value: { scheme: 'replay', path, speed } };
  return refuse('Behind the question mark stands the speed, a number above 0.', fix);
}
