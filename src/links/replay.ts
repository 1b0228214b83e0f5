import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import type { TraceEvent, TraceHead } from '../trace/event.ts';
import { TraceParser } from '../trace/parser.ts';
import { defaultSilenceMs, markSilence, Silences } from '../trace/silences.ts';
import { type Parsed, refuse } from './address.ts';
import type { Link, LinkEnd, LinkHandlers, SendOutcome } from './link.ts';
import { LinkLife, ownEnd } from './link-life.ts';
import type { LinkTransport } from './link-transport.ts';

/** A trace that is played as if it were a device. */
export interface ReplayAddress {
  readonly scheme: 'replay';
  readonly path: string;
  /** How many times as fast as it was. */
  readonly speed: number;
}

/** Longest wait at one time, in ms, so that a destroyed link lets go soon. */
const LONGEST_WAIT_MS = 1_000;

export interface ReplayLinkOptions {
  /**
   * Frames end with silence: where the trace has no `idle` lines, its times say when the line fell silent, by this gap
   * or that of its transport.
   */
  readonly silence?: { readonly gapMs?: number | undefined } | undefined;
}

/** Which connection of its trace each address plays next; a device keeps its address for life. */
const played = new WeakMap<ReplayAddress, number>();

/**
 * A link whose peer is a trace: what came from the peer then comes now, at the pace of then times `speed`, chunk by
 * chunk. Every link that is dialled plays the next connection of the trace, and the first again after the last. What
 * is sent goes nowhere.
 */
export class ReplayLink implements Link {
  readonly transport = 'replay';
  readonly address: string;
  readonly queued = 0;
  readonly #target: ReplayAddress;
  readonly #silence: ReplayLinkOptions['silence'];
  readonly #life = new LinkLife();
  readonly #over = new AbortController();

  constructor(target: ReplayAddress, options: ReplayLinkOptions = {}) {
    this.#target = target;
    this.#silence = options.silence;
    this.address = target.path;
  }

  open(handlers: LinkHandlers): void {
    if (!this.#life.begin(handlers)) {
      setImmediate(() => this.#finish(ownEnd(this.address)));
      return;
    }
    // A trace may be a pipe without data: destroying the link does not wait for it.
    const { signal } = this.#over;
    const destroyed = new Promise<LinkEnd>((resolve) => {
      signal.addEventListener('abort', () => resolve(ownEnd(this.address)), { once: true });
    });
    const played = this.#play().catch((error: unknown) => failedEnd(this.address, error));
    void Promise.race([played, destroyed]).then((end) => this.#finish(end));
  }

  send(): SendOutcome {
    return this.#life.isOpen ? 'accepted' : 'link_not_open';
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#life.destroying(ownEnd(this.address))) this.#over.abort();
  }

  #finish(end: LinkEnd): void {
    if (!this.#life.isOver) this.#life.destroying(end);
    setImmediate(() => this.#life.finish(end));
  }

  /** Plays one connection to its end. */
  async #play(): Promise<LinkEnd> {
    const wanted = played.get(this.#target) ?? 0;
    const names: string[] = [];
    let startUs = 0;
    let startedAt = 0;
    let talked = false;
    for await (const { connection, fact, atUs } of this.#events()) {
      if (this.#over.signal.aborted) return ownEnd(this.address);
      const carries = fact.kind === 'in' || fact.kind === 'life';
      if (carries && !names.includes(connection) && !(fact.kind === 'life' && fact.word === 'dial')) {
        if (names.length > wanted) continue;
        names.push(connection);
      }
      if (names.length <= wanted || connection !== names[wanted]) continue;
      if (startedAt === 0) {
        startedAt = performance.now();
        startUs = atUs;
        played.set(this.#target, wanted + 1);
      }
      await this.#wait(startedAt + (atUs - startUs) / 1_000 / this.#target.speed);
      if (this.#over.signal.aborted) return ownEnd(this.address);
      switch (fact.kind) {
        case 'in':
          this.#life.opened(this.address);
          this.#life.data(fact.bytes);
          talked = true;
          break;
        case 'life':
          if (fact.word === 'close' || fact.word === 'error') {
            return {
              code: 'link_closed',
              detail: `In ${this.address} the link ended here: ${fact.detail.replace(/\.$/, '')}.`,
            };
          }
          if (fact.word === 'open') this.#life.opened(this.address);
          // What was silent already, as where only we have talked, does not fall silent again.
          if (fact.word === 'idle' && talked) this.#life.idle();
          if (fact.word === 'idle') talked = false;
          break;
        case 'out':
        case 'note':
        case 'expect':
          break;
      }
    }
    if (names.length <= wanted) played.set(this.#target, 0);
    return {
      code: 'trace_ended',
      detail: `${this.address} is at its end; it begins again when it is dialled.`,
    };
  }

  async *#events(): AsyncGenerator<TraceEvent> {
    let silences: Silences | undefined;
    for await (const { events, head } of readPieces(this.#target.path, this.#over.signal)) {
      if (this.#silence === undefined || events.length === 0) {
        yield* events;
        continue;
      }
      const { gapMs = defaultSilenceMs(head?.meta.transport) } = this.#silence;
      silences ??= new Silences(gapMs, markSilence(events));
      for (const event of events) yield* silences.take(event);
    }
    if (silences !== undefined) yield* silences.finish();
  }

  async #wait(until: number): Promise<void> {
    const { signal } = this.#over;
    for (let left = until - performance.now(); left > 0; left = until - performance.now()) {
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, Math.min(left, LONGEST_WAIT_MS));
        signal.addEventListener('abort', done, { once: true });
        function done(): void {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        }
      });
    }
  }
}

interface Piece {
  readonly events: readonly TraceEvent[];
  readonly head: TraceHead | undefined;
}

async function* readPieces(path: string, signal: AbortSignal): AsyncGenerator<Piece> {
  let events: TraceEvent[] = [];
  let head: TraceHead | undefined;
  const parser = new TraceParser(path, {
    head: (of) => {
      head = of;
    },
    event: (event) => void events.push(event),
    // A recording that a crash cut short is played as far as it goes.
    warning: () => undefined,
  });
  const packed = path.endsWith('.gz');
  const file = createReadStream(path, { signal });
  const pieces: AsyncIterable<Uint8Array> = packed
    ? pipeline(file, createGunzip({ finishFlush: constants.Z_SYNC_FLUSH }), () => undefined)
    : file;
  for await (const piece of pieces) {
    parser.push(piece);
    yield { events, head };
    events = [];
  }
  parser.finish();
  yield { events, head };
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
