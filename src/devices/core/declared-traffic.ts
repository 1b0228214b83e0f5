import type { Instant } from '../../instant.ts';
import {
  type AnswerPorts,
  Assembler,
  type DeclaredMessage,
  type DeclaredNotice,
  type DeclaredReply,
  type DeclaredRequest,
  HELLO,
  type InvalidPayload,
  type Message,
} from '../../protocol/index.ts';
import type { Calls } from './calls.ts';
import { sendAnswer } from './login.ts';
import type { ReplyMatch } from './request-slots.ts';
import type { MessageMark } from './session-events.ts';
import type { SessionContext } from './session-ports.ts';

const NOT_AS_DECLARED = -1;

/** What answers by rule need of a session. */
export function answerPorts({ numbers, ports }: SessionContext, now: Instant): AnswerPorts {
  return { number: () => numbers?.take() ?? 0, wallMs: now.wallMs, localTime: ports.localTime };
}

/** What is read before a group is given up came in time, however late it is read. */
function takenInTime(
  groups: Assembler,
  message: DeclaredMessage,
  nowMs: number,
): ReturnType<Assembler['take']> {
  return groups.take(message, Math.min(nowMs, groups.nextDeadline() - 1));
}

/** Handles declared messages under every link protocol: values, alarms, replies, the effect of commands. */
export class DeclaredTraffic {
  readonly #context: SessionContext;
  readonly #calls: Calls;

  /** Messages that are polled for different things. */
  readonly #ambiguous: ReadonlySet<string>;

  /** Absent where no group is declared. */
  readonly #assembler: Assembler | undefined;

  constructor(context: SessionContext, calls: Calls) {
    this.#context = context;
    this.#calls = calls;
    const groups = new Map<string, string>();
    const ambiguous = new Set<string>();
    for (const { message, as: group = message } of context.settings.bare?.polls ?? []) {
      if ((groups.get(message) ?? group) !== group) ambiguous.add(message);
      groups.set(message, group);
    }
    this.#ambiguous = ambiguous;
    const protocol = context.ports.messages?.protocol.declaration;
    const assembles = protocol?.messages.some(({ assemble }) => assemble !== undefined) === true;
    this.#assembler = assembles ? new Assembler(protocol, { joins: true }) : undefined;
  }

  /** What it means for the requests that are out; undefined of a message that the device sends of its own accord. */
  received(message: DeclaredMessage, now: Instant): ReplyMatch | { kind: 'ambiguous' } | undefined {
    if (message.kind === 'reply') return this.#replied(message, now);
    // The bytes of files are not for subscribers: they would get them all.
    if (message.kind === 'request' && this.#context.files?.takes(message, now)) return undefined;
    if (this.#context.ports.messages?.declaration(message.message)?.rejects !== undefined)
      return this.#refused(message, now);
    const part = this.#assembler && takenInTime(this.#assembler, message, now.monoMs);
    if (part !== undefined) {
      if (part.incomplete !== undefined) this.#reportIncomplete(part.incomplete);
      if (part.group !== undefined) this.#publish(part.group, now);
      this.#answerByRule(message, now);
      return undefined;
    }
    const match = this.#calls.answeredBy(message, now);
    if (match?.kind === 'late') {
      this.setAside(message, 'late');
      return match;
    }
    this.#publish(message, now);
    if (match?.kind === 'answers') return match;
    this.#answerByRule(message, now);
    return undefined;
  }

  /** When a request times out, or a group has taken too long. */
  nextDeadline(): number {
    const group = this.#assembler?.nextDeadline() ?? Number.POSITIVE_INFINITY;
    return Math.min(this.#calls.nextDeadline(), group);
  }

  /** Reports the groups that have taken too long. */
  expire(now: Instant): void {
    for (const incomplete of this.#assembler?.expire(now.monoMs) ?? []) this.#reportIncomplete(incomplete);
  }

  /** The requests that have timed out; groups that have are reported. */
  timeOut(now: Instant, foreign: string | undefined): ReturnType<Calls['timeOut']> {
    this.expire(now);
    return this.#calls.timeOut(now, foreign);
  }

  #answerByRule(message: DeclaredRequest | DeclaredNotice, now: Instant): void {
    const answers = this.#context.ports.messages?.protocol.answers;
    const answer = answers?.to(message, answerPorts(this.#context, now));
    if (answer !== undefined) sendAnswer(this.#context, answer);
    else if (message.kind === 'request') this.#answer(message, 0);
  }

  #publish(message: DeclaredMessage, now: Instant): void {
    this.#context.emit({ type: 'publishMessage', message });
    if (message.message !== HELLO) this.#takeIn(message, message.message, now);
  }

  /** A group that will not be completed counts as a message that was not as declared; nothing of it is published. */
  #reportIncomplete(message: InvalidPayload): void {
    this.#context.stats.counts.invalid += 1;
    this.#context.emit({ type: 'publishMessage', message });
    const text = `${message.message} is incomplete: ${message.seen}`;
    this.#context.emit({ type: 'log', level: 'warn', reason: 'invalid_message', text });
  }

  /** Answers a device that waits for a status: its message was not as declared. */
  receivedInvalid({ kind, message }: InvalidPayload): void {
    for (const incomplete of this.#assembler?.interrupt() ?? []) this.#reportIncomplete(incomplete);
    if (kind !== 'request') return;
    const id = this.#context.ports.messages?.id(message);
    this.#answer({ message, ...(id === undefined ? {} : { id }) }, NOT_AS_DECLARED);
  }

  #replied(message: DeclaredReply, now: Instant): ReplyMatch {
    const { counts } = this.#context.stats;
    const { message: name, error, errorName, fields } = message;
    if (error !== 0) counts.error_replies += 1;
    const named = errorName === undefined ? {} : { errorName };
    const match = this.#calls.replied({ message: name, error, ...named, fields }, now);
    if (match.kind !== 'answers') {
      this.setAside(message, match.kind);
      return match;
    }
    const { group } = match.request;
    const elsewhere = group === undefined || group === name ? {} : { group };
    this.#context.emit({ type: 'publishMessage', message, ...elsewhere });
    if (error === 0 && group !== undefined) this.#takeIn(message, group, now);
    return match;
  }

  #refused(message: DeclaredRequest | DeclaredNotice, now: Instant): ReplyMatch | { kind: 'ambiguous' } {
    const match = this.#calls.refusedBy(message, now) ?? { kind: 'ambiguous' };
    if (match.kind !== 'answers') {
      this.setAside(message, match.kind);
      return match;
    }
    this.#context.stats.counts.error_replies += 1;
    this.#context.emit({ type: 'publishMessage', message });
    this.#takeIn(message, message.message, now);
    return match;
  }

  /** Counts and reports what answers nothing that is asked now; its values may be old, or of something else. */
  setAside(message: Message, mark: MessageMark): void {
    const { counts } = this.#context.stats;
    if (mark === 'late') counts.late_replies += 1;
    else counts.unsolicited_replies += 1;
    this.#context.emit({ type: 'publishMessage', message, mark });
  }

  #takeIn({ message, fields }: DeclaredMessage, group: string, now: Instant): void {
    const { measurements, ports } = this.#context;
    for (const alarm of measurements.update(group, fields, now.monoMs)) {
      this.#context.emit({ type: 'publishAlarm', alarm });
    }
    if (ports.wantsSamples?.() === true) {
      const place = measurements.placeOf(group);
      if (place !== undefined) this.#context.emit({ type: 'publishMeasured', group: place, fields });
    }
    // Which of several things a confirmation means, its message does not tell.
    if (!this.#ambiguous.has(message)) this.#calls.observe(message, fields);
  }

  /** A status says that it arrived; what a reply with fields would hold, a bridge does not know. */
  #answer({ message, id }: Pick<DeclaredRequest, 'message' | 'id'>, error: number): void {
    if (this.#context.ports.messages?.declaration(message)?.reply !== 'status') return;
    const reply = {
      name: 'declared',
      message,
      kind: 'reply',
      error,
      fields: {},
      raw: {},
      issues: [],
    } as const;
    this.#context.emit({ type: 'send', message: id === undefined ? reply : { ...reply, id } });
  }
}
