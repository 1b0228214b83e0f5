import type { SessionSettings } from '../../config/index.ts';
import type { StateDocument } from '../../contract/feed/index.ts';
import type { DeviceStatus } from '../../contract/wire/index.ts';
import type { Instant } from '../../instant.ts';
import type { Expectation } from '../../protocol/index.ts';
import { Absence } from './absence.ts';
import { type LineWish, NO_WISH } from './bus-scheduler.ts';
import { DialPlan } from './dial-plan.ts';
import { receivedFiles } from './file-receiver.ts';
import { HeartbeatProtocol } from './heartbeat-protocol.ts';
import type { Ending, LinkProtocol } from './link-protocol.ts';
import { Measurements } from './measurements.ts';
import { Noise } from './noise.ts';
import type { PartialUpload } from './partial-upload.ts';
import { PolledProtocol } from './polled-protocol.ts';
import { PortProtocol } from './port-protocol.ts';
import { ReadFirst } from './read-first.ts';
import { SequenceNumbers } from './sequence-numbers.ts';
import {
  type Defect,
  type Effect,
  EffectList,
  type KnownBefore,
  type LinkClaim,
  type SessionEvent,
  STOPPED,
  type StopReason,
} from './session-events.ts';
import { connecting, givenUp, notOnline, phaseDeadline, type SessionPhase } from './session-phase.ts';
import type { SessionContext, SessionPorts } from './session-ports.ts';
import { StateAxes } from './state-document.ts';
import { Stats } from './stats.ts';
import { HELD, Takeover } from './takeover.ts';

/*
 * One device's life, as a machine that performs nothing: events in, effects out. Two axes are kept apart. The link axis is
 * what the operating system says, the device axis what the peer's own valid frames say:
 *
 *   dialled:     connecting (its name is resolved first) --opened--> connected --closed, silent, fault--> (next address, or back-off) --> connecting
 *   dialled in:  listening --claim attached--> connected --closed, silent, fault--> listening
 *
 *   connected:   registering --exchange succeeded--> online <--valid frame--> stale --> offline (link destroyed)
 *
 * The runner of the machine keeps one timer at `nextDeadline()`, drops events of links that are no longer the present
 * one, and reports the consequences of every effect as events, later.
 */

/** How long the present link of a device that logs in by itself may be silent before a newer one takes over, in ms. */
const MOST_PROBED_MS = 3_000;
const NEVER = Number.POSITIVE_INFINITY;

/** A device dialled by us, or one that dials in (`settings.addresses` is empty). */
export class DeviceSession {
  readonly settings: SessionSettings;
  readonly #context: SessionContext;
  readonly #axes: StateAxes;
  readonly stats: Stats;
  readonly #noise = new Noise();
  readonly #plan: DialPlan;
  readonly #takeover: Takeover;
  #phase: SessionPhase = { name: 'stopped' };
  readonly #absence: Absence;
  readonly #effects = new EffectList();
  readonly #readFirst = new ReadFirst();
  #wasOffline = false;

  constructor(settings: SessionSettings, ports: SessionPorts, now: Instant) {
    this.settings = settings;
    this.stats = new Stats(settings.bare === undefined ? settings.heartbeat.intervalMs : undefined);
    const measurements = new Measurements(ports.messages?.declarations ?? [], settings.bare?.polls);
    this.#axes = new StateAxes(settings, now.wallMs, measurements.measured, settings.bus?.id);
    this.#absence = new Absence(settings, this.#axes);
    this.#plan = new DialPlan(settings, ports.random);
    const emit = (effect: Effect) => {
      if (effect.type === 'send') this.stats.counts.frames_out += 1;
      this.#effects.push(effect);
    };
    // Its heartbeats are its own, and may be far apart: it is not asked for one.
    const probeMs = settings.login === true ? MOST_PROBED_MS : Number.POSITIVE_INFINITY;
    this.#takeover = new Takeover(Math.min(settings.heartbeat.intervalMs, probeMs), emit);
    this.#context = {
      settings,
      ports,
      axes: this.#axes,
      stats: this.stats,
      measurements,
      files: receivedFiles(ports.messages, ports.files, emit),
      clock: undefined,
      numbers: ports.messages?.protocol.sequence && new SequenceNumbers(ports.messages.protocol.sequence),
      seen: false,
      emit,
      succeeded: () => this.#plan.succeeded(),
    };
  }

  /** Takes one event, returns the effects that follow from it; never throws. */
  handle(event: SessionEvent, now: Instant): readonly Effect[] {
    this.#take(event, now);
    const { attempt } = this.#plan;
    if (this.#phase.name === 'connected' && this.#axes.document.link.attempt !== attempt)
      this.#axes.setLink('connected', now.wallMs, { attempt, ...this.#noise.remark });
    // A held device that comes online again, from a silence or over a next link, shows it until the hold is over.
    if (this.status === 'online' && this.#takeover.held(now.monoMs))
      this.#axes.setStatus('online', now.wallMs, 'duplicate_identity', HELD);
    this.#measure();
    const document = this.#axes.takeChange();
    if (document !== undefined) this.#effects.push({ type: 'publishState', document });
    const stats = this.stats.takeDue(now.monoMs);
    if (stats !== undefined) this.#effects.push({ type: 'publishStats', document: stats });
    return this.#effects.take();
  }

  /** When `deadlineReached` is due, monotonic ms; undefined: not at all. */
  nextDeadline(): number | undefined {
    if (this.#readFirst.awaited) return undefined;
    const own = Math.min(this.#absence.deadline, this.stats.nextDeadline(), this.#takeover.nextDeadline());
    const { measurements, files } = this.#context;
    const kept = Math.min(measurements.nextDeadline(), files?.nextDeadline() ?? NEVER);
    const next = Math.min(own, kept, phaseDeadline(this.#phase));
    return next === NEVER ? undefined : Math.max(next, 0);
  }

  get status(): DeviceStatus {
    return this.#axes.document.status;
  }

  get state(): StateDocument {
    return this.#axes.document;
  }

  /** A valid frame of the device came since the start. */
  get seen(): boolean {
    return this.#context.seen;
  }

  /** A link is open. */
  get connected(): boolean {
    return this.#phase.name === 'connected';
  }

  /** What is known of a device that is offline is old. */
  #measure(): void {
    const { measurements } = this.#context;
    const offline = this.status === 'offline';
    if (offline && !this.#wasOffline) measurements.markStale();
    this.#wasOffline = offline;
    this.#axes.setMeasured(measurements.measured);
  }

  /** On a bus: when something can be sent. */
  get wish(): LineWish {
    const wish = this.#phase.name === 'connected' ? this.#phase.linkProtocol.wish?.() : undefined;
    return wish ?? NO_WISH;
  }

  /** What may come now over the present link, judged by what was sent over it. */
  expectation(now: Instant): Expectation | undefined {
    return this.#phase.name === 'connected' ? this.#phase.linkProtocol.expectation(now) : undefined;
  }

  #take(event: SessionEvent, now: Instant): void {
    const linkProtocol = this.#phase.name === 'connected' ? this.#phase.linkProtocol : undefined;
    switch (event.type) {
      case 'started':
        if (this.#phase.name === 'stopped') this.#start(event.after, now);
        return;
      case 'stopped':
        return this.#stop(event.reason, now);
      case 'pauseEnded':
        if (this.#phase.name === 'waiting') this.#dial(now);
        return;
      case 'linkResolving':
      case 'linkDialling':
        if (this.#phase.name === 'connecting') this.#connecting(now, event.type === 'linkResolving');
        return;
      case 'linkOpened':
        if (this.#phase.name === 'connecting') this.#connect(event.address, '', now).open(now);
        return;
      case 'linkClosed':
        return this.#lost({ reason: event.code, detail: event.detail, how: 'gone' }, now);
      case 'linkTransferred':
        return this.#lost({ reason: 'link_handed_on', detail: event.detail, how: 'gone' }, now);
      case 'linkClaimed':
        return this.#claimed(event.claim, now);
      case 'claimWithdrawn':
        return this.#takeover.withdrawn(event.claimId);
      case 'messageReceived': {
        const ending = linkProtocol?.received(event.message, now);
        if (ending !== undefined) return this.#lost(ending, now);
        if (event.message.name === 'invalid' || event.message.name === 'echo') return;
        this.#noise.clear();
        this.#takeover.refuseWaiting('the present link is alive');
        return;
      }
      case 'chunkReceived':
        this.stats.counts.bytes_in += event.bytes;
        this.stats.touch();
        linkProtocol?.chunkReceived(event.pending, now);
        if (linkProtocol !== undefined) this.#noise.remarked(event.remark, this.#context, now);
        return;
      case 'bytesDiscarded':
        this.stats.discarded(event.report);
        if (event.past !== true) this.#noise.discarded(event.report);
        return;
      case 'streamFaulted': {
        const detail = `saw ${event.fault.seen}; expected ${event.fault.expected}`;
        return this.#lost({ reason: 'bad_frame', detail, how: 'destroy' }, now);
      }
      case 'sendAccepted':
        return linkProtocol?.sendAccepted(event.message, now);
      case 'sendRefused': {
        this.stats.counts.refused_sends += 1;
        this.stats.touch();
        this.#log('warn', event.code, `a ${event.message.name} ${event.message.kind} was not sent`);
        const ending = linkProtocol?.sendRefused(event.message, event.code, now);
        if (ending !== undefined) this.#lost(ending, now);
        return;
      }
      case 'portShared':
        return this.#axes.setPart('shared', event.places);
      case 'partialsFound':
        return this.#restore(event.partials, now);
      case 'chunkStored':
        return this.#context.files?.stored(event.transfer, event.ok, now);
      case 'deadlineReached':
        return this.#deadlineReached(event.afterReading, now);
      case 'lineChanged':
        if (this.#phase.name === 'connecting') this.#axes.setLink(event.link.status, now.wallMs, event.link);
        return;
      case 'turnGiven':
        if (linkProtocol?.turnGiven !== undefined) return linkProtocol.turnGiven(now);
        return this.#effects.push({ type: 'turnOver', how: 'unused' });
      case 'requestSeen':
        return linkProtocol?.requestSeen?.(event.message, now);
      case 'otherAnswered':
        return linkProtocol?.otherAnswered?.(event.detail);
      case 'requestMade':
        if (linkProtocol?.succeeded) return linkProtocol.requestMade(event, now);
        return this.#effects.push(notOnline(event.requestId, this.status));
    }
  }

  #restore(partials: readonly PartialUpload[], now: Instant): void {
    const { files } = this.#context;
    if (files !== undefined) return files.restore(partials, now);
    // It sends no files any more.
    for (const { transfer } of partials) this.#effects.push({ type: 'dropFile', transfer });
  }

  #start(after: Defect | KnownBefore | undefined, now: Instant): void {
    const dials = this.settings.addresses.length > 0;
    if (dials && after === undefined) return this.#dial(now);
    this.#phase = { name: 'listening' };
    if (after === undefined || 'since' in after) {
      this.#context.seen = after !== undefined;
      if (after !== undefined) this.#absence.resume(after, now);
      return this.#axes.setLink('listening', now.wallMs);
    }
    const why = { reason: 'internal_error', detail: after.detail } as const;
    this.#context.seen = after.seen;
    this.#absence.begin({ ...why, byItself: false }, after.seen, now);
    this.#axes.setLink(dials ? 'failed' : 'listening', now.wallMs, why);
    if (dials) this.#phase = { name: 'waiting', until: now.monoMs + this.#plan.pauseAfter(after.times) };
  }

  #stop(reason: StopReason, now: Instant): void {
    const phase = this.#phase;
    if (phase.name === 'stopped') return;
    if (phase.name === 'connected') phase.linkProtocol.abandon('link_lost', STOPPED[reason]);
    if (phase.name === 'connected' || phase.name === 'connecting') {
      this.#effects.push({ type: 'closeLink', how: 'end' });
    }
    this.#takeover.refuseWaiting(STOPPED[reason]);
    this.#phase = { name: 'stopped' };
    this.#absence.end();
    this.#axes.setLink('disabled', now.wallMs);
    if (this.#context.seen) this.#axes.setStatus('offline', now.wallMs, reason);
    else if (this.status !== 'unknown') this.#axes.setStatus('unknown', now.wallMs, reason);
  }

  #dial(now: Instant): void {
    const addressIndex = this.#plan.take();
    const { reason, detail } = this.#axes.document.link;
    const address = this.settings.addresses[addressIndex];
    this.#connecting(now);
    this.#axes.setLink('connecting', now.wallMs, {
      ...(address === undefined ? {} : { address }),
      attempt: this.#plan.attempt,
      // While it is tried again, why it is not connected remains worth knowing.
      ...(reason === undefined ? {} : { reason }),
      ...(detail === undefined ? {} : { detail }),
    });
    this.#effects.push({ type: 'openLink', addressIndex });
  }

  #connecting(now: Instant, resolves = false): void {
    this.#phase = connecting(this.settings, now.monoMs, resolves);
  }

  #connect(address: string, host: string, now: Instant): LinkProtocol {
    this.#absence.end();
    this.#noise.begin();
    this.stats.counts.connects += 1;
    this.stats.touch();
    const { attempt } = this.#plan;
    this.#axes.setLink('connected', now.wallMs, { address, attempt, since: now.wallMs });
    const linkProtocol = beginLinkProtocol(this.#context, host, now);
    this.#phase = { name: 'connected', linkProtocol };
    return linkProtocol;
  }

  /** The present link is of no use any more. `gone`: it closed by itself; else it is to be closed in that way. */
  #lost(ending: Omit<Ending, 'how'> & { how: Ending['how'] | 'gone' }, now: Instant): void {
    const phase = this.#phase;
    if (phase.name !== 'connected' && phase.name !== 'connecting') return;
    const { reason, detail, how } = ending;
    this.#log('warn', reason, detail);
    this.stats.lost(reason);
    if (how !== 'gone') this.#effects.push({ type: 'closeLink', how });
    let hadSuccess = false;
    if (phase.name === 'connected') {
      hadSuccess = phase.linkProtocol.succeeded;
      phase.linkProtocol.abandon('link_lost', `the link was lost: ${detail}`);
      const byItself = how === 'gone' && hadSuccess;
      this.#absence.begin({ reason, detail, byItself }, this.#context.seen, now);
    }
    if (this.settings.addresses.length > 0) return this.#dialAgain(hadSuccess, reason, detail, now);
    this.#phase = { name: 'listening' };
    this.#axes.setLink('listening', now.wallMs, { reason, detail });
    const waiting = this.#takeover.takeWaiting();
    if (waiting !== undefined) this.#attach(waiting, now);
  }

  #dialAgain(hadSuccess: boolean, reason: string, detail: string, now: Instant): void {
    // The bus tries again; this device waits for its link.
    if (this.settings.bus !== undefined) return this.#dial(now);
    const next = this.#plan.failed(hadSuccess);
    const status = reason === 'echo' ? 'failed' : 'backoff';
    const waits = next.kind === 'wait' && this.#context.ports.replayed !== true;
    const retryAt = waits ? Math.round(now.wallMs + next.forMs) : undefined;
    this.#axes.setLink(status, now.wallMs, { attempt: this.#plan.attempt, reason, detail, retryAt });
    if (next.kind === 'dial') this.#dial(now);
    else this.#phase = { name: 'waiting', until: now.monoMs + next.forMs };
  }

  #claimed(claim: LinkClaim, now: Instant): void {
    if (this.#phase.name === 'stopped') return this.#takeover.refuse(claim, STOPPED.stopped);
    const incumbent = this.#phase.name === 'connected' ? this.#phase.linkProtocol : undefined;
    // Behind a loop that stood still it looks silent, and what it said may not have been read yet.
    const unjudged =
      this.#readFirst.stoodStill || this.#readFirst.isLate(now.monoMs - (this.nextDeadline() ?? NEVER));
    const known = incumbent && {
      host: incumbent.host,
      lastValidAt: unjudged ? now.monoMs : incumbent.lastValidAt,
    };
    switch (this.#takeover.decide(claim, known, now.monoMs)) {
      case 'attach':
        return this.#attach(claim, now);
      case 'probe':
        return incumbent?.probe(now);
      case 'refuse':
        return;
    }
  }

  #attach(claim: LinkClaim, now: Instant): void {
    let held = false;
    if (this.#phase.name === 'connected') {
      const { linkProtocol } = this.#phase;
      const text = `a newer link from ${claim.address} took over`;
      linkProtocol.abandon('link_replaced', text);
      this.#effects.push({ type: 'closeLink', how: 'destroy' });
      this.stats.counts.takeovers += 1;
      held = this.#takeover.tookOver(claim, linkProtocol, now.monoMs);
      this.#log('info', 'link_replaced', text);
    }
    this.#effects.push({ type: 'attachLink', claimId: claim.claimId });
    if (claim.transport !== undefined) this.#axes.setTransport(claim.transport);
    this.#connect(claim.address, claim.host, now).openKnown(claim, now);
    if (!held) return;
    this.#axes.setStatus(this.status, now.wallMs, 'duplicate_identity', HELD);
    this.#log('warn', 'duplicate_identity', HELD);
  }

  #log(level: 'info' | 'warn', reason: string, text: string): void {
    this.#effects.push({ type: 'log', level, reason, text });
  }

  #deadlineReached(afterReading: boolean, now: Instant): void {
    this.#readFirst.over();
    const dueAt = this.nextDeadline();
    if (dueAt === undefined || now.monoMs < dueAt) return;
    const reading = this.#readFirst.before(dueAt, afterReading, now.monoMs);
    if (reading !== undefined) return this.#effects.push(reading);
    const lateMs = now.monoMs - dueAt;
    // While we did not run, we did not read or ask either.
    const stalledMs = this.#readFirst.isLate(lateMs) ? lateMs : 0;
    const alarms = this.#context.measurements.expire(now.monoMs, stalledMs);
    for (const alarm of alarms) this.#effects.push({ type: 'publishAlarm', alarm });
    this.#context.files?.expire(now);
    this.#absence.expire(now, stalledMs);
    if (this.#takeover.releaseDue(now.monoMs) && this.#axes.document.reason === 'duplicate_identity') {
      this.#axes.setStatus(this.status, now.wallMs);
    }
    const claim = this.#takeover.takeDue(now.monoMs);
    if (claim !== undefined) return this.#attach(claim, now);
    this.#phaseDeadlineReached(lateMs, now);
  }

  #phaseDeadlineReached(lateMs: number, now: Instant): void {
    switch (this.#phase.name) {
      case 'stopped':
      case 'listening':
        return;
      case 'connecting': {
        if (now.monoMs < this.#phase.giveUpAt) return;
        const why = givenUp(this.#phase, this.settings);
        return this.#lost({ ...why, how: 'destroy' }, now);
      }
      case 'waiting':
        if (this.#phase.until <= now.monoMs) this.#dial(now);
        return;
      case 'connected': {
        const ending = this.#phase.linkProtocol.watch(lateMs, now);
        if (ending !== undefined) this.#lost(this.#noise.explain(ending), now);
        return;
      }
    }
  }
}

/** The protocol of a new link, of the kind that the device understands. */
function beginLinkProtocol(context: SessionContext, host: string, now: Instant): LinkProtocol {
  const { bare, port } = context.settings;
  context.files?.linkLost();
  if (port !== undefined) return new PortProtocol(context, host, now);
  return bare === undefined
    ? new HeartbeatProtocol(context, host, now)
    : new PolledProtocol(context, bare, host, now);
}
