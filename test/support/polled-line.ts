import type { BareSettings, PollSettings } from '../../src/config/session-settings.ts';
import type { StateDocument, StatsDocument } from '../../src/contract/feed/topic-documents.ts';
import { DeviceSession } from '../../src/devices/core/device-session.ts';
import { MessageCatalog } from '../../src/devices/core/message-catalog.ts';
import type { Effect, RequestOutcome, SessionEvent } from '../../src/devices/core/session-events.ts';
import {
  DEFAULT_PROTOCOL,
  type MessageDeclaration,
  type ProtocolDeclaration,
} from '../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import type { Values } from '../../src/protocol/declared/value.ts';
import { settings } from './session-bench.ts';

/** Bytes that come so long after their request; several where a request is answered more than once. */
export type Answers = readonly { readonly afterMs: number; readonly bytes: Uint8Array }[];

export interface HeardMessage {
  readonly at: number;
  readonly message: string;
  readonly fields: Values;
  readonly mark?: string;
  readonly group?: string;
}

export const TIMEOUT_MS = 400;
export const LATE_MS = 1_000;
export const TURNAROUND_MS = 20;

const { id: _, error: __, ...NO_IDS } = DEFAULT_PROTOCOL;

/** Declared messages without ids. */
export const plainProtocol = (
  messages: readonly MessageDeclaration[],
  changes: Partial<ProtocolDeclaration> = {},
): DeclaredProtocol => new DeclaredProtocol({ ...NO_IDS, ...changes, messages });

/** A question in text, and an answer that may be any text. */
export const question = (
  name: string,
  reply: MessageDeclaration['reply'] = ANY_TEXT,
): MessageDeclaration => ({
  name,
  from: 'host',
  fields: [{ name: 'query', type: 'text', value: `${name}?` }],
  reply,
});
export const ANY_TEXT = { fields: [{ name: 'text', type: 'text', length: 'rest' }] } as const;

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const poll = (message: string, everyMs: number, more: Partial<PollSettings> = {}): PollSettings => ({
  message,
  fields: {},
  everyMs,
  ...more,
});

/**
 * A polled device at the end of a line without a network: payloads go out, and come back as `answer` says, each decoded
 * as the session expects. Time moves only with `pass`.
 */
export class PolledLine {
  readonly session: DeviceSession;
  readonly protocol: DeclaredProtocol;
  readonly heard: HeardMessage[] = [];
  readonly states: StateDocument[] = [];
  readonly sent: { readonly at: number; readonly payload: Uint8Array }[] = [];
  readonly outcomes = new Map<number, RequestOutcome>();
  readonly closed: string[] = [];
  now = 0;
  readonly #answer: (payload: Uint8Array, nth: number) => Answers;
  readonly #coming: { at: number; bytes: Uint8Array }[] = [];

  constructor(
    protocol: DeclaredProtocol,
    polls: readonly PollSettings[],
    answer: (payload: Uint8Array, nth: number) => Answers,
    changes: Partial<BareSettings> = {},
  ) {
    this.protocol = protocol;
    this.#answer = answer;
    const bare = { silenceMs: 60_000, polls, turnaroundMs: TURNAROUND_MS, lateMs: LATE_MS, ...changes };
    this.session = new DeviceSession(
      settings({ transport: 'serial', requestTimeoutMs: TIMEOUT_MS, bare }),
      {
        random: () => 0.5,
        localTime: () => '',
        parseLocalTime: () => undefined,
        messages: new MessageCatalog(protocol),
      },
      this.#instant(),
    );
    this.tell({ type: 'started' });
    this.tell({ type: 'linkOpened', address: '/dev/ttyUSB0' });
  }

  get stats(): StatsDocument {
    return this.session.stats.counts;
  }

  get values(): Values {
    return this.states.at(-1)?.values ?? {};
  }

  get status(): string | undefined {
    return this.states.at(-1)?.status;
  }

  get marked(): readonly HeardMessage[] {
    return this.heard.filter(({ mark }) => mark !== undefined);
  }

  tell(event: SessionEvent): void {
    for (const effect of this.session.handle(event, this.#instant())) this.#perform(effect);
  }

  command(requestId: number, message: string, fields: Values = {}, timeoutMs = TIMEOUT_MS): void {
    this.tell({ type: 'requestMade', requestId, message, fields, timeoutMs });
  }

  receive(bytes: Uint8Array): void {
    const expected = this.session.expectation(this.#instant());
    const message = this.protocol.decode(bytes, 0, bytes.length, 'device', expected);
    this.tell({ type: 'messageReceived', message });
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      this.#coming.sort((a, b) => a.at - b.at);
      const next = this.#coming[0];
      const deadline = this.session.nextDeadline() ?? Number.POSITIVE_INFINITY;
      const at = Math.min(next?.at ?? Number.POSITIVE_INFINITY, deadline);
      if (at > end) break;
      this.now = Math.max(this.now, at);
      // What is there is read before anything is judged.
      if (next !== undefined && next.at <= this.now) {
        this.#coming.shift();
        this.receive(next.bytes);
      } else {
        this.tell({ type: 'deadlineReached', afterReading: false });
        this.tell({ type: 'deadlineReached', afterReading: true });
      }
    }
    this.now = end;
  }

  #instant() {
    return { monoMs: this.now, wallMs: this.now };
  }

  #perform(effect: Effect): void {
    if (effect.type === 'publishState') this.states.push(effect.document);
    if (effect.type === 'settleRequest') this.outcomes.set(effect.requestId, effect.outcome);
    if (effect.type === 'closeLink') this.closed.push(this.states.at(-1)?.status ?? '');
    if (effect.type === 'publishMessage') {
      const { message, mark, group } = effect;
      const named = message.name === 'declared' ? message : { message: message.name, fields: {} };
      this.heard.push({
        at: this.now,
        message: named.message,
        fields: named.fields,
        ...(mark === undefined ? {} : { mark }),
        ...(group === undefined ? {} : { group }),
      });
    }
    if (effect.type === 'send' && effect.message.name === 'declared') {
      const payload = this.protocol.encode(effect.message.message, effect.message.fields);
      const nth = this.sent.push({ at: this.now, payload }) - 1;
      for (const { afterMs, bytes } of this.#answer(payload, nth))
        this.#coming.push({ at: this.now + afterMs, bytes });
      if (effect.report === true) this.tell({ type: 'sendAccepted', message: effect.message });
    }
  }
}
