import { setImmediate } from 'node:timers/promises';
import type { BlackBoxConfig } from '../config/index.ts';
import type {
  AlarmEvent,
  IncidentDocument,
  IncidentsDocument,
  StateDocument,
} from '../contract/feed/index.ts';
import type { Publisher } from '../contract/index.ts';
import type {
  DeviceObserver,
  DeviceTaps,
  DialInTap,
  ObservedDevice,
  ObserverFactory,
  WireTap,
} from '../devices/index.ts';
import { type ErrorCode, HeartwireError } from '../errors.ts';
import { type Clock, DeadlineTimer, type Log } from '../system/index.ts';
import { BoxDialIn, boxTap } from './box-taps.ts';
import type { Segment } from './core/byte-ring.ts';
import { alarmText, DeviceTriggers, IncidentRate, type Trigger } from './core/incident-triggers.ts';
import { outcomeText, stateText, valuesText } from './core/note-texts.ts';
import { RecordLog } from './core/record-log.ts';
import { RingMemory } from './core/ring-memory.ts';
import { DeviceBox } from './device-box.ts';
import { IncidentStore } from './incident-store.ts';
import { beginningOf, incidentTrace, lastSaid } from './incident-trace.ts';
import type { CreateFile } from './recording-store.ts';
import { metaOf, type TracedDevice } from './trace-meta.ts';

export interface BlackBoxOptions {
  readonly settings: BlackBoxConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly publisher: Publisher;
  /** How a device or a bus is spoken to; undefined where there is no such link. */
  describe(box: string): TracedDevice | undefined;
  /** The line of a device that has no link of its own. */
  busOf(device: string): string | undefined;
  /** Whether what a device says must not leave the process in the clear. */
  isSecret(device: string): boolean;
  readonly createFile?: CreateFile | undefined;
}

/** What else went wrong that is listed with an incident. */
const MOST_ALSO = 20;
const MOST_OTHERS = 100;
/** Incidents in `bridge/incidents`. */
const SHOWN = 100;

/** An incident whose trace is not written yet. */
interface OpenIncident {
  readonly box: DeviceBox;
  readonly device: string;
  readonly trigger: Trigger;
  readonly at: number;
  readonly atMonoMs: number;
  readonly dueMonoMs: number;
  /** Of its ring as it was when it began; they stay until the trace is written. */
  readonly segments: readonly Segment[];
  readonly also: NonNullable<IncidentDocument['also']>[number][];
  alsoCount: number;
  readonly others: Set<string>;
  othersCount: number;
}

type Cause = Pick<IncidentDocument, 'at' | 'reason' | 'code' | 'detail'>;

/**
 * Keeps the last bytes of every link in memory, with what happened meanwhile, and writes them into a trace when
 * something goes wrong. It never holds up the bridge: a trace is written in pieces, one after the other, and what the
 * disk does not take is lost and said.
 */
export class BlackBox implements DeviceTaps, ObserverFactory {
  readonly store: IncidentStore;
  readonly #options: BlackBoxOptions;
  #settings: BlackBoxConfig;
  readonly #memory: RingMemory;
  readonly #log: RecordLog;
  /** Of each ring; they change with the settings. */
  readonly #limits: { maxBytes: number; keepUs: number };
  readonly #rate = new IncidentRate();
  readonly #boxes = new Map<string, DeviceBox>();
  readonly #triggers = new WeakMap<DeviceBox, DeviceTriggers>();
  /** By box, the oldest first. */
  readonly #open = new Map<DeviceBox, OpenIncident>();
  readonly #timer: DeadlineTimer;
  #writing: Promise<void> = Promise.resolve();
  #failure: { readonly reason: ErrorCode; readonly detail: string } | undefined;
  #omitted = 0;
  #omittedLogged = 0;
  #closed = false;

  constructor(options: BlackBoxOptions) {
    const { settings, clock, createFile } = options;
    this.#options = options;
    this.#settings = settings;
    this.store = new IncidentStore({ ...settings, budgetBytes: settings.diskBytes }, createFile);
    this.#limits = limitsOf(settings);
    const room = roomOf(settings);
    this.#memory = new RingMemory(room.rings);
    this.#log = new RecordLog(this.#limits, room.log);
    this.#timer = new DeadlineTimer(clock, () => this.#due());
  }

  /** Bytes of memory that what is kept takes. */
  get memoryBytes(): number {
    return this.#memory.taken + this.#log.held;
  }

  /** Reads what earlier runs have left, and publishes it. */
  async start(): Promise<void> {
    await this.store.load();
    this.#publish();
  }

  tap(device: string): WireTap | undefined {
    const box = this.#boxOf(device);
    return box && boxTap(box, this.#options.clock, (count, reason) => this.#discarded(box, count, reason));
  }

  tapDialIn(): DialInTap {
    return new BoxDialIn({
      clock: this.#options.clock,
      boxOf: (device) => this.#boxOf(device),
      discarded: (box, count, reason) => this.#discarded(box, count, reason),
    });
  }

  /** The bus says which device it asks. */
  note(bus: string, text: string): void {
    this.#boxes.get(bus)?.note(this.#nowUs(), text);
  }

  /** The device is gone, or is spoken to in another way from now on: what is open of it is written now. */
  retire(device: string): void {
    const box = this.#boxes.get(device);
    if (box === undefined) return;
    const incident = this.#open.get(box);
    if (incident !== undefined) this.#finish(incident);
    this.#boxes.delete(device);
    box.close();
  }

  /** Other limits hold from now on; the folder stays the one of the start. */
  limit(settings: BlackBoxConfig): void {
    this.#settings = { ...settings, dir: this.#settings.dir };
    Object.assign(this.#limits, limitsOf(settings));
    const room = roomOf(settings);
    this.#log.resize(room.log);
    this.#memory.resize(room.rings);
    for (const box of this.#boxes.values()) box.fit();
    const { diskBytes, maxFiles } = settings;
    this.#writing = this.#writing
      .then(() => this.store.limit({ budgetBytes: diskBytes, maxFiles }))
      .catch((error: unknown) => {
        const code = 'incident_budget';
        this.#options.log.error({ code }, `old traces in ${this.#settings.dir} stay: ${String(error)}`);
      })
      .then(() => this.#publish());
  }

  /** Other secrets hold from now on. */
  secrecyChanged(): void {
    for (const box of this.#boxes.values()) {
      box.muted = this.#isSecret(box.id);
      if (!box.muted) continue;
      box.forget();
      const incident = this.#open.get(box);
      if (incident !== undefined) this.#release(incident);
    }
    this.#publish();
  }

  /** A person wants what was said until now; false where nothing is kept of the device. */
  mark(device: string, text: string): boolean {
    const box = this.#boxOf(this.#boxIdOf(device));
    if (box === undefined || box.muted) return false;
    this.#trigger(box, device, { reason: 'note', detail: text });
    return true;
  }

  wantsSamples(): boolean {
    return false;
  }

  /** What one device is and does, besides its bytes. */
  observe({ id: device }: Pick<ObservedDevice, 'id'>): Required<Omit<DeviceObserver, 'measured' | 'close'>> {
    const boxId = this.#boxIdOf(device);
    const name = boxId === device ? '' : `${device}: `;
    const triggers = new DeviceTriggers();
    let last: StateDocument | undefined;
    const note = (text: string): void => this.#boxes.get(boxId)?.note(this.#nowUs(), `${name}${text}`);
    const happened = (trigger: Trigger | undefined): void => {
      const box = trigger && this.#boxOf(boxId);
      if (box !== undefined) this.#trigger(box, device, trigger as Trigger);
    };
    return {
      state: (document) => {
        const before = last;
        if (document.status === before?.status && document.link === before.link) return;
        last = document;
        if (document.status === 'online' && before?.status !== 'online') this.#boxes.get(boxId)?.introduced();
        if (document.status !== before?.status || document.link.status !== before.link.status)
          note(stateText(document));
        happened(triggers.state(document));
      },
      alarm: (alarm: AlarmEvent) => {
        note(`alarm: ${alarmText(alarm)}`);
        happened(triggers.alarm(alarm));
      },
      asked: (message, fields) => note(`command ${message} ${valuesText(fields)}`),
      answered: (message, outcome) => {
        note(`command ${message}: ${outcomeText(outcome)}`);
        happened(triggers.command(message, outcome));
      },
      defect: (detail) => happened({ reason: 'defect', code: 'internal_error', detail }),
    };
  }

  /** All that is to be written has been written, or has failed. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** Nothing new is taken; what is open is written now. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.cancel();
    for (const incident of [...this.#open.values()]) this.#finish(incident);
    await this.#writing;
  }

  #nowUs(): number {
    return Math.round(this.#options.clock.now().monoMs * 1_000);
  }

  #boxIdOf(device: string): string {
    return this.#options.busOf(device) ?? device;
  }

  #isSecret(box: string): boolean {
    const { describe, isSecret } = this.#options;
    return isSecret(box) || (describe(box)?.members ?? []).some(({ device }) => isSecret(device));
  }

  #boxOf(id: string): DeviceBox | undefined {
    const known = this.#boxes.get(id);
    if (known !== undefined) return known;
    const traced = this.#options.describe(id);
    if (traced === undefined || this.#closed) return undefined;
    const { bare, login } = traced.settings;
    const box = new DeviceBox(id, this.#memory, this.#log, this.#limits, {
      muted: this.#isSecret(id),
      logsIn: bare === undefined || login === true,
    });
    this.#boxes.set(id, box);
    this.#triggers.set(box, new DeviceTriggers());
    return box;
  }

  #discarded(box: DeviceBox, count: number, reason: string): void {
    const { monoMs } = this.#options.clock.now();
    const trigger = this.#triggers.get(box)?.discarded(count, reason, monoMs);
    if (trigger !== undefined) this.#trigger(box, box.id, trigger);
  }

  #trigger(box: DeviceBox, device: string, trigger: Trigger): void {
    if (this.#closed || box.muted) return;
    const { monoMs, wallMs } = this.#options.clock.now();
    const at = Math.round(wallMs);
    box.note(Math.round(monoMs * 1_000), `incident of ${device}: ${trigger.reason}: ${trigger.detail}`);
    const open = this.#open.get(box);
    if (open !== undefined) {
      open.alsoCount += 1;
      if (open.also.length < MOST_ALSO) open.also.push({ device, ...causeOf(at, trigger) });
      return;
    }
    const verdict = this.#rate.judge(box.id, trigger.reason, monoMs);
    if (verdict !== 'take') return this.#omit(device, verdict);
    const segments = [...box.ring.segments];
    for (const segment of segments) segment.readers += 1;
    this.#open.set(box, {
      box,
      device,
      trigger,
      at,
      atMonoMs: monoMs,
      dueMonoMs: monoMs + this.#settings.afterMs,
      segments,
      also: [],
      alsoCount: 0,
      others: new Set(),
      othersCount: 0,
    });
    this.#follow();
  }

  /** It gets no trace of its own: the latest incident names it, and the log says how many there were. */
  #omit(device: string, verdict: 'often' | 'many'): void {
    this.#omitted += 1;
    if (verdict === 'often') return;
    const latest = [...this.#open.values()].at(-1);
    if (latest === undefined || latest.device === device) return;
    latest.othersCount += 1;
    if (latest.others.size < MOST_OTHERS) latest.others.add(device);
  }

  #follow(): void {
    const [first] = this.#open.values();
    this.#timer.follow(first?.dueMonoMs);
  }

  #due(): void {
    const { monoMs } = this.#options.clock.now();
    for (const incident of [...this.#open.values()]) {
      if (incident.dueMonoMs > monoMs) break;
      this.#finish(incident);
    }
    this.#follow();
  }

  /** Its trace is complete, and is written behind those that came before. */
  #finish(incident: OpenIncident): void {
    this.#open.delete(incident.box);
    const { describe, clock } = this.#options;
    const traced = describe(incident.box.id);
    const { monoMs, wallMs } = clock.now();
    const known = new Set(incident.segments);
    const later = incident.box.ring.segments.filter((segment) => !known.has(segment));
    for (const segment of later) segment.readers += 1;
    const whole = { ...incident, segments: [...incident.segments, ...later] };
    if (traced === undefined) return this.#release(whole);
    const until = { monoMs, wallMinusMonoMs: wallMs - monoMs };
    const openings = new Map(incident.box.openings);
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#write(whole, traced, openings, until);
      } catch (error) {
        this.#failed(incident, error);
      } finally {
        this.#release(whole);
      }
      this.#logOmitted();
      this.#publish();
    });
  }

  #release({ box, segments }: Pick<OpenIncident, 'box' | 'segments'>): void {
    this.#open.delete(box);
    for (const segment of segments) segment.readers -= 1;
  }

  async #write(
    incident: OpenIncident,
    traced: TracedDevice,
    openings: DeviceBox['openings'],
    { monoMs, wallMinusMonoMs }: { readonly monoMs: number; readonly wallMinusMonoMs: number },
  ): Promise<void> {
    const { log } = this.#options;
    const settings = this.#settings;
    const { box, device, trigger, at, atMonoMs, segments, also, alsoCount, others, othersCount } = incident;
    const toUs = Math.round(monoMs * 1_000);
    const spokeMs = lastSaid(segments, atMonoMs * 1_000) / 1_000;
    const fromUs = Math.round((Math.min(spokeMs, atMonoMs) - settings.beforeMs) * 1_000);
    const bytes = { segments, openings, fromUs, toUs, wallMinusMonoMs };
    const startUs = beginningOf(bytes);
    const document: Omit<IncidentDocument, 'id' | 'bytes'> = {
      device,
      ...(box.id === device ? {} : { bus: box.id }),
      ...causeOf(at, trigger),
      from: Math.round(startUs / 1_000 + wallMinusMonoMs),
      to: Math.round(monoMs + wallMinusMonoMs),
      ...(also.length === 0 ? {} : { also }),
      ...(alsoCount > also.length ? { also_count: alsoCount } : {}),
      ...(others.size === 0 ? {} : { others: [...others] }),
      ...(othersCount > others.size ? { others_count: othersCount } : {}),
    };
    const { settings: session, members } = traced;
    // It may begin in the middle of a request, and between two polls.
    const asks = session.bare !== undefined && members === undefined;
    const meta = { ...metaOf(traced), ...(asks ? { asked: 'recorded' } : {}) };
    const text = (said: string): Iterable<Buffer> =>
      incidentTrace(bytes, startUs, { ...meta, incident: said });
    const { id } = await this.store.save(document, box.id, text, () => setImmediate());
    this.#failure = undefined;
    log.info(
      { event: 'incident', device, incident: id, reason: trigger.reason },
      `incident of ${device} (${trigger.detail}): kept as ${id}.trace in ${settings.dir}`,
    );
  }

  #failed({ device }: OpenIncident, error: unknown): void {
    const { log } = this.#options;
    const settings = this.#settings;
    const detail = error instanceof Error ? error.message : String(error);
    const reason = error instanceof HeartwireError ? error.code : 'incident_not_saved';
    const known = this.#failure !== undefined;
    this.#failure = { reason, detail };
    this.#omitted += 1;
    // What stands in the way of one stands in the way of the next; the topic counts them.
    if (known) return;
    const text = `the incident of ${device} could not be kept in ${settings.dir}: ${detail}`;
    log.error({ device, code: reason, dir: settings.dir }, text);
  }

  #logOmitted(): void {
    const more = this.#omitted - this.#omittedLogged;
    this.#omittedLogged = this.#omitted;
    if (more === 0 || this.#failure !== undefined) return;
    const text = `${more} more incidents have no trace of their own: there were too many at once`;
    this.#options.log.warn({ event: 'incidents_omitted', omitted: this.#omitted }, text);
  }

  #publish(): void {
    const { publisher } = this.#options;
    const settings = this.#settings;
    const { files, bytes } = this.store.use;
    const secret = [...this.#boxes.values()].filter(({ muted }) => muted).map(({ id }) => id);
    const latest = this.store.all.slice(-SHOWN);
    const document: IncidentsDocument = {
      status: this.#failure === undefined ? 'ready' : 'failed',
      ...this.#failure,
      dir: settings.dir,
      files,
      bytes,
      omitted: this.#omitted,
      ...(secret.length === 0 ? {} : { not_kept: secret.slice(0, SHOWN) }),
      incidents: Object.fromEntries(latest.map((each) => [each.id, each])),
    };
    publisher.publishState('bridge/incidents', document);
  }
}

const causeOf = (at: number, { reason, code, detail }: Trigger): Cause => ({
  at,
  reason,
  ...(code === undefined ? {} : { code }),
  detail,
});

const limitsOf = ({ maxBytes, beforeMs, afterMs }: BlackBoxConfig) => ({
  maxBytes,
  keepUs: (beforeMs + afterMs) * 1_000,
});

/** Most of the memory is for the log; what a device said long ago, and what an incident is made of, is in rings. */
const roomOf = ({ budgetBytes }: BlackBoxConfig) => ({ log: budgetBytes * 0.75, rings: budgetBytes * 0.25 });
