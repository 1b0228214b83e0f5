import { HeartwireError } from '../../errors.ts';
import type { DeclaredMessage } from '../message.ts';
import type { FieldDeclaration, MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import { parseNumberType } from './number-type.ts';
import { SequenceRule } from './sequence.ts';
import type { AnswerDeclaration, CopyDeclaration, LoginDeclaration } from './session-declaration.ts';
import { bytesOf, isValues, ownValue, type Value, type Values } from './value.ts';

/** What an answer needs that stands in no message. */
export interface AnswerPorts {
  /** The next number of what we send. */
  number(): number;
  readonly wallMs: number;
  readonly localTime: (wallMs: number) => string;
}

/** An answer by rule, or why it cannot be made. */
export type Answer =
  | { readonly message: DeclaredMessage }
  | { readonly answer: string; readonly problem: string };

/** Encodes messages; `DeclaredProtocol` is one. */
export interface Encoder {
  readonly declaration: ProtocolDeclaration;
  encode(name: string, fields: Values): Uint8Array;
  encodeReply(name: string, error: number, fields: Values): Uint8Array;
}

/** Which message of the device answers a request of the bridge, and how that is known. */
export interface Acknowledgement {
  /** The message that answers. */
  readonly by: string;
  /** Its fields that repeat those of the request. */
  readonly copy: CopyDeclaration;
  /** Another value is a refusal. */
  readonly set: Values;
}

/** How one message is answered. */
interface Rule {
  /** Undefined: by its own reply. */
  readonly with: string | undefined;
  readonly copy: CopyDeclaration;
  readonly set: Values;
  readonly framed: boolean;
  /** The field of the answer that holds the time. */
  readonly time: string | undefined;
}

const NO_COPY: CopyDeclaration = {};
const NO_VALUES: Values = {};

/** What a protocol answers by rule, in either direction. */
export class Answers {
  readonly #encoder: Encoder;
  readonly #messages: ReadonlyMap<string, MessageDeclaration>;
  readonly #logins: ReadonlyMap<string, LoginDeclaration>;
  readonly #rules = new Map<string, Rule>();
  readonly #acknowledgements = new Map<string, Acknowledgement>();
  readonly #answering = new Set<string>();
  readonly #sequence: SequenceRule | undefined;

  constructor(encoder: Encoder) {
    const { declaration } = encoder;
    const { session, answers = [], messages } = declaration;
    this.#encoder = encoder;
    this.#messages = new Map(messages.map((each) => [each.name, each]));
    this.#logins = new Map(session?.login?.map((login) => [login.message, login]));
    this.#sequence = SequenceRule.of(declaration);
    const { heartbeat, time } = session ?? {};
    if (heartbeat !== undefined && heartbeat.from !== 'host') this.#add(heartbeat.message, heartbeat);
    if (time !== undefined) this.#add(time.message, time, time.field);
    for (const { name, reply, from } of messages) {
      if (typeof reply !== 'object' || (reply.copy === undefined && reply.set === undefined)) continue;
      if (from !== 'host') this.#add(name, reply);
    }
    for (const rule of answers) for (const name of answered(rule, declaration)) this.#addRule(name, rule);
  }

  /** Who a message says its sender is; undefined of a message that is no login. */
  identityOf(message: DeclaredMessage): string | undefined {
    const login = this.#loginBy(message);
    if (login === undefined) return undefined;
    return identityText(valueIn(message.fields, login.identity));
  }

  /** The answer to a login; undefined where none is declared. */
  toLogin(message: DeclaredMessage, accepted: boolean, ports: AnswerPorts): Answer | undefined {
    const login = this.#loginBy(message);
    if (login === undefined || (!accepted && login.refuse === undefined)) return undefined;
    const own = this.#messages.get(message.message)?.reply;
    const reply = typeof own === 'object' && login.answer === undefined ? own : undefined;
    if (login.answer === undefined && (own ?? 'none') === 'none') return undefined;
    const rule = {
      with: login.answer,
      copy: { ...reply?.copy, ...login.copy },
      set: { ...reply?.set, ...login.set, ...(accepted ? login.accept : login.refuse) },
      framed: true,
      time: undefined,
    };
    return this.#make(rule, message, ports, accepted ? 0 : -1);
  }

  /** The answer to another message of the device; undefined where it has none. */
  to(message: DeclaredMessage, ports: AnswerPorts): Answer | undefined {
    if (this.#rules.size === 0 || message.kind === 'reply' || this.#loginBy(message) !== undefined)
      return undefined;
    const rule = this.#rules.get(message.message);
    return rule && this.#make(rule, message, ports, 0);
  }

  /** Whether a message of the device has an answer. */
  isAnswered(name: string): boolean {
    return this.#rules.has(name);
  }

  /** Whether the answer to a message of the device repeats this field of it. */
  repeats(name: string, field: string): boolean {
    const copy = this.#logins.get(name)?.copy ?? this.#rules.get(name)?.copy ?? NO_COPY;
    const { reply } = this.#messages.get(name) ?? {};
    const own = typeof reply === 'object' ? (reply.copy ?? NO_COPY) : NO_COPY;
    return [copy, own].some((each) => Object.values(each).includes(field));
  }

  /** Whether a message of the device is part of its session, and answered before the device is known. */
  isSessionMessage(name: string): boolean {
    const { heartbeat, time } = this.#encoder.declaration.session ?? {};
    return name === heartbeat?.message || name === time?.message;
  }

  /** Which message answers a request of the bridge; undefined where none does by rule. */
  acknowledgementOf(request: string): Acknowledgement | undefined {
    return this.#acknowledgements.get(request);
  }

  /** Whether a message of the device may answer a request of the bridge by rule. */
  answersRequests(name: string): boolean {
    return this.#answering.has(name);
  }

  #loginBy({ message, kind }: DeclaredMessage): LoginDeclaration | undefined {
    return kind === 'reply' ? undefined : this.#logins.get(message);
  }

  #add(
    name: string,
    rule: { answer?: string | undefined; copy?: CopyDeclaration | undefined; set?: Values | undefined },
    time?: string,
  ): void {
    if (this.#rules.has(name)) return;
    const own = this.#messages.get(name)?.reply;
    if (rule.answer === undefined && typeof own !== 'object') return;
    const reply = rule.answer === undefined && typeof own === 'object' ? own : undefined;
    this.#rules.set(name, {
      with: rule.answer,
      copy: { ...reply?.copy, ...rule.copy },
      set: { ...reply?.set, ...rule.set },
      framed: true,
      time,
    });
  }

  #addRule(name: string, { with: answer, copy = NO_COPY, set = NO_VALUES, frame }: AnswerDeclaration): void {
    const { from = 'any' } = this.#messages.get(name) ?? {};
    if (from !== 'device' && answer !== undefined && !this.#acknowledgements.has(name)) {
      this.#acknowledgements.set(name, { by: answer, copy, set });
      this.#answering.add(answer);
    }
    if (from === 'host' || this.#rules.has(name) || this.#logins.has(name)) return;
    this.#rules.set(name, { with: answer, copy, set, framed: frame !== 'none', time: undefined });
  }

  #make(rule: Rule, to: DeclaredMessage, ports: AnswerPorts, error: number): Answer {
    const name = rule.with ?? to.message;
    const answer = this.#messages.get(name);
    const { reply } = answer ?? {};
    const declared = rule.with !== undefined ? answer?.fields : typeof reply === 'object' ? reply.fields : [];
    const fields: Record<string, Value | undefined> = { ...rule.set };
    for (const [own, source] of Object.entries(rule.copy)) {
      const target = declared?.find((each) => each.name === own);
      const value = copied(to, source, target, this.#encoder.declaration);
      if (value !== undefined) fields[own] = value;
    }
    if (rule.time !== undefined) fields[rule.time] = this.#time(declared, rule.time, ports);
    const counted = this.#sequence?.fieldOf(declared ?? [], rule.with === undefined ? 'reply' : 'message');
    if (counted !== undefined && fields[counted] === undefined) fields[counted] = ports.number();
    const { error: errorType } = this.#encoder.declaration;
    const code = rule.with === undefined && errorType !== undefined ? error : 0;
    try {
      const payload =
        rule.with === undefined
          ? this.#encoder.encodeReply(name, code, code === 0 ? fields : NO_VALUES)
          : this.#encoder.encode(name, fields);
      const common = { name: 'declared', message: name, fields, raw: {}, issues: [] } as const;
      const encoded = { payload, framed: rule.framed };
      return {
        message:
          rule.with === undefined
            ? { ...common, kind: 'reply', error: code, encoded }
            : { ...common, kind: 'notice', encoded },
      };
    } catch (failure) {
      if (!(failure instanceof HeartwireError)) throw failure;
      const seen = failure.seen === undefined ? '' : ` (seen: ${failure.seen})`;
      return { answer: name, problem: `${failure.message}${seen}` };
    }
  }

  #time(fields: readonly FieldDeclaration[] | undefined, name: string, ports: AnswerPorts): Value {
    const field = fields?.find((each) => each.name === name);
    if (field?.type === 'text') return ports.localTime(ports.wallMs);
    const number = field && parseNumberType(field.type, this.#encoder.declaration.byteOrder);
    if (number === undefined || field?.time !== undefined) return new Date(ports.wallMs).toISOString();
    return field?.unit === 'ms' ? Math.round(ports.wallMs) : Math.floor(ports.wallMs / 1_000);
  }
}

/** The messages to which a rule applies. */
export function answered(
  { to }: AnswerDeclaration,
  { messages, answers = [] }: ProtocolDeclaration,
): readonly string[] {
  if (to !== 'any') return to;
  // What answers something itself is not answered again.
  const answering = new Set(answers.map((each) => each.with));
  return messages
    .filter(({ name, from, reply = 'none' }) => from !== 'host' && reply === 'none' && !answering.has(name))
    .map(({ name }) => name);
}

/** The longest identity, in characters. */
const LONGEST_IDENTITY = 64;

/** An identity as text; undefined of what names no device. */
export function identityText(value: Value | undefined): string | undefined {
  const text = plainText(value)?.trim();
  return text === undefined || text === '' || text.length > LONGEST_IDENTITY ? undefined : text;
}

function plainText(value: Value | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return isValues(value) && '$bytes' in value ? hexOf(value) : undefined;
}

function hexOf(value: Value): string | undefined {
  const bytes = bytesOf(value);
  return bytes && Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What a field of an answer repeats of a message. */
function copied(
  { fields, raw, id }: DeclaredMessage,
  source: string,
  target: FieldDeclaration | undefined,
  { byteOrder }: ProtocolDeclaration,
): Value | undefined {
  const value = valueIn(fields, source);
  if (value === undefined) return source === 'id' || source === 'message_id' ? id : undefined;
  if (target === undefined) return value;
  if (target.type === 'text' && typeof value !== 'string') return plainText(value);
  // Where the two are scaled or named differently, the number on the wire is what they share.
  const plain = target.scale === undefined && target.offset === undefined && target.enum === undefined;
  const number = plain && target.bits === undefined && parseNumberType(target.type, byteOrder) !== undefined;
  return number ? (valueIn(raw, source) ?? value) : value;
}

/** The value at a path of names with dots between them. */
export function valueIn(values: Values, path: string): Value | undefined {
  let found: Value | undefined = values;
  for (const name of path.split('.')) found = isValues(found) ? ownValue(found, name) : undefined;
  return found;
}
