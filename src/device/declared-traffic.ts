import type { Instant } from '../instant.ts';
import type { DeclaredMessage, DeclaredReply, DeclaredRequest, InvalidPayload } from '../protocol/message.ts';
import type { Calls } from './calls.ts';
import type { SessionContext } from './session-ports.ts';

const NOT_AS_DECLARED = -1;

/** What declared messages mean, whichever life the device leads: values, alarms, replies, the effect of commands. */
export class DeclaredTraffic {
  readonly #context: SessionContext;
  readonly #calls: Calls;

  constructor(context: SessionContext, calls: Calls) {
    this.#context = context;
    this.#calls = calls;
  }

  received(message: DeclaredMessage, now: Instant): void {
    if (message.kind === 'reply') return this.#replied(message, now);
    // The bytes of files are not for subscribers: they would get them all.
    if (message.kind === 'request' && this.#context.files?.takes(message, now)) return;
    this.#context.emit({ type: 'publishMessage', message });
    this.#takeIn(message, now);
    if (message.kind === 'request') this.#answer(message, 0);
  }

  /** A device that waits for a status is told that its message was of no use. */
  receivedInvalid({ kind, message }: InvalidPayload): void {
    if (kind !== 'request') return;
    const id = this.#context.ports.messages?.id(message);
    this.#answer({ message, ...(id === undefined ? {} : { id }) }, NOT_AS_DECLARED);
  }

  #replied(message: DeclaredReply, now: Instant): void {
    const { counts } = this.#context.stats;
    const { message: name, error, errorName, fields } = message;
    if (error !== 0) counts.error_replies += 1;
    const named = errorName === undefined ? {} : { errorName };
    const match = this.#calls.replied({ message: name, error, ...named, fields }, now);
    if (match.kind === 'late') counts.late_replies += 1;
    if (match.kind === 'unsolicited') counts.unsolicited_replies += 1;
    const mark = match.kind === 'answers' ? {} : { mark: match.kind };
    this.#context.emit({ type: 'publishMessage', message, ...mark });
    // What nobody asked for now may be old.
    if (error === 0 && match.kind !== 'late') this.#takeIn(message, now);
  }

  #takeIn({ message, fields }: DeclaredMessage, now: Instant): void {
    for (const alarm of this.#context.measurements.update(message, fields, now.monoMs)) {
      this.#context.emit({ type: 'publishAlarm', alarm });
    }
    this.#calls.observe(message, fields);
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
