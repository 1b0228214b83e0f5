import { crc32 } from 'node:zlib';
import type { LinkEnd } from '../links/link.ts';
import type { LifeWord, TraceFact } from '../trace/event.ts';
import { formatEvent, formatHead, formatSum, TRACE_END } from '../trace/format-trace.ts';
import type { Clock } from './clock.ts';
import { LineBuffer } from './line-buffer.ts';
import type { RecorderSettings } from './recorder.ts';
import type { RecordingFile, RecordingStore } from './recorder-store.ts';
import type { WireTap } from './wire.ts';

export interface DeviceRecordingOptions {
  readonly device: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly settings: RecorderSettings;
  readonly store: RecordingStore;
}

/** What stands between the time and the bytes on the lines of a connection. */
export interface LineMarks {
  readonly in: Uint8Array;
  readonly out: Uint8Array;
}

export function lineMarks(connection: string): LineMarks {
  return { in: Buffer.from(` ${connection} < `), out: Buffer.from(` ${connection} > `) };
}

/** The connection of what belongs to none. */
const NO_CONNECTION = 'c0';
/** Writes the traces of one device, one after the other. Lines wait in memory until `flush`. */
export class DeviceRecording {
  readonly #options: DeviceRecordingOptions;
  #file: RecordingFile | undefined;
  readonly #lines = new LineBuffer();
  /** Bytes that are being written. */
  #writing = 0;
  /** Monotonic ms at 0.000000 of the present file. */
  #startMonoMs = 0;
  #lastUs = 0;
  #begun = false;
  #over = false;
  /** What opened the links that are open now; a new file begins with it. */
  readonly #open = new Map<string, string>();

  constructor(options: DeviceRecordingOptions) {
    this.#options = options;
  }

  /** Bytes that wait for the disk. */
  get waiting(): number {
    return this.#lines.length + this.#writing;
  }

  /** A link is open. */
  get connected(): boolean {
    return this.#open.size > 0;
  }

  tap(connection: string): WireTap {
    const marks = lineMarks(connection);
    return {
      dialled: (address) => this.life(connection, 'dial', address),
      opened: (address) => this.life(connection, 'open', address),
      received: (chunk) => this.bytes(marks.in, chunk),
      idle: () => this.life(connection, 'idle', ''),
      sent: (frame) => this.bytes(marks.out, frame),
      closed: (end) => this.ended(connection, end),
    };
  }

  note(text: string): void {
    this.write([...this.#open.keys()].at(-1) ?? NO_CONNECTION, { kind: 'note', text: text.slice(0, 1_000) });
  }

  life(connection: string, word: LifeWord, detail: string, atMonoMs?: number): void {
    this.write(connection, { kind: 'life', word, detail }, atMonoMs);
    if (word === 'open') this.#open.set(connection, detail);
  }

  ended(connection: string, end: LinkEnd, atMonoMs?: number): void {
    const word = this.#open.has(connection) ? 'close' : 'error';
    this.write(connection, { kind: 'life', word, detail: `${end.code} ${end.detail}` }, atMonoMs);
    this.#open.delete(connection);
  }

  /** A line of bytes, now: every frame costs this, so nothing is made but the line. */
  bytes(mark: Uint8Array, bytes: Uint8Array): void {
    if (this.#over) return;
    const { monoMs } = this.#options.clock.now();
    if (!this.#begun) this.#begin(monoMs);
    this.#lines.line(this.#timeUs(monoMs), mark, bytes);
  }

  write(connection: string, fact: TraceFact, atMonoMs?: number): void {
    if (this.#over) return;
    const monoMs = atMonoMs ?? this.#options.clock.now().monoMs;
    if (!this.#begun) this.#begin(monoMs);
    this.#lines.text(formatEvent({ atUs: this.#timeUs(monoMs), connection, fact }));
  }

  /** Brings what waits to the disk; begins a new file where this one is large or old enough. */
  async flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    await this.#write('');
    const { settings, clock } = this.#options;
    const ageMs = clock.now().monoMs - this.#startMonoMs;
    const file = this.#file;
    if (file === undefined || (file.bytes < settings.maxFileBytes && ageMs < settings.maxFileMs)) return;
    await this.#finish();
  }

  async close(): Promise<void> {
    if (this.#begun) await this.#finish();
    this.#over = true;
  }

  /** Nothing is written any more, not even what waits. */
  abandon(): void {
    this.#over = true;
    this.#lines.take();
    this.#file?.abandon();
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
    // Links that go on from the file before.
    for (const [connection, detail] of this.#open) {
      this.write(connection, { kind: 'life', word: 'open', detail }, monoMs);
    }
  }

  async #finish(): Promise<void> {
    await this.#write(TRACE_END);
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #write(last: string): Promise<void> {
    if (last !== '') this.#begun = false;
    const sum = this.#lines.length === 0 ? '' : formatSum(this.#lines.present(), crc32);
    this.#lines.text(`${sum}${last}`);
    const bytes = this.#lines.take();
    this.#writing = bytes.length;
    const { device, store, clock } = this.#options;
    this.#file ??= await store.create(device, clock.now().wallMs);
    await this.#file.append(bytes);
    this.#lines.written();
    this.#writing = 0;
  }
}
