import type { DialInTap } from '../devices/index.ts';
import type { LinkEnd } from '../links/index.ts';
import type { Clock } from '../system/index.ts';
import type { TraceFact } from '../trace/index.ts';
import type { DeviceRecording, RecordedConnection } from './device-recording.ts';

/** Bytes of a link without a name that are held. */
const MOST_HELD = 64 * 1024;
/** What a held line costs besides its bytes. */
const LINE_BYTES = 64;

interface Held {
  readonly fact: TraceFact;
  readonly atMonoMs: number;
}

/** Holds what goes over a link that dialled in until it has a name, then writes it into the trace of its device. */
export class DialInRecording implements DialInTap {
  readonly #connection: RecordedConnection;
  readonly #clock: Clock;
  readonly #recordingOf: (device: string) => DeviceRecording | undefined;
  #held: Held[] = [];
  #heldBytes = 0;
  #dropped = 0;
  #recording: DeviceRecording | undefined;
  #unrecorded = false;
  /** While a chunk is handled: when it came. */
  #chunkMs: number | undefined;

  constructor(
    connection: RecordedConnection,
    clock: Clock,
    recordingOf: (device: string) => DeviceRecording | undefined,
  ) {
    this.#connection = connection;
    this.#clock = clock;
    this.#recordingOf = recordingOf;
  }

  named(device: string): void {
    const recording = this.#recordingOf(device);
    this.#recording = recording;
    this.#unrecorded = recording === undefined;
    const held = this.#held;
    this.#held = [];
    for (const { fact, atMonoMs } of held) {
      if (fact.kind === 'life') recording?.life(this.#connection, fact.word, fact.detail, atMonoMs);
      else recording?.write(this.#connection, fact, atMonoMs);
    }
    if (this.#dropped === 0) return;
    const text = `${this.#dropped} bytes before the link had a name are missing: more than are held`;
    recording?.write(this.#connection, { kind: 'note', text });
  }

  transferred(address: string, bytes: Uint8Array, why: string): void {
    this.#recording?.ended(this.#connection, { code: 'link_closed', detail: why });
    this.#recording = undefined;
    this.#unrecorded = false;
    this.#heldBytes = 0;
    this.#dropped = 0;
    this.opened(address);
    // The register is in it: whatever came with it in one chunk, it must not be dropped.
    this.#hold({ kind: 'in', bytes }, bytes.length);
  }

  opened(address: string): void {
    this.#take({ kind: 'life', word: 'open', detail: address }, 0);
  }

  received(chunk: Uint8Array, monoMs?: number): void {
    if (this.#recording !== undefined) {
      this.#chunkMs = monoMs ?? this.#clock.now().monoMs;
      this.#recording.bytes(this.#connection.in, chunk, this.#chunkMs);
    } else if (!this.#unrecorded) this.#take({ kind: 'in', bytes: chunk.slice() }, chunk.length);
  }

  decoded(): void {
    this.#chunkMs = undefined;
  }

  idle(): void {
    this.#take({ kind: 'life', word: 'idle', detail: '' }, 0);
  }

  sent(frame: Uint8Array): void {
    if (this.#recording !== undefined)
      this.#recording.bytes(this.#connection.out, frame, this.#chunkMs ?? this.#clock.now().monoMs);
    else this.#take({ kind: 'out', bytes: frame }, frame.length);
  }

  closed(end: LinkEnd): void {
    this.#recording?.ended(this.#connection, end);
    this.#held = [];
    this.#unrecorded = true;
  }

  #take(fact: TraceFact, bytes: number): void {
    if (this.#unrecorded) return;
    const recording = this.#recording;
    if (recording !== undefined) {
      if (fact.kind === 'life') recording.life(this.#connection, fact.word, fact.detail);
      else recording.write(this.#connection, fact);
      return;
    }
    if (this.#heldBytes + bytes + LINE_BYTES > MOST_HELD) {
      this.#dropped += bytes;
      return;
    }
    this.#hold(fact, bytes);
  }

  #hold(fact: TraceFact, bytes: number): void {
    this.#heldBytes += bytes + LINE_BYTES;
    this.#held.push({ fact, atMonoMs: this.#clock.now().monoMs });
  }
}
