import type { BusConfig, BusDeviceConfig } from '../config/index.ts';
import type { BusDocument, LinkState, StateDocument } from '../contract/feed/index.ts';
import type { Publisher, Values } from '../contract/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import { ERROR_CODES, type ErrorCode } from '../errors.ts';
import type { SendOutcome } from '../links/index.ts';
import type {
  DeclaredMessage,
  Discarded,
  Expectation,
  InvalidPayload,
  Message,
  MessageDeclaration,
} from '../protocol/index.ts';
import { type Clock, DeadlineTimer, type Log, Ring } from '../system/index.ts';
import { Broadcasts } from './broadcasts.ts';
import { BusCodec } from './bus-codec.ts';
import type { BusDevice } from './bus-ports.ts';
import type { LineWish } from './core/bus-scheduler.ts';
import { type BusEvent, BusScheduler, type TurnEnd } from './core/bus-scheduler.ts';
import type { RequestOutcome, StopReason } from './core/session-events.ts';
import type { SessionPorts } from './core/session-ports.ts';
import { DeviceRunner } from './device-runner.ts';
import type { DeviceRunnerOptions } from './device-runner-options.ts';
import type { SessionWire, WireOwner } from './wire.ts';
import { deviceCodec, type LinkCodec, type WireCodec } from './wire-codec.ts';

/** The least time between two log lines about answers of another device, in ms. */
const WARN_EVERY_MS = 10_000;

const NEVER = Number.POSITIVE_INFINITY;

export interface BusRunnerOptions {
  readonly config: BusConfig;
  readonly ports: SessionPorts;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly log: Log;
  /** A fresh, unopened wire to one of the addresses of the bus, with this codec. */
  makeWire(addressIndex: number, owner: WireOwner, codec: WireCodec): SessionWire;
  /** Notes in the trace of the bus, where it is recorded, which device is asked. */
  note(text: string): void;
  wantsBytes(topic: string): boolean;
  readonly retired?: DeviceRunnerOptions['retired'];
  readonly sharing?: DeviceRunnerOptions['sharing'];
}

/**
 * The line of several devices. It owns the link, whose life is that of a device without any protocol, gives the devices
 * their turns, and hands each frame to the device whose address it carries.
 */
export class BusRunner {
  readonly id: string;
  readonly config: BusConfig;
  /** The life of the link. */
  readonly port: DeviceRunner;
  readonly #options: BusRunnerOptions;
  readonly #scheduler: BusScheduler;
  readonly #codec: BusCodec<MemberWire>;
  readonly #timer: DeadlineTimer;
  readonly #byDevice = new Map<string, MemberWire>();
  readonly #broadcasts: Broadcasts;
  readonly #events = new Ring<BusEvent>();
  #running = false;
  #link: LinkState | undefined;
  #open = false;
  #state: JsonObject | undefined;
  #foreign = 0;
  /** The programs that share the port. */
  #shared: StateDocument['shared'];
  /** Of a trace: the device that was asked last. */
  #overheardBy: MemberWire | undefined;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(options: BusRunnerOptions) {
    const { config, clock, log } = options;
    this.id = config.id;
    this.config = config;
    this.#options = options;
    this.#scheduler = new BusScheduler({ turnaroundMs: config.session.port?.turnaroundMs ?? 0 });
    this.#codec = new BusCodec(config);
    this.#timer = new DeadlineTimer(clock, () => {
      this.#broadcasts.expire();
      this.#handle({ type: 'deadlineReached' });
    });
    this.#broadcasts = this.#makeBroadcasts();
    // What goes to all takes its turn as one more device would, which never answers.
    this.#handle({ type: 'joined', device: this.id, timeoutMs: 0 });
    this.port = new DeviceRunner({
      settings: config.session,
      ports: options.ports,
      dialIn: this.#dialIn(),
      publisher: this.#publisher(),
      clock,
      log,
      makeWire: (addressIndex, owner) => options.makeWire(addressIndex, owner, this.#codec.codec),
      wantsBytes: (topic) => options.wantsBytes(topicOfBus(topic)),
      retired: options.retired,
      sharing: options.sharing,
      linked: (linked) => this.#linked(linked),
      port: {
        expectation: () => this.#asked()?.expectation(),
        bytes: (chunk) => this.#bytes(chunk),
        message: (message) => this.#message(message),
        discarded: (report) => this.#discarded(report),
      },
    });
  }

  /** The devices on it, by id. */
  get devices(): readonly string[] {
    return [...this.#byDevice.keys()];
  }

  /** Frames of a device that was not asked. */
  get wrongDevice(): number {
    return this.#foreign;
  }

  /** When a device on it can send something. */
  wanted(device: string, { commandAt, pollAt }: LineWish): void {
    this.#handle({ type: 'wanted', device, commandAt, pollAt });
  }

  turnOver(device: string, how: TurnEnd): void {
    this.#handle({ type: 'turnOver', device, how });
  }

  /** Sends a command to all devices on the bus, by the address that all of them read. */
  broadcast(message: string, fields: Values, timeoutMs: number): Promise<RequestOutcome> {
    return this.#broadcasts.request(message, fields, timeoutMs);
  }

  /** What can be sent to all. */
  get broadcastDeclarations(): readonly MessageDeclaration[] {
    return this.#broadcasts.declarations;
  }

  start(): void {
    this.port.start();
  }

  stop(reason: StopReason = 'stopped'): void {
    this.#stopped = true;
    this.port.stop(reason);
    this.#timer.cancel();
    const link = this.port.reading.state.link;
    this.#broadcasts.abandon(codeOf(link.reason), 'the bus is stopped; it was not sent');
    for (const wire of [...this.#byDevice.values()]) wire.closed(link);
    if (reason === 'removed') this.#options.publisher.removeState(`buses/${this.id}/state`);
  }

  attach(wire: MemberWire): void {
    const { id } = wire.device;
    this.#byDevice.set(id, wire);
    this.#codec.add(wire);
    this.#handle({ type: 'joined', device: id, timeoutMs: wire.device.session.requestTimeoutMs });
    this.#publishDevices();
    if (this.#open) wire.opened(this.#link?.address ?? this.id);
    else if (this.#link !== undefined) wire.runner.tell({ type: 'lineChanged', link: this.#link });
  }

  detach(wire: MemberWire): void {
    const { id } = wire.device;
    if (this.#byDevice.get(id) !== wire) return;
    this.#byDevice.delete(id);
    this.#codec.remove(wire);
    this.#handle({ type: 'left', device: id });
    this.#publishDevices();
  }

  /** Only the device that has the turn sends; and bytes that a person sends, while the line is free. */
  send(wire: MemberWire, frame: Uint8Array): SendOutcome {
    const outcome = this.#put(frame, wire.device.id);
    if (outcome === 'accepted') this.#codec.asks(wire);
    return outcome;
  }

  /** Writes bytes that a person sends, while the line is free. */
  sendBytes(bytes: Uint8Array): SendOutcome {
    return this.#put(bytes, this.id);
  }

  #put(frame: Uint8Array, to: string): SendOutcome {
    const { asked } = this.#scheduler;
    if (this.config.session.port?.passive === true) return 'link_not_open';
    if (asked !== undefined && asked !== to) return 'link_queue_full';
    this.#options.note(`to ${to === this.id ? 'all' : to}`);
    const outcome = this.port.sendBytes(frame);
    if (asked === undefined) this.#handle({ type: 'heard' });
    return outcome;
  }

  /** A frame that a host sent, as a trace has it: the device to which it goes awaits the reply. */
  overheard(frame: Uint8Array): void {
    for (const { message, to: wire } of this.#codec.requestsIn(frame)) {
      this.#overheardBy = wire;
      wire?.runner.tell({ type: 'requestSeen', message });
    }
  }

  #dialIn(): LinkCodec | undefined {
    const { codec, idleAfterMs } = this.#codec;
    return this.config.match === undefined ? undefined : { codec, idleAfterMs };
  }

  #asked(): MemberWire | undefined {
    const { asked } = this.#scheduler;
    return asked === undefined ? this.#overheardBy : this.#byDevice.get(asked);
  }

  /** Run to completion: what a device does with its turn is handled behind the event that gave it. */
  #handle(event: BusEvent): void {
    this.#events.push(event);
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      for (const { device } of this.#scheduler.handle(next, this.#options.clock.now())) {
        if (device === this.id) this.#broadcastNext();
        else this.#byDevice.get(device)?.runner.tell({ type: 'turnGiven' });
      }
    }
    this.#running = false;
    const deadline = Math.min(this.#scheduler.nextDeadline(), this.#broadcasts.nextDeadline());
    if (!this.#stopped) this.#timer.follow(deadline === Number.POSITIVE_INFINITY ? undefined : deadline);
  }

  #broadcastNext(): void {
    const how = this.#broadcasts.turnGiven() ? 'sent' : 'unused';
    this.#handle({ type: 'turnOver', device: this.id, how });
  }

  #makeBroadcasts(): Broadcasts {
    const byDevice = this.#byDevice;
    return new Broadcasts({
      bus: this.id,
      passive: this.config.session.port?.passive === true,
      clock: this.#options.clock,
      *members() {
        for (const { device } of byDevice.values()) yield device;
      },
      isOpen: () => this.#open,
      wanted: (at) => this.#handle({ type: 'wanted', device: this.id, commandAt: at, pollAt: NEVER }),
      send: (frame) => this.#put(frame, this.id),
    });
  }

  #linked(linked: boolean): void {
    this.#open = linked;
    const link = this.port.reading.state.link;
    this.#link = link;
    this.#handle({ type: linked ? 'lineOpened' : 'lineClosed' });
    if (!linked) this.#broadcasts.abandon(codeOf(link.reason), 'the line was lost; it was not sent');
    for (const wire of [...this.#byDevice.values()]) {
      if (linked) wire.opened(link.address ?? this.id);
      else wire.closed(link);
    }
  }

  #bytes(chunk: Uint8Array): void {
    this.#handle({ type: 'heard' });
    this.#asked()?.received(chunk);
  }

  #message(message: Message | InvalidPayload): void {
    const wire = this.#codec.deviceOf(message);
    const asked = this.#asked();
    if (this.config.session.port?.passive === true) return this.#overheard(message, wire);
    if (this.#codec.isToAll(message)) return;
    const right = message.name === 'declared';
    if (right && (wire === undefined || (asked !== undefined && asked !== wire && !wire.awaitsLate())))
      this.#otherAnswered(message, wire, asked);
    if (!right && wire === undefined)
      asked?.runner.tell({ type: 'otherAnswered', detail: 'bytes that are no frame of it' });
    wire?.message(message);
  }

  /** A frame of a line where another host asks; what it asks of other devices is no business of these. */
  #overheard(message: Message | InvalidPayload, wire: MemberWire | undefined): void {
    if (message.name !== 'declared' || wire === undefined) return wire?.message(message);
    const { from = 'any' } = wire.device.messages.message(message.message)?.declaration ?? {};
    if (message.kind === 'reply' || from === 'device' || (message.kind === 'notice' && from !== 'host'))
      return wire.message(message);
    wire.runner.tell({ type: 'requestSeen', message });
  }

  #discarded(report: Discarded): void {
    const asked = this.#asked();
    asked?.owner.wireDiscarded(asked, report);
  }

  /** A frame of a device that was not asked: it ends no request of the one that was. */
  #otherAnswered(
    { address = 0 }: DeclaredMessage,
    from: MemberWire | undefined,
    asked: MemberWire | undefined,
  ): void {
    this.#foreign += 1;
    const who = from === undefined ? `address ${address}, where no device is configured` : from.device.id;
    const text =
      asked === undefined
        ? `${who} spoke and was not asked`
        : `${who} answered, and ${asked.device.id} was asked`;
    asked?.runner.tell({ type: 'otherAnswered', detail: `an answer of ${who}` });
    this.#publishDevices();
    const now = this.#options.clock.now().monoMs;
    if (now - this.#warnedAt < WARN_EVERY_MS) return;
    this.#warnedAt = now;
    this.#options.log.warn({ bus: this.id, code: 'wrong_device', count: this.#foreign }, text);
  }

  /** The link is published as that of a bus. */
  #publisher(): Publisher {
    const { publisher } = this.#options;
    return {
      publishState: (topic, document) => {
        if (!topic.endsWith('/state')) return publisher.publishState(topicOfBus(topic), document);
        // The port publishes its state, and nothing else, on this topic.
        const { link, shared } = document as unknown as StateDocument;
        this.#shared = shared;
        this.#stateChanged(link);
      },
      removeState: (topic) => publisher.removeState(topicOfBus(topic)),
      publishEvent: (topic, data, reach) => publisher.publishEvent(topicOfBus(topic), data, reach),
    };
  }

  #stateChanged(link: LinkState): void {
    this.#link = link;
    this.#publishDevices();
    if (!this.#open)
      for (const wire of [...this.#byDevice.values()]) wire.runner.tell({ type: 'lineChanged', link });
  }

  #publishDevices(): void {
    const link = this.#link;
    if (link === undefined) return;
    const passive = this.config.session.port?.passive;
    const document: BusDocument = {
      bus: this.id,
      link,
      devices: this.devices,
      ...(passive === true ? { passive } : {}),
      wrong_device: this.#foreign,
      ...(this.#shared === undefined ? {} : { shared: this.#shared }),
    };
    this.#state = document as unknown as JsonObject;
    this.#options.publisher.publishState(`buses/${this.id}/state`, this.#state);
  }
}

/** `devices/rs485-1/stats` as `buses/rs485-1/stats`. */
const topicOfBus = (topic: string): string => topic.replace(/^devices\//, 'buses/');

const codeOf = (reason: string | undefined): ErrorCode =>
  reason !== undefined && isErrorCode(reason) ? reason : 'link_closed';

const isErrorCode = (word: string): word is ErrorCode => Object.hasOwn(ERROR_CODES, word);

/** How the messages of a device on a bus become frames. */
export function memberCodec({ messages, maxFrame, session }: BusDeviceConfig): WireCodec {
  return deviceCodec({ identity: session.identity, builtin: false, maxFrame, line: 'serial', messages });
}

/** The part of a bus that is the wire of one device. */
export class MemberWire implements SessionWire {
  owner: WireOwner;
  readonly resolves = false;
  readonly device: BusDeviceConfig;
  readonly runner: BusDevice;
  readonly #codec: WireCodec;
  readonly #bus: BusRunner;

  constructor(device: BusDeviceConfig, codec: WireCodec, runner: BusDevice, bus: BusRunner) {
    this.device = device;
    this.owner = runner;
    this.runner = runner;
    this.#codec = codec;
    this.#bus = bus;
  }

  open(): void {
    this.#bus.attach(this);
  }

  encode(message: Message): Uint8Array {
    // A codec of declared messages encodes all that the session of such a device sends.
    return this.#codec.encode?.(message) ?? new Uint8Array(0);
  }

  send(frame: Uint8Array): SendOutcome {
    return this.#bus.send(this, frame);
  }

  close(): void {
    this.#bus.detach(this);
  }

  opened(address: string): void {
    this.owner.wireOpened(this, address);
  }

  closed({ reason, detail = 'the link of the bus is gone' }: LinkState): void {
    this.#bus.detach(this);
    this.owner.wireClosed(this, { code: codeOf(reason), detail });
  }

  received(chunk: Uint8Array): void {
    this.owner.wireBytes(this, chunk);
    this.owner.wireChunk(this, chunk.byteLength, 0);
  }

  message(message: Message | InvalidPayload): void {
    this.owner.wireMessage(this, message);
    this.owner.wireChunk(this, 0, 0);
  }

  expectation(): Expectation | undefined {
    return this.owner.expectation?.();
  }

  /** A reply of it is overdue, and may come while another device is asked. */
  awaitsLate(): boolean {
    const expected = this.expectation();
    return expected !== undefined && expected.replies.length > 0;
  }
}
