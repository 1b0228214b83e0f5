import { MessageCatalog } from '../devices/index.ts';
import type { DeclaredMessage, DeclaredProtocol, Sender } from '../protocol/index.ts';
import type { Meaning } from './inspected.ts';

/** A request that went out and was not answered yet. */
interface Outstanding {
  readonly message: string;
  readonly same: DeclaredMessage['fields'];
  readonly fields: DeclaredMessage['fields'];
  readonly untilUs: number;
}

const NOTHING_ASKED = { sent: [], awaited: [], replies: [] };

/** Requests of one connection that are remembered at most. */
const MOST_OUTSTANDING = 64;

/**
 * Says what a reply of the device answers, from the requests of its connection. Where the replies to several of them look
 * alike, it answers none: a value never stands under a name that may be wrong.
 */
export class ReplyPairing {
  readonly #protocol: DeclaredProtocol;
  readonly #catalog: MessageCatalog;
  readonly #windowUs: number;
  #outstanding: Outstanding[] = [];

  /** A request is forgotten after `windowUs` without a reply. */
  constructor(protocol: DeclaredProtocol, windowUs: number) {
    this.#protocol = protocol;
    this.#catalog = new MessageCatalog(protocol);
    this.#windowUs = windowUs;
  }

  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    from: Sender,
    kind: string | undefined,
    atUs: number,
  ): Meaning {
    if (from === 'host') {
      const message = this.#protocol.decode(bytes, start, end, from, undefined, kind);
      if (message.name === 'declared' && message.kind !== 'reply') this.#asked(message, atUs);
      return message;
    }
    this.#outstanding = this.#outstanding.filter(({ untilUs }) => untilUs >= atUs);
    const answer = this.#answer(bytes, start, end, kind);
    if (answer !== undefined) return answer;
    const message = this.#protocol.decode(bytes, start, end, from, NOTHING_ASKED, kind);
    if (message.name === 'declared') this.#refused(message);
    return message;
  }

  /** Whether a reply may come: to the message of this name, or to any. */
  awaits(message?: string): boolean {
    return this.#outstanding.some((each) => message === undefined || each.message === message);
  }

  /** A message that refuses a request ends it. */
  #refused(message: DeclaredMessage): void {
    const at = this.#outstanding.findIndex((each) => this.#catalog.mayRefuse(message, each));
    if (at >= 0) this.#outstanding.splice(at, 1);
  }

  #asked(message: DeclaredMessage, atUs: number): void {
    const { reply = 'none' } = this.#catalog.declaration(message.message) ?? {};
    if (reply === 'none') return;
    const { message: name, fields } = message;
    const same = this.#catalog.repeated(message);
    this.#outstanding.push({ message: name, same, fields, untilUs: atUs + this.#windowUs });
    if (this.#outstanding.length > MOST_OUTSTANDING) this.#outstanding.shift();
  }

  #answer(bytes: Uint8Array, start: number, end: number, kind: string | undefined): Meaning | undefined {
    const fitting: { readonly request: Outstanding; readonly message: Meaning }[] = [];
    for (const request of this.#outstanding) {
      const { message: name, same } = request;
      const expected = { sent: [], awaited: [name], replies: [{ message: name, same }] };
      const message = this.#protocol.decode(bytes, start, end, 'device', expected, kind);
      if (message.name === 'declared' && message.kind === 'reply' && message.message === name)
        fitting.push({ request, message });
    }
    const [first, ...others] = fitting;
    if (first === undefined) return undefined;
    const names = new Set(fitting.map(({ request }) => request.message));
    const apart = others.some(({ request }) => names.size > 1 || !this.#sameFields(request, first.request));
    if (apart) {
      // The reply is one of these, and so is the next one: the line is out of step until all are over.
      return {
        name: 'unknown',
        kind: 'unknown',
        answers: [...names],
        payload: bytes.slice(start, end),
      };
    }
    this.#outstanding.splice(this.#outstanding.indexOf(first.request), 1);
    return first.message;
  }

  #sameFields(one: Outstanding, other: Outstanding): boolean {
    return JSON.stringify(one.fields) === JSON.stringify(other.fields);
  }
}
