import { effect, type Signal, signal } from '@preact/signals';
import { type DocumentChange, type LiveView, qualityOf } from '../../../src/client/index.ts';
import { feed } from './feed.ts';
import { isNumber, isObject, type JsonObject, objectOf, textOf } from './json.ts';
import { flatten, valueText } from './values.ts';

export type Level = 'alarm' | 'warn';

/** Lets a version go on, without following it. */
function bump(version: Signal<number>): void {
  version.value = version.peek() + 1;
}

/**
 * One device as the page knows it: its documents, and what lists need to place it. It stays the same object, so what draws
 * it has to read `changed`.
 */
export class Device {
  readonly id: string;
  /** Goes on when there is something new to draw; at most every `DRAW_MS`. */
  readonly changed = signal(0);
  state: JsonObject = {};
  stats: JsonObject = {};
  /** What decides where it stands in a list, and whether it is there. */
  status = 'unknown';
  group = '';
  label = '';
  level: Level | undefined;
  linkFailed = false;
  #text: string | undefined;

  constructor(id: string) {
    this.id = id;
  }

  get name(): string {
    return this.label === '' ? this.id : this.label;
  }

  get declaration(): string | undefined {
    return textOf(this.state.declaration) || undefined;
  }

  /** Takes the documents of now; true where its place in lists may be another. */
  take(state: JsonObject, stats: JsonObject): boolean {
    this.stats = stats;
    if (state === this.state) return false;
    this.state = state;
    this.#text = undefined;
    const before = [this.status, this.group, this.label, this.level, this.linkFailed];
    this.status = textOf(state.status) || 'unknown';
    this.group = textOf(state.group);
    this.label = textOf(state.label);
    this.linkFailed = isObject(state.link) && state.link.status === 'failed';
    this.level = levelOf(state.quality);
    const after = [this.status, this.group, this.label, this.level, this.linkFailed];
    return after.some((each, index) => each !== before[index]);
  }

  /** Whether everything that is searched for is among what it shows. */
  matches(words: readonly string[]): boolean {
    this.#text ??= [this.id, ...[...flatten(this.state)].map(([, value]) => valueText(value))]
      .join('\n')
      .toLowerCase();
    return words.every((word) => this.#text?.includes(word));
  }
}

function levelOf(quality: unknown): Level | undefined {
  if (!isObject(quality)) return undefined;
  let level: Level | undefined;
  for (const key of Object.keys(quality)) {
    if (quality[key] === 'alarm') return 'alarm';
    if (quality[key] === 'warn') level = 'warn';
  }
  return level;
}

/** Where the documents come from: the feed, or a moment of the past. */
export interface DocumentSource {
  document(topic: string): JsonObject | undefined;
  devices(): Iterable<string>;
}

/** Called for every device that is drawn again, after its documents were taken. */
type Watcher = (device: Device) => void;

/** Lists are drawn at most so often: more is not read, and every drawing costs a layout and a paint. */
const DRAW_MS = 200;

/** All devices. What comes while nothing was drawn for a while is drawn with the next frame of the screen. */
class Devices {
  readonly all = new Map<string, Device>();
  /** Goes on when devices come or go, or one may stand elsewhere in a list. */
  readonly listed = signal(0);
  /** Goes on when anything changes that lists search in. */
  readonly contents = signal(0);
  readonly bridge: Signal<JsonObject> = signal({});
  readonly watchers = new Set<Watcher>();
  readonly #dirty = new Set<string>();
  #bridgeDirty = false;
  #asked = false;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #source: DocumentSource | undefined;
  #past: DocumentSource | undefined;

  get(id: string): Device | undefined {
    return this.all.get(id);
  }

  document(topic: string): JsonObject | undefined {
    return (this.#past ?? this.#source)?.document(topic);
  }

  /** Follows the documents of a client, until the next one. */
  follow(view: LiveView): () => void {
    this.#source = view;
    this.refresh();
    return view.onChange((change) => this.#changed(change));
  }

  /** Shows a moment of the past, or the present again. */
  showPast(past: DocumentSource | undefined): void {
    this.#past = past;
    this.refresh();
  }

  /** Takes every document again. */
  refresh(): void {
    for (const id of this.all.keys()) this.#dirty.add(id);
    for (const id of (this.#past ?? this.#source)?.devices() ?? []) this.#dirty.add(id);
    this.#bridgeDirty = true;
    this.#askFrame();
  }

  #changed({ topic, device }: DocumentChange): void {
    if (this.#past !== undefined) return;
    if (device !== undefined) this.#dirty.add(device);
    else if (topic === 'bridge/status') this.#bridgeDirty = true;
    else if (topic.startsWith('declarations/')) declarations.changed(topic.slice('declarations/'.length));
    else return;
    this.#askFrame();
  }

  #askFrame(): void {
    if (this.#asked) return;
    this.#asked = true;
    const rest = this.#drawnAt + DRAW_MS - performance.now();
    // Frames rest while the page is hidden; its title is still seen.
    if (document.hidden) setTimeout(() => this.#draw(), 1_000);
    else if (rest > 0) setTimeout(() => requestAnimationFrame(() => this.#draw()), rest);
    else requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#asked = false;
    this.#drawnAt = performance.now();
    let moved = false;
    for (const id of this.#dirty) moved = this.#take(id) || moved;
    const some = this.#dirty.size > 0;
    this.#dirty.clear();
    if (this.#bridgeDirty) {
      this.#bridgeDirty = false;
      this.bridge.value = objectOf(this.document('bridge/status'));
    }
    if (moved) bump(this.listed);
    if (some) bump(this.contents);
  }

  #take(id: string): boolean {
    const state = this.document(`devices/${id}/state`);
    const known = this.all.get(id);
    if (state === undefined) {
      // Of a former client, what did not come again is gone once the new one is in step.
      if (known === undefined || (this.#past === undefined && feed.phase.peek() !== 'live')) return false;
      this.all.delete(id);
      return true;
    }
    const device = known ?? new Device(id);
    if (known === undefined) this.all.set(id, device);
    const moved = device.take(state, this.document(`devices/${id}/stats`) ?? {});
    bump(device.changed);
    for (const watcher of this.watchers) watcher(device);
    return moved || known === undefined;
  }
}

export const devices = new Devices();

/** What the values of devices mean; asked for when the first device that speaks so is seen. */
class Declarations {
  /** Goes on when one comes, or is another. */
  readonly version = signal(0);
  #asked = new Set<string>();

  /** The document of a key, as far as it is there. */
  of(key: string | undefined): JsonObject {
    if (key === undefined) return {};
    void this.version.value;
    const client = feed.client.peek();
    if (!this.#asked.has(key) && client !== undefined && feed.phase.peek() === 'live') {
      this.#asked.add(key);
      client.subscribe(`declarations/${key}`);
    }
    return objectOf(client?.view.document(`declarations/${key}`));
  }

  changed(_key: string): void {
    bump(this.version);
  }

  /** Another client knows nothing of what was asked. */
  forget(): void {
    this.#asked = new Set();
    bump(this.version);
  }
}

export const declarations = new Declarations();

effect(() => {
  const client = feed.client.value;
  if (client === undefined) return undefined;
  declarations.forget();
  return devices.follow(client.view);
});
let before = feed.phase.peek();
effect(() => {
  const phase = feed.phase.value;
  if (phase === 'live' && before !== 'live') {
    bump(declarations.version);
    devices.refresh();
  }
  before = phase;
});

/** The quality of a value by its path. */
export function qualityAt(state: JsonObject, path: string): string | undefined {
  const quality = isObject(state.quality) ? state.quality : {};
  const own = qualityOf(quality, path);
  return typeof own === 'string' ? own : undefined;
}

/** When a device was last known to live, and whether that was a heartbeat. */
export function beatOf(stats: JsonObject): { readonly at: number | undefined; readonly isBeat: boolean } {
  if (isNumber(stats.last_heartbeat_at)) return { at: stats.last_heartbeat_at, isBeat: true };
  return { at: isNumber(stats.last_frame_at) ? stats.last_frame_at : undefined, isBeat: false };
}
