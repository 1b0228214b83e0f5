import type { BusConfig, DialledDeviceConfig } from '../config/index.ts';
import type { Instant } from '../instant.ts';
import {
  dial,
  type Link,
  type LinkAddress,
  type LinkEnd,
  type LinkUse,
  type NameResolver,
  type PortSharing,
  type SendOutcome,
} from '../links/index.ts';
import {
  type DecoderFault,
  type Discarded,
  decodePayload,
  type Expectation,
  encodeFrame,
  type FrameDecoder,
  type FrameSink,
  type HelloCodec,
  type InvalidPayload,
  type LineRemark,
  type Message,
  SAMPLE_BYTES,
  TelnetWatch,
} from '../protocol/index.ts';
import {
  deviceCodec,
  framingNeedsSilence,
  framingOf,
  SERIAL_SERVER_GAP_MS,
  type WireCodec,
} from './wire-codec.ts';

/** What a session needs of its wire: one of its own, or its part of a bus. */
export interface SessionWire {
  owner: WireOwner;
  /** Its host is a name, which is looked up first. */
  readonly resolves: boolean;
  open(): void;
  /** The whole frame of a message, as this wire carries it. @throws HeartwireError where it cannot carry it */
  encode(message: Message): Uint8Array;
  send(frame: Uint8Array): SendOutcome;
  /** Nothing more is decoded. */
  close(how: 'end' | 'destroy'): void;
}

/** Receives the events of a wire. An owner compares the wire with its present one and drops events of others. */
export interface WireOwner {
  /** Of a wire whose host is a name: its addresses are known; `stale` says how they may be out of date. */
  wireDialling?(wire: SessionWire, stale?: string): void;
  wireOpened(wire: SessionWire, address: string): void;
  /** What may come now, as far as it follows from what was sent; absent, or undefined, where nothing was. */
  expectation?(): Expectation | undefined;
  /** Reads the clock, once for a chunk and all that looks on at it. */
  now?(): Instant;
  /** Before the chunk's frames; `at` is what `now` returned for it, where a tap asked. */
  wireBytes(wire: SessionWire, chunk: Uint8Array, at?: Instant): void;
  wireMessage(wire: SessionWire, message: Message | InvalidPayload): void;
  wireDiscarded(wire: SessionWire, report: Discarded): void;
  wireFaulted(wire: SessionWire, fault: DecoderFault): void;
  /** After the chunk's frames; `pending` bytes of an unfinished frame are held. `remark` says what is odd about the line. */
  wireChunk(wire: SessionWire, bytes: number, pending: number, remark?: LineRemark): void;
  wireClosed(wire: SessionWire, end: LinkEnd): void;
  /** A defect: a handler threw, and how much of the event was handled is unknown. The wire is of no use any more. */
  wireBroke(wire: SessionWire, cause: unknown): void;
}

/** Observes a wire without influence on it: a recorder, or the check of a replay. */
export interface WireTap {
  /** The wire that is looked at, before anything happens. */
  made?(wire: Wire): void;
  /** The link is about to be opened; where its host is a name, once that is looked up, with whatever outcome. */
  dialled?(address: string): void;
  opened?(address: string): void;
  /**
   * Bytes as they were read, before they are decoded. The chunk must not be kept. `monoMs` is when they came, where the
   * owner of the wire has read the clock for them.
   */
  received?(chunk: Uint8Array, monoMs?: number): void;
  /** The chunk that was read is decoded; so many bytes of an unfinished frame are held. */
  decoded?(pending: number): void;
  idle?(): void;
  /** What happened on the link beside what the bridge and the device said. */
  noted?(text: string): void;
  /** A frame that the link took. */
  sent?(frame: Uint8Array): void;
  message?(message: Message | InvalidPayload): void;
  discarded?(report: Discarded): void;
  faulted?(fault: DecoderFault): void;
  /** The link is gone, or could not be opened; nothing follows. */
  closed?(end: LinkEnd): void;
}

/** A wire's ways to the outside; both are optional. */
interface WireOptions {
  /** Called once, when the link is gone, whatever the owner is by then. */
  readonly ended?: (() => void) | undefined;
  readonly tap?: WireTap | undefined;
  /** Silence that the link shall report on TCP too, in ms. */
  readonly idleAfterMs?: number | undefined;
  /** As the link has it. */
  readonly dropsUnread?: ((bytes: Uint8Array) => boolean) | undefined;
}

const NOTHING = new Uint8Array();

/** What of a chunk stands behind a frame that ends in it and may have begun in one before. */
function restBehind(frame: Uint8Array, chunk: Uint8Array): Uint8Array {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const at = bytes.indexOf(frame);
  if (at >= 0) return chunk.subarray(at + frame.length);
  for (let length = Math.min(frame.length - 1, chunk.length); length > 0; length--) {
    if (bytes.subarray(0, length).equals(frame.subarray(-length))) return chunk.subarray(length);
  }
  return NOTHING;
}

/** A link with its decoder. It can change hands between two frames of one chunk: set `owner`. */
export class Wire implements SessionWire {
  readonly link: Link;
  #owner: WireOwner;
  /** Gives the port of its owner on to other programs. */
  #shared: LinkUse | undefined;
  /** The last bytes were for another program, and so is the silence behind them. */
  #silenceIsOurs = true;
  #codec: WireCodec;
  #decoder: FrameDecoder;
  readonly #ended: (() => void) | undefined;
  readonly #tap: WireTap | undefined;
  readonly #sink: FrameSink;
  readonly #idleAfterMs: number | undefined;
  readonly #telnet: TelnetWatch;
  readonly #dropsUnread: WireOptions['dropsUnread'];
  /** What is being read now. */
  #chunk: Uint8Array | undefined;
  /** What comes in front of the first frame, until it has come; and what has come of it. */
  #hello: HelloCodec | undefined;
  #front = NOTHING;
  /** What was found to be odd about the line since the owner last took a chunk. */
  #remark: LineRemark | undefined;

  constructor(link: Link, codec: WireCodec, owner: WireOwner, options: WireOptions = {}) {
    this.link = link;
    this.#owner = owner;
    this.#codec = codec;
    this.#hello = codec.hello;
    this.#ended = options.ended;
    this.#tap = options.tap;
    this.#idleAfterMs = options.idleAfterMs;
    this.#dropsUnread = options.dropsUnread;
    this.#sink = {
      frame: (bytes, start, end, kind) => {
        const message = this.#decoded(bytes, start, end, kind);
        this.#tap?.message?.(message);
        this.#owner.wireMessage(this, message);
      },
      discarded: (report) => {
        this.#remark ??= this.#telnet.discarded(report.sample);
        this.#tap?.discarded?.(report);
        this.#owner.wireDiscarded(this, report);
      },
      fault: (fault) => {
        const remark = this.#takeRemark() ?? this.#telnet.discarded(fault.sample);
        const seen = remark?.reason === 'telnet' ? remark.detail : undefined;
        const report = seen === undefined ? fault : { ...fault, reason: 'intruder' as const, seen };
        this.#tap?.faulted?.(report);
        this.#owner.wireFaulted(this, report);
      },
      remark: (remark) => {
        this.#remark ??= remark;
      },
      awaitsReply: (message) => {
        const awaited = this.#owner.expectation?.()?.awaited ?? [];
        return message === undefined ? awaited.length > 0 : awaited.includes(message);
      },
    };
    this.#decoder = this.#makeDecoder(codec);
    this.#telnet = new TelnetWatch((sink) =>
      this.#codec.makeDecoder(this.#codec.definition, sink, () => undefined),
    );
    this.#tap?.made?.(this);
  }

  #makeDecoder(codec: WireCodec): FrameDecoder {
    const awaited = () => {
      const replies = this.#owner.expectation?.()?.awaited ?? [];
      return replies.length === 1 ? replies[0] : undefined;
    };
    return codec.makeDecoder(codec.definition, this.#sink, awaited);
  }

  #decoded(bytes: Uint8Array, start: number, end: number, kind?: string): Message | InvalidPayload {
    const codec = this.#codec;
    if (codec.decode === undefined) return decodePayload(codec.definition, bytes, start, end);
    return codec.decode(bytes, start, end, this.#owner.expectation?.(), kind);
  }

  get resolves(): boolean {
    return this.link.resolves === true;
  }

  get owner(): WireOwner {
    return this.#owner;
  }

  /** What its owner shared is shared no more. */
  set owner(owner: WireOwner) {
    this.#owner = owner;
    this.#unshare();
  }

  /** Other programs use the open link too, until it closes or has another owner. */
  share(sharing: Pick<PortSharing, 'join'>): void {
    this.#shared = sharing.join(this.link, (text) => this.#tap?.noted?.(text));
  }

  #unshare(): void {
    const shared = this.#shared;
    this.#shared = undefined;
    this.#silenceIsOurs = true;
    shared?.closed();
  }

  open(): void {
    // For a tap, the look-up is no part of dialling.
    let awaitsName = this.link.resolves === true;
    const dialled = (): void => {
      awaitsName = false;
      this.#tap?.dialled?.(this.link.address);
    };
    if (!awaitsName) dialled();
    this.link.open({
      dialling: (stale) =>
        this.#guarded(() => {
          dialled();
          this.#owner.wireDialling?.(this, stale);
        }),
      ...(this.#idleAfterMs === undefined ? {} : { idleAfterMs: this.#idleAfterMs }),
      ...(this.#dropsUnread === undefined ? {} : { dropsUnread: this.#dropsUnread }),
      opened: (address) =>
        this.#guarded(() => {
          this.#tap?.opened?.(address);
          this.#owner.wireOpened(this, address);
        }),
      // As below, without a closure for every chunk.
      data: (chunk) => {
        try {
          this.#silenceIsOurs = this.#shared?.heard(chunk) ?? true;
          if (!this.#silenceIsOurs) return;
          const at = this.#tap === undefined ? undefined : this.#owner.now?.();
          this.#tap?.received?.(chunk, at?.monoMs);
          this.#owner.wireBytes(this, chunk, at);
          this.#chunk = chunk;
          this.#remark ??= this.#telnet.received(chunk);
          const frames = this.#hello === undefined ? chunk : this.#behindHello(this.#hello, chunk);
          if (frames.length > 0) this.#decoder.push(frames);
          this.#chunk = undefined;
          const pending = this.#front.length + this.#decoder.pending;
          this.#tap?.decoded?.(pending);
          this.#owner.wireChunk(this, chunk.byteLength, pending, this.#takeRemark());
        } catch (cause) {
          this.#chunk = undefined;
          this.#owner.wireBroke(this, cause);
        }
      },
      idle: () =>
        this.#guarded(() => {
          if (!this.#silenceIsOurs) return;
          this.#tap?.idle?.();
          this.#decoder.idle();
          this.#tap?.decoded?.(this.#decoder.pending);
          this.#owner.wireChunk(this, 0, this.#decoder.pending, this.#takeRemark());
        }),
      closed: (end) => {
        this.#guarded(() => {
          this.#decoder.close();
          if (awaitsName) dialled();
          this.#tap?.closed?.(end);
        });
        this.#unshare();
        this.#ended?.();
        this.#guarded(() => this.#owner.wireClosed(this, end));
      },
    });
  }

  /** The bytes behind the hello; none while it is not whole. */
  #behindHello(hello: HelloCodec, chunk: Uint8Array): Uint8Array {
    const bytes = this.#front.length === 0 ? chunk : Buffer.concat([this.#front, chunk]);
    const found = hello.read(bytes);
    this.#front = NOTHING;
    switch (found.kind) {
      case 'more':
        this.#front = Uint8Array.from(bytes);
        return NOTHING;
      case 'none': {
        const { expected, seen } = found;
        const sample = bytes.slice(0, SAMPLE_BYTES);
        this.#sink.fault({ reason: 'no_hello', length: bytes.length, expected, seen, sample });
        return NOTHING;
      }
      case 'message':
        this.#hello = undefined;
        this.#tap?.message?.(found.message);
        this.#owner.wireMessage(this, found.message);
        return bytes.subarray(found.end);
    }
  }

  #takeRemark(): LineRemark | undefined {
    const remark = this.#remark;
    this.#remark = undefined;
    return remark;
  }

  /** What throws into an event of the operating system would end the process, and every other device with it. */
  #guarded(handle: () => void): void {
    try {
      handle();
    } catch (cause) {
      this.#owner.wireBroke(this, cause);
    }
  }

  /**
   * Other messages in the same frames, from the next frame on: between two of one chunk too. An unfinished frame that is held
   * already is read as one of them.
   */
  setCodec(codec: WireCodec): void {
    this.#codec = codec;
    this.#decoder.define?.(codec.definition);
  }

  /** Other frames, from the next byte on: behind what stood in front of all frames. */
  setFrames(codec: WireCodec): void {
    this.#codec = codec;
    this.#decoder = this.#makeDecoder(codec);
  }

  /** A frame that is being handled, and the bytes that were read together with its end and stand behind it. */
  withRest(frame: Uint8Array): Uint8Array {
    return Buffer.concat([frame, restBehind(frame, this.#chunk ?? NOTHING)]);
  }

  /** The whole frame of a message, as this wire carries it. @throws HeartwireError where it cannot carry it */
  encode(message: Message): Uint8Array {
    return this.#codec.encode?.(message) ?? encodeFrame(message);
  }

  send(frame: Uint8Array): SendOutcome {
    const outcome = this.#shared === undefined ? this.link.send(frame) : this.#shared.send(frame);
    if (outcome === 'accepted') this.#tap?.sent?.(frame);
    return outcome;
  }

  /** Nothing more comes, and the link stays as it is: what is held of a frame is reported. */
  finish(): void {
    this.#guarded(() => this.#decoder.close());
  }

  /** Nothing more is decoded. */
  close(how: 'end' | 'destroy'): void {
    this.#unshare();
    this.#decoder.close();
    if (how === 'end') this.link.end();
    else this.link.destroy();
  }
}

/** Observes a link that is pending at first. */
export interface DialInTap extends WireTap {
  named(device: string): void;
  /** The link goes to another device, named later, from these bytes on: they are the end of the last chunk. */
  transferred(address: string, bytes: Uint8Array, why: string): void;
}

/** The taps of a recorder: of a dialled device by its name, and of pending links. */
export interface DeviceTaps {
  tap(device: string): WireTap | undefined;
  tapDialIn(): DialInTap | undefined;
  /** A line for people in the trace of a device or a bus, where it is recorded. */
  note?(device: string, text: string): void;
  /** The device is gone for good. */
  retire(device: string): void;
}

interface DialledWireOptions extends WireOptions {
  readonly names?: NameResolver | undefined;
  /** Gives its port on to other programs. */
  readonly sharing?: PortSharing | undefined;
}

/** A fresh, unopened wire to one of the addresses of a device that we dial. */
export function dialWire(
  device: DialledDeviceConfig,
  addressIndex: number,
  owner: WireOwner,
  options: DialledWireOptions,
): Wire {
  const address = device.links[addressIndex];
  // The session opens only addresses of its settings, which come from the same configuration.
  if (address === undefined) throw new Error(`${device.id} has no address ${addressIndex}`);
  const { messages, line, maxFrame, session } = device;
  const spec = {
    identity: session.identity,
    builtin: session.bare === undefined,
    login: session.login,
    maxFrame,
    line,
    messages,
  };
  const link = dialLink(address, device, framingNeedsSilence(framingOf(spec)), options);
  return new Wire(link, deviceCodec(spec), owner, options);
}

/** The same of a bus, whose devices say how its bytes are read. */
export function dialBusWire(
  bus: BusConfig,
  addressIndex: number,
  owner: WireOwner,
  codec: WireCodec,
  options: DialledWireOptions,
): Wire {
  const address = bus.links[addressIndex];
  // As above.
  if (address === undefined) throw new Error(`${bus.id} has no address ${addressIndex}`);
  const link = dialLink(address, bus, (bus.framings ?? []).some(framingNeedsSilence), options);
  return new Wire(link, codec, owner, options);
}

function dialLink(
  address: LinkAddress,
  { id, line, gapMs }: Pick<DialledDeviceConfig, 'id' | 'line' | 'gapMs'>,
  needsSilence: boolean,
  { names, sharing, tap }: DialledWireOptions,
): Link {
  const reportsSilence = line === 'serial' || needsSilence;
  const link = dial(address, {
    device: id,
    names,
    ...(reportsSilence ? { idleAfterMs: gapMs ?? SERIAL_SERVER_GAP_MS } : {}),
    ...(gapMs === undefined ? {} : { gapMs }),
    silence: needsSilence ? { gapMs } : undefined,
  });
  return sharing?.wrap(link, (text) => tap?.noted?.(text)) ?? link;
}
