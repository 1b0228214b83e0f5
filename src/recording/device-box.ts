import type { LinkEnd } from '../links/index.ts';
import { ByteRing, IN, numberOf, OUT, type RingLimits, type RingRecord } from './core/byte-ring.ts';
import type { RecordLog } from './core/record-log.ts';
import type { RingMemory } from './core/ring-memory.ts';

const [DIAL, OPEN, CLOSE, ERROR, IDLE, NOTE] = [
  numberOf('dial'),
  numberOf('open'),
  numberOf('close'),
  numberOf('error'),
  numberOf('idle'),
  numberOf('note'),
];
const NOTHING = new Uint8Array();
/** Of what a connection begins with; a login is shorter by far. */
const MOST_OPENING_BYTES = 2_048;
/** Connections of one device whose beginnings are kept, the present one among them. */
const MOST_OPENINGS = 16;
const MOST_TEXT = 1_000;

/** How a connection began: what must come first where a trace begins in the middle of it. */
export interface Opening {
  readonly connection: number;
  readonly address: string;
  readonly us: number;
  /** Until the device was online; nothing where it does not log in. */
  readonly records: RingRecord[];
}

/** The present connection of a box, and how far its beginning is kept. */
export interface BoxConnection {
  readonly number: number;
  open: boolean;
  /** The decoder holds no unfinished frame. */
  whole: boolean;
  /** Kept until the device is online. */
  opening: (Opening & { bytes: number }) | undefined;
}

/** The last bytes of one device or bus, both ways, with what happened meanwhile. */
export class DeviceBox {
  readonly id: string;
  readonly #ring: ByteRing;
  readonly #log: RecordLog;
  /** Of its ring in the log. */
  readonly #index: number;
  /** Nothing is kept of it now. */
  muted: boolean;
  /** It introduces itself on each connection, and is no device to a replay that does not see this. */
  readonly #logsIn: boolean;
  readonly #openings = new Map<number, Opening & { bytes: number }>();
  #connections = 0;
  /** The one that opened last. */
  #present: BoxConnection | undefined;

  constructor(
    id: string,
    memory: RingMemory,
    log: RecordLog,
    limits: RingLimits,
    of: { readonly muted: boolean; readonly logsIn: boolean },
  ) {
    this.id = id;
    this.#ring = new ByteRing(memory, limits);
    this.#log = log;
    this.#index = log.join(this.#ring);
    this.muted = of.muted;
    this.#logsIn = of.logsIn;
  }

  /** All that was kept until now. */
  get ring(): ByteRing {
    this.#log.collect(this.#index);
    return this.#ring;
  }

  /** How the connections began that the ring may begin in the middle of. */
  get openings(): ReadonlyMap<number, Opening> {
    return this.#openings;
  }

  connect(): BoxConnection {
    this.#connections += 1;
    return { number: this.#connections, open: false, whole: true, opening: undefined };
  }

  dialled(connection: BoxConnection, us: number, address: string): void {
    this.#text(DIAL, connection.number, us, address);
  }

  opened(connection: BoxConnection, us: number, address: string): void {
    const { number } = connection;
    connection.open = true;
    this.#present = connection;
    this.#text(OPEN, number, us, address);
    const opening = { connection: number, address, us, records: [], bytes: 0 };
    this.#openings.set(number, opening);
    connection.opening = this.#logsIn ? opening : undefined;
    if (this.#openings.size <= MOST_OPENINGS) return;
    const [oldest] = this.#openings.keys();
    if (oldest !== undefined) this.#openings.delete(oldest);
  }

  /** Every frame costs this. */
  received(connection: BoxConnection, us: number, chunk: Uint8Array): void {
    if (this.muted) return;
    this.#log.push(this.#index, IN, connection.whole, connection.number, us, chunk);
    if (connection.opening !== undefined) this.#open(connection, 'in', us, chunk);
  }

  /** And this. */
  sent(connection: BoxConnection, us: number, frame: Uint8Array): void {
    if (this.muted) return;
    this.#log.push(this.#index, OUT, false, connection.number, us, frame);
    if (connection.opening !== undefined) this.#open(connection, 'out', us, frame);
  }

  idle(connection: BoxConnection, us: number): void {
    if (this.muted) return;
    this.#log.push(this.#index, IDLE, false, connection.number, us, NOTHING);
    if (connection.opening !== undefined) this.#open(connection, 'idle', us, NOTHING);
  }

  closed(connection: BoxConnection, us: number, { code, detail }: LinkEnd): void {
    this.#text(connection.open ? CLOSE : ERROR, connection.number, us, `${code} ${detail}`);
    connection.open = false;
    connection.opening = undefined;
    this.#prune();
  }

  /** A line for people. */
  note(us: number, text: string): void {
    this.#text(NOTE, this.#present?.number ?? 0, us, text);
  }

  /** The device is online: what it says from here on is no introduction. */
  introduced(): void {
    if (this.#present !== undefined) this.#present.opening = undefined;
  }

  /** Lets go of what is more than it may hold by now. */
  fit(): void {
    this.#ring.fit();
  }

  /** Nothing more is kept of it. */
  close(): void {
    this.muted = true;
    this.forget();
    this.#log.leave(this.#index);
  }

  forget(): void {
    this.#log.erase(this.#index);
    this.#ring.clear();
    this.#openings.clear();
  }

  #text(kind: number, connection: number, us: number, text: string): void {
    if (this.muted) return;
    const line = Buffer.from(text.slice(0, MOST_TEXT));
    this.#log.push(this.#index, kind, false, connection, us, line);
  }

  #open(connection: BoxConnection, kind: RingRecord['kind'], us: number, bytes: Uint8Array): void {
    const { opening } = connection;
    if (opening === undefined) return;
    opening.bytes += bytes.length + 32;
    if (opening.bytes > MOST_OPENING_BYTES) connection.opening = undefined;
    else opening.records.push({ kind, connection: connection.number, us, bytes: bytes.slice(), whole: true });
  }

  /** The ring begins behind the first connections: their beginnings are of no use any more. */
  #prune(): void {
    // Nothing is fetched from the log for this: a thousand links may close at once.
    const oldestUs = this.#ring.oldestUs ?? this.#log.beginningUs(this.#index);
    const numbers = [...this.#openings.keys()];
    for (const [index, number] of numbers.entries()) {
      const next = this.#openings.get(numbers[index + 1] ?? -1);
      // A device has one connection, which is over when the next one opens.
      if (next === undefined || oldestUs === undefined || next.us >= oldestUs) return;
      this.#openings.delete(number);
    }
  }
}
