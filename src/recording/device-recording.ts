import { crc32 } from 'node:zlib';
import type { WireTap } from '../devices/index.ts';
import type { ErrorCode } from '../errors.ts';
import type { LinkEnd } from '../links/index.ts';
import { type Clock, LineBuffer } from '../system/index.ts';
import {
  formatEvent,
  formatHead,
  formatSum,
  type LifeWord,
  TRACE_END,
  type TraceFact,
} from '../trace/index.ts';
import type { RecorderSettings, RecordingFile, RecordingStore } from './recording-store.ts';

/** One connection of a device as its trace names it. */
export class RecordedConnection {
  readonly #nextName: () => string;
  #name = '';
  /** What stands between the time and the bytes on its lines. */
  in: Uint8Array = new Uint8Array();
  out: Uint8Array = new Uint8Array();
  /** What opened it, for the head of the next trace. */
  address = '';

  /** `nextName` returns a name that no other connection had before. */
  constructor(nextName: () => string) {
    this.#nextName = nextName;
    this.rename();
  }

  get name(): string {
    return this.#name;
  }

  /** What follows does not join what was recorded before: a reader must not put the bytes of the two together. */
  rename(): void {
    this.#name = this.#nextName();
    this.in = Buffer.from(` ${this.#name} < `);
    this.out = Buffer.from(` ${this.#name} > `);
  }
}

export interface DeviceRecordingOptions {
  readonly device: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly settings: RecorderSettings;
  readonly store: RecordingStore;
}

/** What is missing in the recording of a device, and why. */
export interface Hole {
  readonly reason: ErrorCode;
  readonly detail: string;
  /** Since when, monotonic. */
  readonly sinceMonoMs: number;
  /** The same as the wall clock showed it when it was noticed. */
  readonly since: number;
  /** Of the device's links, both ways. */
  missedBytes: number;
}

/** The connection of what belongs to none. */
const NO_CONNECTION = 'c0';
/** A device without a link keeps the descriptor of its trace so long, in ms. */
const RESTS_AFTER_MS = 10_000;
/** The clock of the machine drifts by less from one trace to the next; beyond it, it was set. */
const CLOCK_SET_MS = 1_000;
/** A trace is ended early where the budget has room for few: the oldest can then go without all the others. */
const TRACES_PER_BUDGET = 4;

/*
 * writing --interrupt--> interrupted --resume--> writing: a new trace, which begins with a note on the hole
 *
 * Nothing waits in memory while it is interrupted: bytes are counted, and links that open and close are kept in mind.
 */

/** Writes the traces of one device, one after the other. Lines wait in memory until `flush`. */
export class DeviceRecording {
  readonly device: string;
  readonly #options: DeviceRecordingOptions;
  #file: RecordingFile | undefined;
  readonly #lines = new LineBuffer();
  /** Bytes of lines that are being written. */
  #writing = 0;
  /** Bytes of links in the lines that wait, and in those that are being written. */
  #unsaved = 0;
  #saving = 0;
  /** When the first of the lines that are not on the disk was made; monotonic. */
  #unsavedSince: number | undefined;
  /** Monotonic ms at 0.000000 of the present file. */
  #startMonoMs = 0;
  #lastUs = 0;
  /** Wall clock minus monotonic when the trace before began. */
  #wallMinusMonoMs: number | undefined;
  #begun = false;
  #over = false;
  #interrupted = false;
  #interruptions = 0;
  #hole: Hole | undefined;
  /** Links that are open now; a new file begins with them. */
  readonly #open = new Set<RecordedConnection>();

  constructor(options: DeviceRecordingOptions) {
    this.device = options.device;
    this.#options = options;
  }

  /** Bytes that wait for the disk. */
  get waiting(): number {
    return this.#lines.length + this.#writing;
  }

  /** Bytes of lines that the next `flush` writes. */
  get due(): number {
    return this.#lines.length;
  }

  get file(): RecordingFile | undefined {
    return this.#file;
  }

  /** A link is open. */
  get connected(): boolean {
    return this.#open.size > 0;
  }

  /** Its trace is open for nothing: there is no link, and was none for a while. */
  get isIdle(): boolean {
    if (this.connected || this.#file?.isOpen !== true || this.waiting > 0) return false;
    return this.#options.clock.now().monoMs - this.#startMonoMs - this.#lastUs / 1_000 >= RESTS_AFTER_MS;
  }

  get isInterrupted(): boolean {
    return this.#interrupted;
  }

  /** What is missing, until the note on it is on the disk. */
  get hole(): Readonly<Hole> | undefined {
    return this.#hole;
  }

  tap(connection: RecordedConnection): WireTap {
    const { clock } = this.#options;
    /** While a chunk is handled: when it came. What answers it at once has that time, and the clock is read once. */
    let chunkMs: number | undefined;
    return {
      dialled: (address) => this.life(connection, 'dial', address),
      opened: (address) => this.life(connection, 'open', address),
      received: (chunk, monoMs) => {
        chunkMs = monoMs ?? clock.now().monoMs;
        this.bytes(connection.in, chunk, chunkMs);
      },
      decoded: () => {
        chunkMs = undefined;
      },
      idle: () => this.life(connection, 'idle', ''),
      noted: (text) => this.write(connection, { kind: 'note', text: text.slice(0, 1_000) }),
      sent: (frame) => this.bytes(connection.out, frame, chunkMs ?? clock.now().monoMs),
      closed: (end) => this.ended(connection, end),
    };
  }

  note(text: string): void {
    const name = [...this.#open].at(-1)?.name ?? NO_CONNECTION;
    this.#write(name, { kind: 'note', text: text.slice(0, 1_000) });
  }

  write(connection: RecordedConnection, fact: TraceFact, atMonoMs?: number): void {
    this.#write(connection.name, fact, atMonoMs);
  }

  life(connection: RecordedConnection, word: LifeWord, detail: string, atMonoMs?: number): void {
    this.#write(connection.name, { kind: 'life', word, detail }, atMonoMs);
    if (word !== 'open') return;
    connection.address = detail;
    this.#open.add(connection);
  }

  ended(connection: RecordedConnection, end: LinkEnd, atMonoMs?: number): void {
    const word = this.#open.has(connection) ? 'close' : 'error';
    this.#write(connection.name, { kind: 'life', word, detail: `${end.code} ${end.detail}` }, atMonoMs);
    this.#open.delete(connection);
  }

  /** A line of bytes: every frame costs this, so nothing is made but the line. */
  bytes(mark: Uint8Array, bytes: Uint8Array, monoMs: number): void {
    if (this.#over) return;
    if (this.#interrupted) return this.#missed(bytes.length);
    if (!this.#begun) this.#begin(monoMs);
    this.#unsavedSince ??= monoMs;
    this.#unsaved += bytes.length;
    this.#lines.line(this.#timeUs(monoMs), mark, bytes);
  }

  /** Brings what waits to the disk; begins a new file where this one is large or old enough. */
  async flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    await this.#save('');
    const { settings, clock } = this.#options;
    const ageMs = clock.now().monoMs - this.#startMonoMs;
    const { maxFileBytes, budgetBytes, deviceShare = 1, maxAgeMs } = settings;
    const most = Math.min(maxFileBytes, (budgetBytes * deviceShare) / TRACES_PER_BUDGET);
    const file = this.#file;
    if (file === undefined || (file.bytes < most && ageMs < maxAgeMs)) return;
    await this.endTrace();
  }

  /** Closes the descriptor until there is more to be written. */
  async rest(): Promise<void> {
    await this.#file?.rest();
  }

  /** The trace is complete; what follows comes into a new one. */
  async endTrace(): Promise<void> {
    if (!this.#begun && this.#file === undefined) return;
    await this.#save(TRACE_END);
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async close(): Promise<void> {
    if (this.#begun) await this.endTrace();
    this.#over = true;
  }

  /**
   * From now on bytes are only counted, until `resume`; what waits is counted and dropped. Resolves once the file is
   * closed.
   */
  interrupt(reason: ErrorCode, detail: string): Promise<void> {
    const { monoMs, wallMs } = this.#options.clock.now();
    const { sinceMonoMs = this.#unsavedSince ?? monoMs, missedBytes = 0 } = this.#hole ?? {};
    const since = this.#hole?.since ?? Math.round(wallMs - (monoMs - sinceMonoMs));
    const missed = missedBytes + this.#unsaved + this.#saving;
    this.#hole = { reason, detail, sinceMonoMs, since, missedBytes: missed };
    this.#interrupted = true;
    this.#interruptions += 1;
    this.#begun = false;
    this.#unsaved = 0;
    this.#saving = 0;
    this.#writing = 0;
    this.#unsavedSince = undefined;
    this.#lines.take();
    this.#lines.written();
    const file = this.#file;
    this.#file = undefined;
    return file?.abandon() ?? Promise.resolve();
  }

  /** Begins a new trace with a note on what is missing. Rejects where the disk does not take that either. */
  async resume(): Promise<void> {
    this.#interrupted = false;
    for (const connection of this.#open) connection.rename();
    this.#begin(this.#options.clock.now().monoMs);
    await this.#save('');
  }

  #missed(bytes: number): void {
    if (this.#hole !== undefined) this.#hole.missedBytes += bytes;
  }

  #write(connection: string, fact: TraceFact, atMonoMs?: number): void {
    if (this.#over) return;
    const bytes = fact.kind === 'in' || fact.kind === 'out' ? fact.bytes.length : 0;
    if (this.#interrupted) return this.#missed(bytes);
    const monoMs = atMonoMs ?? this.#options.clock.now().monoMs;
    if (!this.#begun) this.#begin(monoMs);
    this.#unsavedSince ??= monoMs;
    this.#unsaved += bytes;
    this.#lines.text(formatEvent({ atUs: this.#timeUs(monoMs), connection, fact }));
  }

  /** The time of a line. What was held is written later than it happened; time goes forward all the same. */
  #timeUs(monoMs: number): number {
    const us = Math.max(Math.round((monoMs - this.#startMonoMs) * 1_000), this.#lastUs);
    this.#lastUs = us;
    return us;
  }

  #begin(monoMs: number): void {
    const { clock, meta } = this.#options;
    const now = clock.now();
    this.#begun = true;
    this.#startMonoMs = monoMs;
    this.#lastUs = 0;
    const startMs = Math.round(now.wallMs - (now.monoMs - monoMs));
    const head = formatHead({ startMs, meta }, { sums: true });
    this.#lines.text(head);
    if (this.#hole !== undefined) {
      this.#write(NO_CONNECTION, { kind: 'note', text: holeText(this.#hole, monoMs) }, monoMs);
    }
    const wallMinusMonoMs = now.wallMs - now.monoMs;
    const setMs = wallMinusMonoMs - (this.#wallMinusMonoMs ?? wallMinusMonoMs);
    this.#wallMinusMonoMs = wallMinusMonoMs;
    if (Math.abs(setMs) >= CLOCK_SET_MS) {
      const text = `the clock of this machine was set by ${(setMs / 1_000).toFixed(1)} s since the trace before began`;
      this.#write(NO_CONNECTION, { kind: 'note', text }, monoMs);
    }
    // Links that go on from the file before.
    for (const { name, address } of this.#open) {
      this.#write(name, { kind: 'life', word: 'open', detail: address }, monoMs);
    }
  }

  async #save(last: string): Promise<void> {
    if (last !== '') this.#begun = false;
    const sum = this.#lines.length === 0 ? '' : formatSum(this.#lines.present(), crc32);
    this.#lines.text(`${sum}${last}`);
    const bytes = this.#lines.take();
    this.#writing = bytes.length;
    this.#saving = this.#unsaved;
    this.#unsaved = 0;
    const { device, store, clock } = this.#options;
    const interruptions = this.#interruptions;
    const { monoMs: takenAt, wallMs } = clock.now();
    const file = this.#file ?? (await store.create(device, wallMs));
    // It may be interrupted while the disk is waited for: then these bytes are counted as missing already.
    if (this.#interruptions !== interruptions) return file.abandon();
    this.#file = file;
    await file.append(bytes);
    if (this.#interruptions !== interruptions) return;
    this.#lines.written();
    this.#writing = 0;
    this.#saving = 0;
    this.#unsavedSince = this.#lines.length === 0 ? undefined : takenAt;
    this.#hole = undefined;
  }
}

function holeText({ reason, detail, sinceMonoMs, missedBytes }: Hole, monoMs: number): string {
  const seconds = ((monoMs - sinceMonoMs) / 1_000).toFixed(1);
  return `recording was interrupted for ${seconds} s, and ${missedBytes} bytes are missing: ${reason}: ${detail}`;
}
