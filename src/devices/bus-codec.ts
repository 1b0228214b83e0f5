import { type BusConfig, sameFrames } from '../config/index.ts';
import {
  type DeclaredMessage,
  type FrameDecoder,
  type InvalidPayload,
  type Message,
  ProtocolDefinition,
} from '../protocol/index.ts';
import { type AddressedDevice, BusDialect } from './bus-dialect.ts';
import { framingNeedsSilence, makeWireCodec, SERIAL_SERVER_GAP_MS, type WireCodec } from './wire-codec.ts';

/**
 * How the bytes of a bus are read: as the device speaks that was asked last; each frame is one of the device whose
 * address it carries, and those of other addresses are read as any device would send them.
 */
export class BusCodec<T extends AddressedDevice> {
  readonly codec: WireCodec;
  /** Silence that the link reports, in ms, where frames end with it. */
  readonly idleAfterMs: number | undefined;
  readonly #dialects = new Map<T, BusDialect<T>>();
  readonly #from: 'device' | undefined;
  /** How bytes are read now. */
  #active: BusDialect<T>;
  /** How those are read that come next. */
  #next: BusDialect<T>;

  constructor({ framings = [], line, gapMs, maxFrame, session }: BusConfig) {
    // Of a line where another host asks, both sides are read.
    this.#from = session.port?.passive === true ? undefined : 'device';
    this.#active = new BusDialect(framings[0] ?? { type: 'gap' }, this.#from);
    this.#next = this.#active;
    const silence = line === 'serial' || framings.some(framingNeedsSilence);
    this.idleAfterMs = silence ? (gapMs ?? SERIAL_SERVER_GAP_MS) : undefined;
    this.codec = {
      definition: new ProtocolDefinition([], maxFrame),
      makeDecoder: (definition, sink, awaited) =>
        new AskedDecoder(
          () => this.#next,
          (dialect) => {
            this.#active = dialect;
            const judge = dialect.judge();
            const read = makeWireCodec({ definition, line, framing: dialect.framing, judge });
            return read.makeDecoder(definition, sink, awaited);
          },
        ),
      decode: (bytes, start, end) => this.#active.decode(bytes, start, end),
    };
  }

  add(of: T): void {
    const speaksSo = (other: T): boolean => sameFrames(of.device.messages, other.device.messages);
    const [, known] = [...this.#dialects].find(([other]) => speaksSo(other)) ?? [];
    const dialect = known ?? new BusDialect<T>(of.device.messages.declaration.framing, this.#from);
    this.#dialects.set(of, dialect);
    dialect.add(of);
    if (this.#next.isEmpty) this.#next = dialect;
  }

  remove(of: T): void {
    this.#dialects.get(of)?.remove(of);
    this.#dialects.delete(of);
  }

  /** The device is asked: what comes from now on is read as it speaks. */
  asks(of: T): void {
    this.#next = this.#dialects.get(of) ?? this.#next;
  }

  /** The device whose frame it is. */
  deviceOf(message: Message | InvalidPayload): T | undefined {
    return this.#active.deviceOf(message);
  }

  /** It went to all: what we sent comes back, or another host spoke. No device answers from there. */
  isToAll(message: Message | InvalidPayload): boolean {
    return this.#active.isToAll(message);
  }

  /** The requests in a frame that a host sent, and the devices to which they go. */
  requestsIn(
    frame: Uint8Array,
  ): readonly { readonly message: DeclaredMessage; readonly to: T | undefined }[] {
    for (const dialect of new Set(this.#dialects.values())) {
      const found = dialect.requestsIn(frame);
      if (found.length === 0) continue;
      this.#next = dialect;
      return found.map((message) => ({ message, to: dialect.deviceOf(message) }));
    }
    return [];
  }
}

/** Reads a line as the device speaks that was asked last; what is unfinished of another one ends there. */
class AskedDecoder<D> implements FrameDecoder {
  readonly #next: () => D;
  readonly #make: (dialect: D) => FrameDecoder;
  #open: { readonly dialect: D; readonly decoder: FrameDecoder } | undefined;
  #closed = false;

  constructor(next: () => D, make: (dialect: D) => FrameDecoder) {
    this.#next = next;
    this.#make = make;
  }

  get pending(): number {
    return this.#open?.decoder.pending ?? 0;
  }

  push(chunk: Uint8Array): void {
    const dialect = this.#next();
    if (this.#open !== undefined && this.#open.dialect !== dialect) {
      this.#open.decoder.close();
      this.#open = undefined;
    }
    // The end of one may have closed the link.
    if (this.#closed) return;
    this.#open ??= { dialect, decoder: this.#make(dialect) };
    this.#open.decoder.push(chunk);
  }

  idle(): void {
    this.#open?.decoder.idle();
  }

  close(): void {
    this.#closed = true;
    this.#open?.decoder.close();
  }
}
