import {
  type DeclaredMessage,
  type DeclaredProtocol,
  type Expectation,
  type FrameSink,
  type FramingDeclaration,
  type InvalidPayload,
  type Message,
  makeFraming,
  type PayloadJudge,
  payloadJudge,
} from '../protocol/index.ts';

/** A device on a bus, as far as reading its frames needs it. */
export interface AddressedDevice {
  readonly device: { readonly address: number; readonly messages: DeclaredProtocol };
  expectation(): Expectation | undefined;
}

interface Entry<T> {
  readonly of: T;
  readonly protocol: DeclaredProtocol;
  readonly judge: PayloadJudge;
}

const NO_FRAME = { bits: -1, touched: 0 };

/** What devices of one bus have in common that speak alike: their framing, and the place of their address. */
export class BusDialect<T extends AddressedDevice> {
  readonly framing: FramingDeclaration;
  readonly #byAddress = new Map<number, Entry<T>>();
  /** One for each file of messages, read with any address. */
  #any: readonly { readonly protocol: DeclaredProtocol; readonly judge: PayloadJudge }[] = [];
  readonly #from: 'device' | undefined;

  /** `from`: the side that is read; undefined: both. */
  constructor(framing: FramingDeclaration, from: 'device' | undefined) {
    this.framing = framing;
    this.#from = from;
  }

  add(of: T): void {
    const { address, messages } = of.device;
    this.#byAddress.set(address, { of, protocol: messages, judge: payloadJudge(messages, this.#from) });
    this.#learn();
  }

  remove(of: T): void {
    const { address } = of.device;
    if (this.#byAddress.get(address)?.of === of) this.#byAddress.delete(address);
    this.#learn();
  }

  get isEmpty(): boolean {
    return this.#byAddress.size === 0;
  }

  /** The device whose frame it is. */
  deviceOf(message: Message | InvalidPayload): T | undefined {
    const address = this.addressOf(message);
    return address === undefined ? undefined : this.#byAddress.get(address)?.of;
  }

  addressOf(message: Message | InvalidPayload): number | undefined {
    if (message.name === 'declared') return message.address;
    const payload = 'payload' in message ? message.payload : undefined;
    return payload && this.addressIn(payload, 0, payload.length);
  }

  /** It went to all: what we sent comes back, or another host spoke. No device answers from there. */
  isToAll(message: Message | InvalidPayload): boolean {
    const place = this.#any[0]?.protocol.declaration.address;
    return place?.broadcast !== undefined && this.addressOf(message) === place.broadcast;
  }

  addressIn(bytes: Uint8Array, start: number, end: number): number | undefined {
    return this.#any[0]?.protocol.addressIn(bytes, start, end);
  }

  /** The requests in a frame that a host sent. */
  requestsIn(frame: Uint8Array): readonly DeclaredMessage[] {
    const found: DeclaredMessage[] = [];
    const take = (bytes: Uint8Array, start: number, end: number): void => {
      const address = this.addressIn(bytes, start, end);
      const protocol = address === undefined ? undefined : this.#byAddress.get(address)?.protocol;
      const message = protocol?.decode(bytes, start, end, 'host');
      if (message?.name === 'declared') found.push(message);
    };
    const sink: FrameSink = { frame: take, discarded: () => undefined, fault: () => undefined };
    const decoder = makeFraming(this.framing).makeDecoder(sink, { line: 'serial' });
    decoder.push(frame);
    decoder.idle();
    decoder.close();
    return found;
  }

  #learn(): void {
    const protocols = new Set([...this.#byAddress.values()].map(({ protocol }) => protocol.ofAnyAddress));
    this.#any = [...protocols].map((protocol) => ({ protocol, judge: payloadJudge(protocol, this.#from) }));
  }

  decode(bytes: Uint8Array, start: number, end: number): Message | InvalidPayload {
    const address = this.addressIn(bytes, start, end);
    const known = address === undefined ? undefined : this.#byAddress.get(address);
    if (known !== undefined) {
      const expected = known.of.expectation();
      return this.#from === undefined
        ? pair(known.protocol, bytes, start, end, expected)
        : known.protocol.decode(bytes, start, end, this.#from, expected);
    }
    const right = this.#any.find(({ judge }) => judge.check(bytes, start, end) >= 0) ?? this.#any[0];
    if (right === undefined) return { name: 'unknown', kind: 'unknown', payload: bytes.slice(start, end) };
    return right.protocol.decode(bytes, start, end, this.#from);
  }

  /** What judges a payload: the device that it is of, or the messages of the others. */
  #judgeOf(bytes: Uint8Array, start: number, end: number): PayloadJudge | undefined {
    const address = this.addressIn(bytes, start, end);
    return (address === undefined ? undefined : this.#byAddress.get(address)?.judge) ?? this.#any[0]?.judge;
  }

  /** Tells frames from noise, by the messages of all of them. */
  judge(): PayloadJudge {
    const any = (): readonly PayloadJudge[] => this.#any.map(({ judge }) => judge);
    const [first, ...others] = any();
    const sealed = others.every(({ seal }) => JSON.stringify(seal) === JSON.stringify(first?.seal));
    return {
      get passes() {
        return Math.max(1, ...any().map(({ passes = 1 }) => passes));
      },
      possible: () => true,
      check: (bytes, start, end) => this.#judgeOf(bytes, start, end)?.check(bytes, start, end) ?? ~0,
      proof: (bytes, start, end, awaited) =>
        this.#judgeOf(bytes, start, end)?.proof?.(bytes, start, end, awaited) ?? NO_FRAME,
      ends: (bytes, start, end, awaited) =>
        this.#judgeOf(bytes, start, end)?.ends?.(bytes, start, end, awaited) === true,
      begins: (bytes, start, end) => any().some((judge) => judge.begins?.(bytes, start, end) === true),
      get spans() {
        return any().flatMap(({ spans = [] }) => spans);
      },
      seal: sealed ? first?.seal : undefined,
    };
  }
}

/** A frame of a line where another host asks: the reply that is awaited, else a request, else a reply to nothing. */
function pair(
  protocol: DeclaredProtocol,
  bytes: Uint8Array,
  start: number,
  end: number,
  expected: Expectation | undefined,
): Message | InvalidPayload {
  if (expected !== undefined && expected.replies.length > 0) {
    const reply = protocol.decode(bytes, start, end, 'device', expected);
    if (reply.name === 'declared' && (reply.kind === 'reply' || refuses(protocol, reply.message)))
      return reply;
  }
  const request = protocol.decode(bytes, start, end, 'host');
  if (request.name === 'declared' && request.kind !== 'reply') return request;
  return protocol.decode(bytes, start, end, 'device', expected);
}

const refuses = (protocol: DeclaredProtocol, message: string): boolean =>
  protocol.message(message)?.declaration.rejects !== undefined;
