import type { JsonObject } from '../../contract/wire/index.ts';
import { type Clock, inSlices, sortSteps } from '../../system/index.ts';
import { PiecesOfText } from './pieces.ts';

/** The retained state, as far as a list of it needs. */
export interface ListedState {
  /** Names this life of the state; revisions of another life say nothing. */
  readonly epoch: string;
  /** What is kept of every topic that matches; may be read on while topics change, appear and go. */
  retained(patterns: readonly string[]): Iterable<{
    readonly topic: string;
    readonly rev: number;
    readonly document: JsonObject | undefined;
  }>;
  /** Epoch to revision. */
  position(): { readonly [epoch: string]: number };
}

/** A list as it is sent. */
export interface RenderedList {
  readonly etag: string;
  readonly pieces: readonly Uint8Array[];
}

interface Rendering extends RenderedList {
  readonly revision: number | undefined;
  readonly begunAtMs: number;
  readonly devices: number;
}

const LISTED = ['devices/+/state'];
/** A larger list is rendered once a second at most; a smaller one whenever it changed. */
export const LARGEST_FRESH = 50;
export const KEPT_MS = 1_000;
/** Documents between two places where the rendering may be interrupted. */
const STRIDE = 32;

/** The body of `/api/devices`, rendered once for all concurrent requests, in slices where it is large. */
export class DeviceList {
  readonly #state: ListedState;
  readonly #clock: Clock;
  #latest: Rendering | undefined;
  #rendering: Promise<Rendering> | undefined;

  constructor(state: ListedState, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  latest(): RenderedList | Promise<RenderedList> {
    if (this.#rendering !== undefined) return this.#rendering;
    if (this.#latest !== undefined && this.#isGood(this.#latest)) return this.#latest;
    const rendered = inSlices(this.#render());
    if (!(rendered instanceof Promise)) {
      this.#latest = rendered;
      return rendered;
    }
    this.#rendering = rendered
      .then((latest) => {
        this.#latest = latest;
        return latest;
      })
      .finally(() => {
        this.#rendering = undefined;
      });
    return this.#rendering;
  }

  #isGood({ revision, devices, begunAtMs }: Rendering): boolean {
    if (this.#revision() === revision) return true;
    return devices > LARGEST_FRESH && this.#clock.now().monoMs - begunAtMs < KEPT_MS;
  }

  #revision(): number | undefined {
    return Object.values(this.#state.position())[0];
  }

  *#render(): Generator<undefined, Rendering> {
    const { epoch } = this.#state;
    const begunAtMs = this.#clock.now().monoMs;
    // Read first: changes made while the list is put together can then only be sent twice, never missed.
    const position = this.#state.position();
    const found = new Map<string, JsonObject>();
    let newest = 0;
    for (const { topic, rev, document } of this.#state.retained(LISTED)) {
      if (document !== undefined) found.set(topic, document);
      newest = Math.max(newest, rev);
      if (found.size % STRIDE === 0) yield;
    }
    // As many documents, and none that is newer: nothing was added or changed, so nothing was removed either. The
    // position may have gone on meanwhile, and the older one is as good; that is what the tag is weak for.
    const etag = `W/"${epoch}.${newest}.${found.size}"`;
    const about = { etag, revision: position[epoch], begunAtMs, devices: found.size };
    if (this.#latest?.etag === etag) return { ...this.#latest, ...about };
    const text = new PiecesOfText();
    text.add(`{"position":${JSON.stringify(position)},"devices":[`);
    let count = 0;
    for (const topic of yield* sortSteps([...found.keys()])) {
      text.add(`${count++ === 0 ? '' : ','}${JSON.stringify(found.get(topic))}`);
      if (count % STRIDE === 0) yield;
    }
    text.add(']}\n');
    return { ...about, pieces: text.finish() };
  }
}
