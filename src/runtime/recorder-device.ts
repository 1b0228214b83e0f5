import { crc32 } from 'node:zlib';
import type { LinkEnd } from '../links/link.ts';
import { toHex } from '../trace/bytes-text.ts';
import type { LifeWord, TraceFact } from '../trace/event.ts';
import { formatEvent, formatHead, formatSum, formatTime, TRACE_END } from '../trace/format-trace.ts';
import type { Clock } from './clock.ts';
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

/** The connection of what belongs to none. */
const NO_CONNECTION = 'c0';
/** Beyond so many bytes Node's own hex is the faster one. */
const SHORT_BYTES = 32;

const hex = (bytes: Uint8Array): string =>
  bytes.length <= SHORT_BYTES
    ? toHex(bytes)
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

/** Writes the traces of one device, one after the other. Lines wait in memory until `flush`. */
export class DeviceRecording {
  readonly #options: DeviceRecordingOptions;
  #file: RecordingFile | undefined;
  #lines: string[] = [];
  #waiting = 0;
  /** Monotonic ms at 0.000000 of the present file. */
  #startMonoMs = 0;
  #lastUs = 0;
  #begun = false;
  #sent: Uint8Array | undefined;
  #sentHex = '';
  #over = false;
  /** What opened the links that are open now; a new file begins with it. */
  readonly #open = new Map<string, string>();

  constructor(options: DeviceRecordingOptions) {
    this.#options = options;
  }

  /** Characters that wait for the disk. */
  get waiting(): number {
    return this.#waiting;
  }

  tap(connection: string): WireTap {
    return {
      dialled: (address) => this.life(connection, 'dial', address),
      opened: (address) => this.life(connection, 'open', address),
      received: (chunk) => this.received(connection, chunk),
      idle: () => this.life(connection, 'idle', ''),
      sent: (frame) => this.sent(connection, frame),
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

  /** Bytes from the peer, now: every frame costs this, so nothing is made but the line. */
  received(connection: string, chunk: Uint8Array): void {
    if (this.#over) return;
    const monoMs = this.#options.clock.now().monoMs;
    if (!this.#begun) this.#begin(monoMs);
    this.#push(`${this.#time(monoMs)} ${connection} < ${hex(chunk)}\n`);
  }

  /** The same for a frame to the peer; frequent ones are one shared object. */
  sent(connection: string, frame: Uint8Array): void {
    if (this.#over) return;
    const monoMs = this.#options.clock.now().monoMs;
    if (!this.#begun) this.#begin(monoMs);
    if (frame !== this.#sent) {
      this.#sent = frame;
      this.#sentHex = hex(frame);
    }
    this.#push(`${this.#time(monoMs)} ${connection} > ${this.#sentHex}\n`);
  }

  write(connection: string, fact: TraceFact, atMonoMs?: number): void {
    if (this.#over) return;
    const monoMs = atMonoMs ?? this.#options.clock.now().monoMs;
    if (!this.#begun) this.#begin(monoMs);
    this.#time(monoMs);
    this.#push(formatEvent({ atUs: this.#lastUs, connection, fact }, hex));
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
    this.#lines = [];
    this.#waiting = 0;
    this.#file?.abandon();
  }

  /** The time of a line as text. What was held is written later than it happened; time goes forward all the same. */
  #time(monoMs: number): string {
    const us = Math.max(Math.round((monoMs - this.#startMonoMs) * 1_000), this.#lastUs);
    this.#lastUs = us;
    return formatTime(us);
  }

  #push(line: string): void {
    this.#lines.push(line);
    this.#waiting += line.length;
  }

  #begin(monoMs: number): void {
    const { clock, meta } = this.#options;
    const now = clock.now();
    this.#begun = true;
    this.#startMonoMs = monoMs;
    this.#lastUs = 0;
    const startMs = Math.round(now.wallMs - (now.monoMs - monoMs));
    const head = formatHead({ startMs, meta }, { sums: true });
    this.#push(head);
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
    const text = this.#lines.join('');
    this.#lines = [];
    const bytes = Buffer.from(text);
    const sum = bytes.length === 0 ? '' : formatSum(bytes, crc32);
    const { device, store, clock } = this.#options;
    this.#file ??= await store.create(device, clock.now().wallMs);
    await this.#file.append(Buffer.concat([bytes, Buffer.from(`${sum}${last}`)]));
    this.#waiting -= text.length;
  }
}
