import type { DeclarationDocument, StateDocument } from '../contract/feed/index.ts';
import type { Value, Values } from '../contract/index.ts';
import type { DeviceObserver } from '../devices/index.ts';
import type { Collector } from './collector.ts';

/** A list that is longer holds a waveform or the like, and no values of their own. */
const LONGEST_LIST = 64;
const LONGEST_TEXT = 256;
/** A change is published at once; what is older was no change of now. */
const LATEST_MS = 10_000;

/** One place in the values of a device. */
interface Slot {
  readonly path: string;
  /** Of numbers, or of texts, whichever came; 0: none came yet, or there is no room for one more series. */
  sid: number;
  type: 'number' | 'boolean' | 'text' | undefined;
  text: string | undefined;
  /** The places within it. */
  within: Layout | undefined;
}

type Layout = Map<string, Slot>;

export interface DeviceRecordOptions {
  readonly device: string;
  readonly fields: DeclarationDocument['fields'] | undefined;
  readonly collector: Pick<Collector, 'event' | 'series' | 'value' | 'text' | 'mark' | 'over'>;
  /** Epoch ms. */
  now(): number;
  /** Whether a topic is encrypted: what is in it is not kept. */
  conceals(topic: string): boolean;
  /** Whether this instance has the device; of another one's nothing is kept here. Absent: it has all. */
  owns?: ((device: string) => boolean) | undefined;
  /** There is room for one more series. */
  admits(): boolean;
  closed(series: number): void;
}

/** Takes down the values and statuses of one device, until it is closed. */
export class DeviceRecord implements DeviceObserver {
  readonly #options: DeviceRecordOptions;
  readonly #stateTopic: string;
  readonly #messagesTopic: string;
  readonly #root: Layout = new Map();
  readonly #slots = new Map<string, Slot>();
  readonly #sids: number[] = [];
  #status = '';
  #link: { readonly status: string; readonly reason: string | undefined } = { status: '', reason: undefined };
  #quality: StateDocument['quality'];
  #closed = false;

  constructor(options: DeviceRecordOptions) {
    this.#options = options;
    this.#stateTopic = `devices/${options.device}/state`;
    this.#messagesTopic = `devices/${options.device}/messages`;
  }

  measured(group: string, values: Values): void {
    const { conceals, now } = this.#options;
    if (this.#closed || conceals(this.#stateTopic) || conceals(this.#messagesTopic) || !this.#isOwned())
      return;
    this.#take(this.#layoutOf(this.#slot(this.#root, group, '')), values, now(), `${group}.`);
  }

  state({ status, reason, detail, since, link, quality }: StateDocument): void {
    const { conceals, now } = this.#options;
    if (this.#closed || conceals(this.#stateTopic)) return;
    const at = now();
    if (!this.#isOwned()) return this.#moved(at);
    const key = `${status}\n${reason ?? ''}`;
    if (key !== this.#status) {
      this.#status = key;
      // Of a change of now, the moment that the document names; the first document of a run may tell of long ago.
      const t = since <= at && at - since < LATEST_MS ? since : at;
      this.#event('status', t, { status, reason, detail, since });
    }
    this.#linkChanged(link, at);
    if (quality !== this.#quality) this.#qualified(quality, at);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.collector.over(this.#sids);
    this.#options.closed(this.#sids.length);
  }

  #isOwned(): boolean {
    const { owns, device } = this.#options;
    return owns === undefined || owns(device);
  }

  /** What it says from now on is kept by the instance that has it; should it come back, all of it is a change. */
  #moved(at: number): void {
    if (this.#status !== '') this.#event('status', at, { status: 'unknown', reason: 'moved', since: at });
    this.#status = '';
    this.#link = { status: '', reason: undefined };
    this.#quality = undefined;
    for (const slot of this.#slots.values()) slot.text = undefined;
  }

  /** A link that is dialled again and again, and fails for one reason, is one entry with its first attempt. */
  #linkChanged({ status, reason, detail, address, attempt }: StateDocument['link'], at: number): void {
    const was = this.#link;
    if (status === was.status && reason === was.reason) return;
    const dialling = status === 'connecting' && was.status === 'backoff';
    if (dialling) return;
    this.#link = { status, reason };
    this.#event('link', at, {
      status,
      was: was.status === '' ? undefined : was.status,
      reason,
      detail,
      address,
      attempt,
    });
  }

  #event(
    kind: 'status' | 'link',
    t: number,
    data: Readonly<Record<string, string | number | undefined>>,
  ): void {
    const { collector, device } = this.#options;
    collector.event({ t, device, kind, data: JSON.stringify(data) });
  }

  /** A value that is invalid or stale is absent from now on, until the next one. */
  #qualified(quality: StateDocument['quality'] = {}, at: number): void {
    const before = this.#quality ?? {};
    this.#quality = quality;
    for (const field in quality) {
      const reason = quality[field];
      if ((reason !== 'invalid' && reason !== 'stale') || before[field] === reason) continue;
      const own = this.#slots.get(field);
      if (own !== undefined) this.#mark(own, at, reason);
    }
  }

  /** The parts of a value are absent with the whole of it. */
  #mark(slot: Slot, at: number, reason: string): void {
    if (slot.sid !== 0) this.#options.collector.mark(slot.sid, at, reason);
    // The next one ends it, also where it is as before.
    slot.text = undefined;
    for (const part of slot.within?.values() ?? []) this.#mark(part, at, reason);
  }

  #take(layout: Layout, values: Values, at: number, above: string): void {
    for (const name in values) {
      const value = values[name];
      if (typeof value === 'number') this.#number(this.#slot(layout, name, above), value, at);
      else if (value !== undefined && value !== null) this.#other(this.#slot(layout, name, above), value, at);
    }
  }

  #number(slot: Slot, value: number, at: number): void {
    if (slot.type === 'text') return this.#text(slot, String(value), at);
    if (slot.type === undefined) this.#begin(slot, 'number');
    if (slot.sid !== 0 && Number.isFinite(value)) this.#options.collector.value(slot.sid, at, value);
  }

  #other(slot: Slot, value: Exclude<Value, null | number>, at: number): void {
    if (typeof value === 'string') return this.#text(slot, value, at);
    if (typeof value === 'boolean') {
      if (slot.type === undefined) this.#begin(slot, 'boolean');
      return this.#number(slot, value ? 1 : 0, at);
    }
    const list = isList(value);
    if (list ? value.length > LONGEST_LIST : '$bytes' in value) return;
    // Lists have indexes for names.
    this.#take(this.#layoutOf(slot), value as Values, at, `${slot.path}.`);
  }

  /** A text is kept when it is another one. */
  #text(slot: Slot, value: string, at: number): void {
    // What is a number in some messages and a text in others is a text.
    if (slot.type !== 'text') this.#begin(slot, 'text');
    if (slot.sid === 0 || slot.text === value) return;
    slot.text = value;
    const short = value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value;
    this.#options.collector.text(slot.sid, at, short);
  }

  #begin(slot: Slot, type: 'number' | 'boolean' | 'text'): void {
    const { collector, device, fields, admits } = this.#options;
    slot.type = type;
    if (!admits()) return;
    const declared = fields?.[slot.path] ?? fields?.[slot.path.replace(/\.\d+(?=\.|$)/g, '')];
    slot.sid = collector.series(device, slot.path, declared?.unit ?? '', type);
    this.#sids.push(slot.sid);
  }

  #layoutOf(slot: Slot): Layout {
    slot.within ??= new Map();
    return slot.within;
  }

  #slot(layout: Layout, name: string, above: string): Slot {
    const known = layout.get(name);
    if (known !== undefined) return known;
    const path = `${above}${name}`;
    const slot: Slot = { path, sid: 0, type: undefined, text: undefined, within: undefined };
    layout.set(name, slot);
    this.#slots.set(path, slot);
    return slot;
  }
}

/** `Array.isArray` does not narrow readonly arrays. */
const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
