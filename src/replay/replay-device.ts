import type { ListenerConfig } from '../config/index.ts';
import { ADMISSION_DEFAULTS } from '../config/index.ts';
import type { Identity, Publisher } from '../contract/index.ts';
import {
  type BusRunner,
  DeviceDirectory,
  DeviceListener,
  type DeviceObservers,
  DeviceRunner,
  deviceCodec,
  MessageCatalog,
  messageEvent,
  type ObserverFactory,
  observersOf,
  type Resolution,
  type SessionPorts,
  Wire,
  type WireCodec,
  type WireOwner,
  type WireTap,
} from '../devices/index.ts';
import { ERROR_CODES, type ErrorCode } from '../errors.ts';
import { type LinkEnd, type Listener, type ListenerHandlers, PlayedLink } from '../links/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import type { TracedDevice } from '../recording/index.ts';
import { formatLocalTime, type Log, Lru, markReplay, parseLocalTime } from '../system/index.ts';
import { Expectations, type TraceEvent, toHex } from '../trace/index.ts';
import { makeReplayBus } from './replay-bus.ts';
import type { ReplayFact } from './replay-line.ts';
import { requestsIn } from './sent-requests.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Of a trace every link belongs to its device, as soon as it was known then. */
class ReplayDirectory extends DeviceDirectory {
  /** Absent: the device comes to be when it dials in, as an unannounced one. */
  device: DeviceRunner | undefined;
  /** It was known by its address alone. */
  byAddress = false;

  override resolve(identity: Identity, host: string, listener: ListenerConfig): Resolution {
    return this.device === undefined ? super.resolve(identity, host, listener) : { device: this.device };
  }

  override resolveBare(): DeviceRunner | undefined {
    const { bare, login } = this.device?.settings ?? {};
    return bare === undefined || login === true ? undefined : this.resolveAddress();
  }

  override resolveAddress(): DeviceRunner | undefined {
    return this.byAddress ? this.device : undefined;
  }
}

/** Just below 1: a pause of the back-off lasts as long as it may, unless the trace dials before. */
const LONGEST_PAUSE = 1 - 2 ** -53;

const MOST_ENDED = 1_000;

export interface ReplayDeviceOptions {
  readonly device: TracedDevice;
  readonly clock: VirtualClock;
  /** Everything that goes through it is marked as replayed. */
  readonly publisher: Publisher;
  readonly log: Log;
  /** What it speaks besides the built-in messages. */
  readonly messages?: DeclaredProtocol | undefined;
  readonly observers?: readonly ObserverFactory[] | undefined;
  /** What happens besides what is published. */
  happened(fact: ReplayFact): void;
  wantsBytes?(topic: string): boolean;
}

interface Connection {
  readonly name: string;
  readonly link: PlayedLink;
}

/**
 * One device whose peer is a trace. Bytes and the life of links come from the trace; decoder, session, listener and
 * their time-outs are those of a live device, on a clock that the trace drives.
 */
export class ReplayDevice {
  readonly id: string;
  readonly #options: ReplayDeviceOptions;
  readonly #codec: WireCodec;
  readonly #catalog: MessageCatalog | undefined;
  readonly #publisher: Publisher;
  readonly #expectations: Expectations;
  readonly #connections = new Map<string, Connection>();
  /** Connections that are over; the oldest are forgotten. */
  readonly #ended = new Lru<string, true>(MOST_ENDED);
  /** Names of the connections, for the lines about a link. */
  readonly #names = new WeakMap<PlayedLink, string>();
  readonly #wires = new WeakMap<PlayedLink, Wire>();
  readonly #directory: ReplayDirectory;
  readonly #runner: DeviceRunner | undefined;
  readonly #bus: BusRunner | undefined;
  readonly #members: readonly DeviceRunner[] = [];
  readonly #deviceListener: DeviceListener | undefined;
  #listener: ListenerHandlers | undefined;
  /** Dialled by the session, not yet opened by the trace. */
  #dialled: PlayedLink | undefined;
  /** The link whose tap is about to be made. */
  #accepting: PlayedLink | undefined;

  constructor(options: ReplayDeviceOptions) {
    const { device, clock } = options;
    const { settings, maxFrame } = device;
    this.id = settings.device;
    this.#options = options;
    this.#publisher = markReplay(options.publisher);
    const { messages } = options;
    this.#codec = deviceCodec({
      identity: settings.identity,
      builtin: settings.bare === undefined,
      login: settings.login,
      maxFrame,
      line: device.line,
      messages,
    });
    this.#catalog = messages === undefined ? undefined : new MessageCatalog(messages);
    this.#expectations = new Expectations((unmet) => options.happened({ unmet }));
    this.#directory = new ReplayDirectory({ clock, makeRunner: (of) => this.#makeRunner(of) });
    const accepted = device.dialIn && device.knownBy === 'any-address';
    if (device.members !== undefined) {
      const { bus, devices } = makeReplayBus({
        device,
        messages,
        ports: this.#ports(),
        publisher: this.#publisher,
        clock,
        log: options.log,
        observersOf: (id, spoken) => this.#observersOf(id, spoken),
        dial: (index, owner, codec) => this.#dial(settings.addresses[index] ?? '', owner, codec),
        wantsBytes: (topic) => options.wantsBytes?.(topic) ?? false,
      });
      this.#bus = bus;
      this.#members = devices;
    }
    if (!accepted) {
      this.#runner = this.#bus?.port ?? this.#makeRunner(settings);
      this.#directory.add(this.#runner);
      this.#directory.device = this.#runner;
      this.#directory.byAddress = device.knownBy === 'address';
    }
    this.#deviceListener = device.dialIn ? this.#makeListener() : undefined;
  }

  start(): void {
    for (const member of this.#members) member.start();
    this.#runner?.start();
    // It opens no port: its listener is the trace.
    void this.#deviceListener?.start();
  }

  /** What the trace says next; the clock shows its time. `file` is named where an expectation is not met. */
  take(event: TraceEvent, file?: string): void {
    const { fact, connection, line } = event;
    switch (fact.kind) {
      case 'in':
        this.#bytes(connection, fact.bytes);
        break;
      case 'out':
        this.#sent(fact.bytes);
        break;
      case 'life':
        this.#life(connection, fact.word, fact.detail);
        break;
      case 'note':
        this.#options.happened({ note: fact.text, connection });
        break;
      case 'expect':
        this.#expectations.expect(
          connection,
          fact.expectation,
          file === undefined ? { line } : { file, line },
        );
        break;
    }
    this.#options.clock.drain();
  }

  /** Plays what no trace says: every link ends in this way, and one that is being dialled cannot be opened. */
  endLinks(end: LinkEnd): void {
    this.#dialled?.playEnd(end);
    for (const [name, { link }] of [...this.#connections]) {
      this.#connections.delete(name);
      this.#remember(name);
      link.playEnd(end);
    }
    this.#options.clock.drain();
  }

  /** Bytes of the peer that no trace holds, on the link that opened last. */
  inject(bytes: Uint8Array): boolean {
    const last = [...this.#connections.values()].at(-1);
    if (last === undefined || !last.link.isOpen) return false;
    last.link.playBytes(bytes);
    this.#options.clock.drain();
    return true;
  }

  /** Nothing follows: what waits for the end of its frame is reported, and what is still expected has not come. */
  finish(): void {
    for (const { link } of this.#connections.values()) this.#wires.get(link)?.finish();
    this.#options.clock.drain();
    this.#expectations.finish();
  }

  /** Recorded frames are for people: the replayed session sends its own, but on a bus, and where the trace says so. */
  #sent(frame: Uint8Array): void {
    this.#bus?.overheard(frame);
    const { device, messages } = this.#options;
    if (messages === undefined || device.settings.bare?.asked !== 'recorded') return;
    const runner = this.#directory.device ?? [...this.#directory.all()][0];
    for (const message of requestsIn(frame, messages, device.line))
      runner?.tell({ type: 'requestSeen', message });
  }

  #bytes(name: string, bytes: Uint8Array): void {
    // A trace that begins in the middle of a connection does not say that it opened.
    const known = this.#connections.get(name) ?? (this.#ended.has(name) ? undefined : this.#open(name, ''));
    if (known === undefined || !known.link.isOpen) {
      return this.#options.happened({ unread: bytes.length, connection: name });
    }
    known.link.playBytes(bytes);
  }

  #life(name: string, word: 'dial' | 'open' | 'close' | 'error' | 'idle', detail: string): void {
    switch (word) {
      case 'dial':
        // Dialled before the trace says so, it waits; else the pause is over now.
        if (this.#dialled === undefined) this.#runner?.dialNow();
        return;
      case 'open':
        this.#open(name, detail);
        return;
      case 'idle':
        this.#connections.get(name)?.link.playIdle();
        return;
      case 'close':
        return this.#end(name, endOf(detail, 'link_closed'));
      case 'error':
        return this.#end(name, endOf(detail, 'link_error'));
    }
  }

  #open(name: string, detail: string): Connection | undefined {
    const before = this.#connections.get(name);
    // The next of several traces begins with the links that go on.
    if (before !== undefined) return before;
    const link = this.#options.device.dialIn ? this.#accept(name, detail) : this.#takeDialled(name);
    if (link === undefined) return undefined;
    this.#connections.delete(name);
    const connection = { name, link };
    this.#connections.set(name, connection);
    link.playOpen(detail === '' ? link.address : detail);
    return connection;
  }

  #accept(name: string, address: string): PlayedLink | undefined {
    const { clock, device } = this.#options;
    const link = new PlayedLink(device.settings.transport, address || '0.0.0.0:0', (then) =>
      clock.soon(then),
    );
    this.#names.set(link, name);
    this.#accepting = link;
    this.#listener?.accepted(link, hostOf(link.address));
    this.#accepting = undefined;
    return link;
  }

  /** The link that the session waits for; it is made to dial where it does not. */
  #takeDialled(name: string): PlayedLink | undefined {
    if (this.#dialled === undefined) {
      // A device has one link: whatever the trace does not say, the older one is gone.
      this.endLinks({ code: 'link_closed', detail: 'The trace goes on with another connection.' });
      this.#runner?.dialNow();
    }
    const link = this.#dialled;
    this.#dialled = undefined;
    if (link !== undefined) this.#names.set(link, name);
    return link;
  }

  #end(name: string, end: LinkEnd): void {
    const known = this.#connections.get(name);
    this.#connections.delete(name);
    this.#remember(name);
    if (known !== undefined) return known.link.playEnd(end);
    // It was never open: dialled in vain.
    if (this.#options.device.dialIn) return;
    this.#takeDialled(name)?.playEnd(end);
  }

  #remember(name: string): void {
    this.#ended.set(name, true);
  }

  #makeRunner(settings: TracedDevice['settings']): DeviceRunner {
    const { clock, log, wantsBytes } = this.#options;
    return new DeviceRunner({
      settings,
      ...(this.#options.device.dialIn ? { dialIn: { codec: this.#codec } } : {}),
      ports: { ...(this.#catalog === undefined ? {} : { messages: this.#catalog }), ...this.#ports() },
      publisher: this.#publisher,
      observers: this.#observersOf(settings.device, this.#options.messages),
      clock,
      log,
      makeWire: (addressIndex, owner) => this.#dial(settings.addresses[addressIndex] ?? '', owner),
      wantsBytes: (topic) => wantsBytes?.(topic) ?? false,
    });
  }

  #observersOf(id: string, messages: DeclaredProtocol | undefined): DeviceObservers {
    return observersOf(this.#options.observers ?? [], id, messages, true);
  }

  #ports(): SessionPorts {
    return {
      replayed: true,
      wantsSamples: () => this.#options.observers?.some((each) => each.wantsSamples()) === true,
      random: () => LONGEST_PAUSE,
      localTime: (wallMs) => this.#localTime(wallMs),
      parseLocalTime: (text, zone, near) => parseLocalTime(text, zone ?? this.#options.device.timeZone, near),
    };
  }

  #dial(address: string, owner: WireOwner, codec: WireCodec = this.#codec): Wire {
    const { clock, device } = this.#options;
    const link = new PlayedLink(device.settings.transport, address, (then) => clock.soon(then));
    this.#dialled = link;
    const tap: WireTap = {
      ...this.#tap(link),
      closed: () => {
        if (this.#dialled === link) this.#dialled = undefined;
      },
    };
    return new Wire(link, codec, owner, { tap });
  }

  #makeListener(): DeviceListener {
    const { clock, log, device } = this.#options;
    const listener: Listener = {
      address: '0.0.0.0:0',
      start: (handlers) => {
        this.#listener = handlers;
        handlers.listening('0.0.0.0:0');
      },
      close: () => undefined,
    };
    return new DeviceListener({
      config: {
        link: { scheme: 'tcp-listen', host: '0.0.0.0', port: 0 },
        ...ADMISSION_DEFAULTS,
        anonymous: device.knownBy === 'any-address' ? 'by-address' : 'refuse',
        // One address says all that is in the trace.
        maxNewPerMinute: 1_000_000,
        maxConnectionsPerAddress: ADMISSION_DEFAULTS.maxConnections,
        maxFrame: device.maxFrame,
        session: device.settings,
        ...(this.#options.messages === undefined ? {} : { messages: this.#options.messages }),
      },
      directory: this.#directory,
      clock,
      log,
      localTime: (wallMs) => this.#localTime(wallMs),
      random: () => LONGEST_PAUSE,
      makeListener: () => listener,
      tap: () => {
        const link = this.#accepting;
        return link === undefined
          ? undefined
          : { ...this.#tap(link), named: () => undefined, transferred: () => undefined };
      },
    });
  }

  #localTime(wallMs: number): string {
    return formatLocalTime(wallMs, this.#options.device.timeZone);
  }

  #tap(link: PlayedLink): WireTap {
    const { happened } = this.#options;
    const name = () => this.#names.get(link) ?? '';
    return {
      made: (wire) => void this.#wires.set(link, wire),
      sent: (frame) => {
        happened({ sent: toHex(frame), connection: name() });
        this.#expectations.happened(name(), { kind: 'send', bytes: frame });
      },
      message: (message) => {
        const { at: _, message: messageName, fields, ...rest } = messageEvent(message, 0);
        const flat = typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? fields : {};
        const outcome = {
          kind: 'message' as const,
          message: String(messageName),
          fields: { ...rest, ...flat },
        };
        this.#expectations.happened(name(), outcome);
      },
      discarded: ({ count, reason, expected, seen }) => {
        happened({ discarded: { count, reason, expected, seen }, connection: name() });
        this.#expectations.happened(name(), { kind: 'discarded', count, reason });
      },
      faulted: ({ reason, length, expected, seen }) =>
        happened({ fault: { reason, length, expected, seen }, connection: name() }),
    };
  }
}

/** `10.0.0.7` of `10.0.0.7:51234`, `::1` of `[::1]:51234`. */
function hostOf(address: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(address) ?? [];
  return bracketed ?? plain ?? address;
}

const isErrorCode = (word: string): word is ErrorCode => Object.hasOwn(ERROR_CODES, word);

/** The code in front of the words, where there is one. */
function endOf(detail: string, fallback: ErrorCode): LinkEnd {
  const [, word = '', rest = ''] = /^(\S*)\s*(.*)$/.exec(detail) ?? [];
  if (isErrorCode(word)) return { code: word, detail: rest === '' ? ERROR_CODES[word].meaning : rest };
  return { code: fallback, detail: detail === '' ? ERROR_CODES[fallback].meaning : detail };
}
