import type { SessionSettings } from '../config/index.ts';
import type { Values } from '../contract/index.ts';
import type { DeviceStatus } from '../contract/wire/index.ts';
import type { Instant } from '../instant.ts';
import type { LinkEnd, SendOutcome } from '../links/index.ts';
import type {
  DecoderFault,
  Discarded,
  Expectation,
  InvalidPayload,
  LineRemark,
  Message,
} from '../protocol/index.ts';
import { DeadlineTimer, DefectStreak, Ring, type Timer, tellDefect } from '../system/index.ts';
import type { BusDevice, BusOrder } from './bus-ports.ts';
import { DeviceSession } from './core/device-session.ts';
import { introducedBy } from './core/login.ts';
import type { MessageCatalog } from './core/message-catalog.ts';
import type { Effect, RequestOutcome, SessionEvent, StopReason } from './core/session-events.ts';
import type { DeviceReading } from './device-observer.ts';
import { DevicePublisher } from './device-publisher.ts';
import type { DeviceRunnerOptions } from './device-runner-options.ts';
import { DeviceFiles } from './files/device-files.ts';
import type { WireClaim } from './pending-runner.ts';
import type { SessionWire } from './wire.ts';
import type { LinkCodec } from './wire-codec.ts';

/** Serial ports are read by the thread pool: what lay in one when the loop woke up has come from there by then. */
const SERIAL_SETTLE_MS = 10;
/** The pause before a session starts again whose first start failed too, in ms. */
const START_AGAIN_MS = 30_000;

/**
 * Performs the effects of one device's session. Events that are raised while effects are performed wait their turn, and
 * what a replaced link still has to say is dropped by the identity of its wire. A defect, of this code or of a
 * subscriber in the process, ends here: the link is closed, and a fresh session takes over after a pause.
 */
export class DeviceRunner implements BusDevice {
  readonly id: string;
  readonly #options: DeviceRunnerOptions;
  #session: DeviceSession;
  readonly #timer: DeadlineTimer;
  readonly #publisher: DevicePublisher;
  readonly #files: DeviceFiles;
  /** Events that came while the effects of another one were performed. */
  readonly #queue = new Ring<{ readonly event: SessionEvent; readonly wire: SessionWire | undefined }>();
  readonly #claims = new Map<number, WireClaim>();
  /** Requests that are not settled yet, by id. */
  readonly #requests = new Map<number, (outcome: RequestOutcome) => void>();
  #nextRequestId = 1;
  #wire: SessionWire | undefined;
  /** Finds the device of the present link where its peer was known by its address and has not registered yet. */
  #registers: WireClaim['registers'];
  #reading: Timer | undefined;
  #running = false;
  #bytesOut = 0;
  #started = false;
  /** When the chunk came whose frames are handled now. */
  #chunkAt: Instant | undefined;
  #linked = false;
  /** Monotonic ms; it may lie before the start of the process. */
  #lastLinkedAt: number;
  readonly #defects = new DefectStreak();
  /** A fresh session starts with the defect that ended the one before. */
  #restarting = false;

  constructor(options: DeviceRunnerOptions) {
    const { settings, ports, clock } = options;
    this.id = settings.device;
    this.#options = options;
    this.#session = new DeviceSession(settings, ports, clock.now());
    this.#timer = new DeadlineTimer(clock, () =>
      this.#dispatch({ type: 'deadlineReached', afterReading: false }),
    );
    const { monoMs, wallMs } = clock.now();
    this.#lastLinkedAt = monoMs - Math.max(0, wallMs - (options.known?.since ?? wallMs));
    this.#publisher = new DevicePublisher(settings.device, options, ports.messages);
    this.#files = new DeviceFiles({
      device: settings.device,
      uploads: options.uploads,
      log: options.log,
      stored: (transfer, ok) => this.#dispatch({ type: 'chunkStored', transfer, ok }),
      arrived: (file, transfer) => this.#publisher.fileArrived(file, transfer),
    });
  }

  get settings(): SessionSettings {
    return this.#options.settings;
  }

  get messages(): MessageCatalog | undefined {
    return this.#options.ports.messages;
  }

  get dialIn(): LinkCodec | undefined {
    return this.#options.dialIn;
  }

  get status(): DeviceStatus {
    return this.#session.status;
  }

  /** What is known and counted of it now; the counts go on being counted. */
  get reading(): DeviceReading {
    const { state, stats } = this.#session;
    return { id: this.id, state, counts: stats.counts, tally: stats.tally, bytesOut: this.#bytesOut };
  }

  /** How long it has been without a link, in ms; 0 while it has one. */
  awayMs(): number {
    return this.#session.connected ? 0 : this.#options.clock.now().monoMs - this.#lastLinkedAt;
  }

  /** It was started, and not stopped. */
  get started(): boolean {
    return this.#started;
  }

  start(): void {
    this.#started = true;
    const partials = this.#files.takePartials();
    if (partials.length > 0) this.#dispatch({ type: 'partialsFound', partials });
    const { known } = this.#options;
    this.#options.sharing?.start();
    this.#dispatch({ type: 'started', ...(known === undefined ? {} : { after: known }) });
  }

  /** Ends a pause of the back-off: the device is dialled now. */
  dialNow(): void {
    this.#dispatch({ type: 'pauseEnded' });
  }

  /** Closes the link and fails what is in flight; the last state stays published. */
  stop(reason: StopReason = 'stopped'): void {
    this.#started = false;
    this.#options.sharing?.stop();
    this.#dispatch({ type: 'stopped', reason });
    this.#publisher.close();
    this.#options.observers?.close();
    // Where the bridge stops, the next run goes on with the files that are not whole.
    this.#retire(reason !== 'stopped');
  }

  /** Stops, and takes the device out of the feed. */
  remove(): void {
    this.stop('removed');
    this.#publisher.remove();
  }

  /** Either `attached` or `refused` of the claim is called, now or later, unless it is withdrawn. */
  claim(claim: WireClaim): void {
    this.#claims.set(claim.claimId, claim);
    const { wire: _, attached: __, refused: ___, registers: ____, ...plain } = claim;
    this.#dispatch({ type: 'linkClaimed', claim: plain });
  }

  withdraw(claimId: number): void {
    if (this.#claims.delete(claimId)) this.#dispatch({ type: 'claimWithdrawn', claimId });
  }

  /** Sends a request at once or not at all; always resolves. */
  request(message: string, fields: Values, timeoutMs: number): Promise<RequestOutcome> {
    const requestId = this.#nextRequestId++;
    const { observers } = this.#options;
    observers?.asked(message, fields);
    return new Promise((resolve) => {
      this.#requests.set(requestId, (outcome) => {
        observers?.answered(message, outcome);
        resolve(outcome);
      });
      this.#dispatch({ type: 'requestMade', requestId, message, fields, timeoutMs });
    });
  }

  /** Writes bytes to the present link as they are, past all that is known of the device. */
  sendBytes(bytes: Uint8Array): SendOutcome {
    const outcome = this.#wire?.send(bytes) ?? 'link_not_open';
    if (outcome === 'accepted') this.#sent(bytes);
    return outcome;
  }

  tell(event: BusOrder): void {
    this.#dispatch(event);
  }

  wireDialling(wire: SessionWire, stale?: string): void {
    const code = 'name_not_resolved';
    if (stale !== undefined) this.#options.log.warn({ device: this.id, code }, stale);
    this.#dispatch({ type: 'linkDialling' }, wire);
  }

  wireOpened(wire: SessionWire, address: string): void {
    this.#dispatch({ type: 'linkOpened', address }, wire);
  }

  now(): Instant {
    return this.#options.clock.now();
  }

  wireBytes(wire: SessionWire, chunk: Uint8Array, at: Instant = this.now()): void {
    if (wire !== this.#wire) return;
    this.#chunkAt = at;
    this.#publisher.bytes('in', chunk);
    this.#options.port?.bytes(chunk);
  }

  expectation(): Expectation | undefined {
    const { port } = this.#options;
    if (port !== undefined) return port.expectation();
    return this.#session.expectation(this.#chunkAt ?? this.#options.clock.now());
  }

  wireMessage(wire: SessionWire, message: Message | InvalidPayload): void {
    if (this.#registers !== undefined && this.#transfers(wire, message)) return;
    this.#dispatch({ type: 'messageReceived', message }, wire, this.#chunkAt);
    if (wire === this.#wire) this.#options.port?.message(message);
  }

  wireDiscarded(wire: SessionWire, report: Discarded): void {
    const { id: device } = this;
    const sample = Buffer.from(report.sample).toString('hex');
    this.#options.log.warn(
      { device, code: 'discarded', reason: report.reason, count: report.count, sample },
      `${report.count} bytes discarded (${report.reason}): ${sample}`,
    );
    // A link that we close leaves what it holds of a frame: that is counted, though it is not the present one any more.
    const past = wire !== this.#wire;
    this.#dispatch({ type: 'bytesDiscarded', report, past }, past ? undefined : wire);
    if (!past) this.#options.port?.discarded(report);
  }

  wireFaulted(wire: SessionWire, fault: DecoderFault): void {
    this.#dispatch({ type: 'streamFaulted', fault }, wire);
  }

  wireChunk(wire: SessionWire, bytes: number, pending: number, remark?: LineRemark): void {
    const at = this.#chunkAt;
    this.#chunkAt = undefined;
    this.#dispatch({ type: 'chunkReceived', bytes, pending, remark }, wire, at);
  }

  wireClosed(wire: SessionWire, end: LinkEnd): void {
    this.#dispatch({ type: 'linkClosed', code: end.code, detail: end.detail }, wire);
  }

  wireBroke(wire: SessionWire, cause: unknown): void {
    if (wire === this.#wire) this.#restart(cause);
    else tellDefect(this.#options.log, { device: this.id }, cause);
  }

  #transfers(wire: SessionWire, message: Message | InvalidPayload): boolean {
    if (wire !== this.#wire || message.name === 'invalid') return false;
    const protocol = this.settings.login === true ? this.messages?.protocol : undefined;
    if (introducedBy(message, protocol) === undefined) return false;
    const transfer = this.#registers?.(message);
    this.#registers = undefined;
    if (transfer === undefined) return false;
    this.#chunkAt = undefined;
    this.#dispatch({ type: 'linkTransferred', detail: transfer.detail }, wire);
    transfer.take();
    return true;
  }

  #dispatch(event: SessionEvent, wire?: SessionWire, at?: Instant): void {
    if (this.#running) {
      this.#queue.push({ event, wire });
      return;
    }
    this.#running = true;
    const now = at ?? this.#options.clock.now();
    try {
      this.#handle(event, wire, now);
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        this.#handle(next.event, next.wire, this.#options.clock.now());
      }
    } catch (cause) {
      this.#running = false;
      return this.#restart(cause);
    }
    this.#running = false;
    this.#noteLinked(now.monoMs);
    this.#options.member?.wanted(this.#session.wish);
    // The end of its chunk follows at once.
    if (event.type === 'messageReceived' || this.#publisher.closed) return;
    this.#timer.follow(this.#session.nextDeadline());
  }

  /** Reports a link that came or went. */
  #noteLinked(now: number): void {
    const { connected } = this.#session;
    if (connected || this.#linked) this.#lastLinkedAt = now;
    if (connected === this.#linked) return;
    this.#linked = connected;
    this.#options.linked?.(connected);
  }

  #handle(event: SessionEvent, wire: SessionWire | undefined, now: Instant): void {
    if (wire !== undefined && wire !== this.#wire) return;
    if (event.type === 'linkClosed' || event.type === 'linkTransferred') this.#wire = undefined;
    for (const effect of this.#session.handle(event, now)) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    const { clock, log } = this.#options;
    switch (effect.type) {
      case 'openLink':
        this.#wire = this.#options.makeWire(effect.addressIndex, this);
        this.#wire.open();
        if (this.#wire.resolves) this.#dispatch({ type: 'linkResolving' }, this.#wire);
        return;
      case 'closeLink': {
        const wire = this.#wire;
        this.#wire = undefined;
        wire?.close(effect.how);
        return;
      }
      case 'attachLink': {
        const claim = this.#takeClaim(effect.claimId);
        if (claim === undefined) return;
        const { wire } = claim;
        const held = claim.attached();
        if (wire === undefined) {
          const detail = `it arrived at another instance, from ${claim.host}`;
          this.#queue.push({ event: { type: 'linkTransferred', detail }, wire });
          return;
        }
        for (const message of held) this.#queue.push({ event: { type: 'messageReceived', message }, wire });
        this.#wire = wire;
        this.#registers = this.settings.role === 'server' ? claim.registers : undefined;
        wire.owner = this;
        if (this.#options.sharing !== undefined) wire.share(this.#options.sharing);
        return;
      }
      case 'refuseLink':
        this.#takeClaim(effect.claimId)?.refused(effect.reason);
        return;
      case 'send':
        return this.#send(effect.message, effect.report ?? false);
      case 'turnOver':
        return this.#options.member?.turnOver(effect.how);
      case 'readOnce':
        this.#reading = clock.afterReading(
          () => this.#dispatch({ type: 'deadlineReached', afterReading: true }),
          effect.late && this.settings.transport === 'serial' ? SERIAL_SETTLE_MS : 0,
        );
        return;
      case 'publishState':
        this.#options.observers?.state(effect.document);
        return this.#publisher.state(effect.document);
      case 'publishStats':
        return this.#publisher.stats(effect.document);
      case 'publishMessage':
        return this.#publisher.message(effect.message, effect.mark, effect.group);
      case 'storeChunk':
        return this.#files.store(effect);
      case 'dropFile':
        return this.#files.drop(effect.transfer);
      case 'publishAlarm':
        this.#options.observers?.alarm(effect.alarm);
        return this.#publisher.alarm(effect.alarm);
      case 'publishMeasured':
        return this.#options.observers?.measured(effect.group, effect.fields);
      case 'settleRequest':
        return this.#settle(effect.requestId, effect.outcome);
      case 'log':
        return log[effect.level]({ device: this.id, code: effect.reason }, effect.text);
    }
  }

  /** What the session knows may be wrong from here on: nothing of it is kept but that the device was seen. */
  #restart(cause: unknown): void {
    const { clock, log, settings, ports } = this.#options;
    const now = clock.now();
    const detail = tellDefect(log, { device: this.id }, cause);
    this.#options.observers?.defect(detail);
    const wire = this.#wire;
    this.#wire = undefined;
    this.#queue.clear();
    wire?.close('destroy');
    for (const requestId of [...this.#requests.keys()])
      this.#settle(requestId, { ok: false, code: 'internal_error', detail });
    for (const claimId of [...this.#claims.keys()]) this.#takeClaim(claimId)?.refused(detail);
    const { seen } = this.#session;
    this.#retire(true);
    this.#bytesOut = 0;
    this.#session = new DeviceSession(settings, ports, now);
    if (this.#publisher.closed) return;
    const after = { detail, times: this.#defects.showed(now.monoMs), seen };
    const start = (): void => this.#dispatch({ type: 'started', after });
    if (this.#restarting) {
      this.#reading = clock.setTimer(now.monoMs + START_AGAIN_MS, start);
      return;
    }
    this.#restarting = true;
    start();
    this.#restarting = false;
  }

  /** Nothing of what it counted, awaits or holds goes on. */
  #retire(forgetsFiles: boolean): void {
    if (forgetsFiles) this.#files.forget();
    this.#timer.cancel();
    this.#reading?.cancel();
    this.#options.retired?.(this.reading);
  }

  #settle(requestId: number, outcome: RequestOutcome): void {
    const resolve = this.#requests.get(requestId);
    this.#requests.delete(requestId);
    resolve?.(outcome);
  }

  #takeClaim(claimId: number): WireClaim | undefined {
    const claim = this.#claims.get(claimId);
    this.#claims.delete(claimId);
    return claim;
  }

  #send(message: Message, report: boolean): void {
    const wire = this.#wire;
    if (wire === undefined) return this.#dispatch({ type: 'sendRefused', message, code: 'link_not_open' });
    const frame = wire.encode(message);
    const outcome = wire.send(frame);
    if (outcome !== 'accepted') return this.#dispatch({ type: 'sendRefused', message, code: outcome }, wire);
    this.#sent(frame);
    if (report) this.#dispatch({ type: 'sendAccepted', message }, wire);
  }

  #sent(bytes: Uint8Array): void {
    this.#bytesOut += bytes.length;
    this.#publisher.bytes('out', bytes);
  }
}
