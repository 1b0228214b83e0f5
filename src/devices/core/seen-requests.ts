import type { PollSettings } from '../../config/index.ts';
import type { Instant } from '../../instant.ts';
import type { DeclaredMessage } from '../../protocol/index.ts';
import { PollPlan } from './line-turns.ts';
import type { OutgoingRequest } from './message-catalog.ts';
import { prepareDeclared } from './requests.ts';
import type { SessionContext } from './session-ports.ts';

/** A request of another host, and where the values of its reply belong; absent: nowhere. */
interface SeenRequest {
  readonly request: OutgoingRequest;
  readonly group: string | undefined;
}

/**
 * What another host asks of one device. Its polls are not sent here: they name the values. Of a message that asks for
 * different things and that no poll names, only the first thing has values: the others would take its place.
 */
export class SeenRequests {
  readonly #context: SessionContext;
  readonly #names: PollPlan;
  readonly #polled: ReadonlySet<string>;
  /** What each message asked for first. */
  readonly #first = new Map<string, string>();

  constructor(context: SessionContext, polls: readonly PollSettings[], now: Instant) {
    this.#context = context;
    this.#polled = new Set(polls.map(({ message }) => message));
    this.#names = new PollPlan(
      polls,
      ({ message, fields }) => prepareDeclared(context, message, fields),
      now.monoMs,
    );
  }

  /** Undefined where nothing answers it. */
  take({ message, fields }: DeclaredMessage): SeenRequest | undefined {
    const prepared = prepareDeclared(this.#context, message, fields);
    if (!prepared.ok || !prepared.request.awaitsReply) return undefined;
    const { request } = prepared;
    return { request, group: this.#polled.has(message) ? this.#names.groupOf(request) : this.#only(request) };
  }

  #only(request: OutgoingRequest): string | undefined {
    const { name, message, same } = request;
    const fields = message.name === 'declared' ? message.fields : {};
    // Where the reply repeats all of the request, it says itself what it is.
    if (Object.keys(fields).every((field) => same[field] !== undefined)) return name;
    const asked = String(request.payload);
    const first = this.#first.get(name) ?? asked;
    this.#first.set(name, first);
    return first === asked ? name : undefined;
  }
}
