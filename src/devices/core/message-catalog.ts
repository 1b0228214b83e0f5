import type { Value, Values } from '../../contract/index.ts';
import {
  agrees,
  type DeclaredMessage,
  type DeclaredProtocol,
  type FieldDeclaration,
  type Message,
  type MessageDeclaration,
  marginOf,
  ownValue,
  parseNumberType,
  prepareRequest,
  type RequestRefusal,
} from '../../protocol/index.ts';
import type { Confirmation } from './confirmation.ts';
import type { Asked } from './request-slots.ts';
import { valueAt } from './state-value.ts';

/** A message that may be sent as a request: a built-in one, or a declared one in either of its kinds. */
export type RequestMessage = Extract<Message, { kind: 'request' }> | DeclaredMessage;

/** A request that is as declared, ready to be sent. */
export interface OutgoingRequest {
  /** By which its slot and its reply are known. */
  readonly name: string;
  readonly message: RequestMessage;
  /** A reply follows; else it is done once the link has taken it. */
  readonly awaitsReply: boolean;
  /** What of the state shows that the device did it; none where nothing was declared. */
  readonly confirms: readonly Confirmation[];
  /** Values that its reply repeats. */
  readonly same: Values;
  /** What goes out of a declared message, without what surrounds it in its frame. */
  readonly payload?: Uint8Array;
  /** Its reply is declared to be the request, byte for byte. */
  readonly mirrored?: boolean;
  /** The field that holds its number, which it gets when it is sent. */
  readonly counts?: string;
  /** That number, as its reply repeats it. */
  readonly number?: number;
  /** The message that answers it by rule, instead of a reply. */
  readonly answeredBy?: string;
  /** Values of its answer; another one is a refusal. */
  readonly wants?: Values;
}

/** A request by name and fields, or why there is none. */
export type Prepared = { readonly ok: true; readonly request: OutgoingRequest } | RequestRefusal;

/** The reason that a device gives for refusing a request. */
export interface Refusal {
  /** The message that says so. */
  readonly message: string;
  /** Its code, raw, where the declaration names one; and what that is called. */
  readonly code?: Value;
  readonly name?: string;
}

const NO_VALUES: Values = {};

/** The messages that a device speaks besides the built-in ones, as a session needs to know them. */
export class MessageCatalog {
  readonly protocol: DeclaredProtocol;

  constructor(protocol: DeclaredProtocol) {
    this.protocol = protocol;
  }

  get declarations(): readonly MessageDeclaration[] {
    return this.protocol.declaration.messages;
  }

  declaration(message: string): MessageDeclaration | undefined {
    return this.protocol.message(message)?.declaration;
  }

  /** The id of a message, where the protocol has ids. */
  id(message: string): number | undefined {
    return this.protocol.message(message)?.id;
  }

  /** Checks the fields against the declaration: names, ranges, enums, lengths. */
  prepare(name: string, fields: Values): Prepared {
    const counts = this.#countedBy(name);
    if (counts !== undefined && ownValue(fields, counts) !== undefined) {
      const detail = `${name}: ${counts} is counted by the bridge; leave it out`;
      return { ok: false, code: 'bad_field_value', detail };
    }
    const first = this.protocol.sequence?.first ?? 0;
    const whole = counts === undefined ? fields : { ...fields, [counts]: first };
    const prepared = prepareRequest(this.protocol, name, whole);
    if (!prepared.ok) return prepared;
    const { declaration, message, payload } = prepared.request;
    const { replies, answers } = this.protocol;
    const { reply = 'none' } = declaration;
    const acknowledgement = reply === 'none' ? answers.acknowledgementOf(name) : undefined;
    const wants = typeof reply === 'object' ? reply.set : acknowledgement?.set;
    return {
      ok: true,
      request: {
        name,
        message,
        payload,
        awaitsReply: reply !== 'none' || acknowledgement !== undefined,
        confirms: this.#confirmations(declaration, message.fields),
        same: this.#repeatedFor(declaration, message),
        ...(replies.mirrors(name) ? { mirrored: true } : {}),
        ...(counts === undefined ? {} : { counts, number: first }),
        ...(acknowledgement === undefined ? {} : { answeredBy: acknowledgement.by }),
        ...(wants === undefined ? {} : { wants }),
      },
    };
  }

  /** The request with this number; of one without, the same. */
  numbered(request: OutgoingRequest, number: number): OutgoingRequest {
    const { counts, name, message } = request;
    if (counts === undefined || message.name !== 'declared') return request;
    const fields = { ...message.fields, [counts]: number };
    const declared = { ...message, fields };
    const { declaration } = this.protocol.message(name) ?? {};
    return {
      ...request,
      number,
      message: declared,
      payload: this.protocol.encode(name, fields),
      same: declaration === undefined ? request.same : this.#repeatedFor(declaration, declared),
    };
  }

  /** The values that the answer to a request repeats, by their names there. */
  repeated(request: DeclaredMessage): Values {
    const declaration = this.declaration(request.message);
    return declaration === undefined ? NO_VALUES : this.#repeatedFor(declaration, request);
  }

  #repeatedFor(declaration: MessageDeclaration, { fields, id }: DeclaredMessage): Values {
    const { name, reply } = declaration;
    const { replies, answers, sequence } = this.protocol;
    const own = typeof reply === 'object' ? reply : undefined;
    const acknowledgement =
      reply === undefined || reply === 'none' ? answers.acknowledgementOf(name) : undefined;
    const repeated: Record<string, Value> = {};
    const repeats = (answerField: string, value: Value | undefined): void => {
      if (value !== undefined && (value === null || typeof value !== 'object')) repeated[answerField] = value;
    };
    for (const [field, source] of Object.entries(own?.copy ?? acknowledgement?.copy ?? {})) {
      const isId = source === 'id' || source === 'message_id';
      repeats(field, valueAt(fields, source.split('.')) ?? (isId ? id : undefined));
    }
    const counts = this.#countedBy(name);
    const counted = own && sequence?.fieldOf(own.fields, 'reply');
    if (counts !== undefined && counted !== undefined) repeats(counted, fields[counts]);
    return { ...replies.repeated(name, fields), ...repeated };
  }

  /** The field of a message that holds its number. */
  #countedBy(name: string): string | undefined {
    const fields = this.declaration(name)?.fields;
    return fields === undefined ? undefined : this.protocol.sequence?.fieldOf(fields, 'message');
  }

  /** Whether one frame may be the reply to either of two requests. */
  alike(one: Asked, other: Asked): boolean {
    if (one.answeredBy !== other.answeredBy) return false;
    if (one.number !== other.number && this.#repeatsNumber(one) && this.#repeatsNumber(other)) return false;
    if (one.answeredBy !== undefined || one.message === other.message) {
      for (const name in one.same) {
        const value = other.same[name];
        if (value !== undefined && value !== one.same[name]) return false;
      }
      if (one.answeredBy !== undefined) return true;
    }
    return this.protocol.replies.alike(one.message, one.same, other.message, other.same);
  }

  /** Whether the number of a request stands in its reply where all messages have it. */
  #repeatsNumber({ message, number }: Asked): boolean {
    const reply = number === undefined ? undefined : this.declaration(message)?.reply;
    if (typeof reply !== 'object') return false;
    return this.protocol.sequence?.fieldOf(reply.fields, 'reply') !== undefined;
  }

  /** Whether a message that `rejects` may refuse this request. */
  mayRefuse({ message: name, fields }: DeclaredMessage, request: Asked): boolean {
    const refusal = this.declaration(name);
    const refused = this.declaration(request.message);
    const of = refusal?.rejects?.request;
    if (refusal === undefined || refused === undefined || of === undefined) return false;
    if (of !== 'any' && !of.includes(request.message)) return false;
    return agrees(this.protocol.replies.repeatedBy(refusal, refused, request.fields ?? NO_VALUES), fields);
  }

  /** The reason that a message gives which refuses a request. */
  refusal({ message: name, fields, raw }: DeclaredMessage): Refusal {
    const code = this.declaration(name)?.rejects?.code;
    if (code === undefined) return { message: name };
    const path = code.split('.');
    const value = valueAt(fields, path);
    const number = valueAt(raw, path);
    return {
      message: name,
      ...(value === undefined ? {} : { code: number ?? value }),
      ...(typeof value === 'string' && number !== undefined ? { name: value } : {}),
    };
  }

  #confirmations({ fields: own = [], confirms = {} }: MessageDeclaration, fields: Values): Confirmation[] {
    return Object.entries(confirms).flatMap(([name, shown]) => {
      const { field, within } = typeof shown === 'string' ? { field: shown } : shown;
      const [message = '', ...path] = field.split('.');
      const { fields: shownFields = [], reply } = this.declaration(message) ?? {};
      const replied = typeof reply === 'object' ? reply.fields : [];
      const ownPath = name.split('.');
      return leaves(valueAt(fields, ownPath)).map(([inner, value]) => {
        const target = fieldAt([...shownFields, ...replied], [...path, ...inner]);
        const tolerance =
          within === undefined
            ? this.#rounding(fieldAt(own, [...ownPath, ...inner]), target, value)
            : marginOf(within, target?.unit);
        return { message, path: [...path, ...inner], value, tolerance };
      });
    });
  }

  /** How far a command and a state that agree may be apart, because each is written in steps of its own. */
  #rounding(own: Written | undefined, shown: Written | undefined, value: Value): number {
    const [from, to] = [own, shown].map(
      (field) => field && parseNumberType(field.type, this.protocol.declaration.byteOrder),
    );
    const scale = typeof shown?.scale === 'number' ? Math.abs(shown.scale) : undefined;
    const whole = to?.kind === 'int' || shown?.type === 'bcd' || shown?.type === 'varint';
    const printed = [own, shown].map((field) => stepOf(field, scale ?? 1));
    const scaled = Math.max(whole && scale !== undefined ? scale / 2 : 0, ...printed);
    const single = [from, to].some((type) => type?.kind === 'float' && type.bytes === 4);
    return scaled + (single && typeof value === 'number' ? Math.abs(value) * SINGLE_STEP : 0);
  }
}

/** What decides in which steps a value is written; of a bit, as of a whole number. */
type Written = Pick<FieldDeclaration, 'type' | 'scale' | 'decimals' | 'unit'>;

/** Half of the last decimal with which a number is printed. */
const stepOf = (field: Written | undefined, scale: number): number =>
  field?.decimals === undefined ? 0 : (scale * 10 ** -field.decimals) / 2;

/** The distance of two neighbours among numbers of four bytes, as a share of them. */
const SINGLE_STEP = 2 ** -23;

function fieldAt(
  fields: readonly FieldDeclaration[] | undefined,
  [first, ...rest]: readonly string[],
): Written | undefined {
  const found = fields?.find(({ name }) => name === first);
  if (rest.length === 0) return found;
  const bit = rest.length === 1 ? found?.bits?.find(({ name }) => name === rest[0]) : undefined;
  return bit === undefined ? fieldAt(found?.fields, rest) : { type: 'u32', scale: bit.scale, unit: bit.unit };
}

/** The single values of a value, each with where it stands in it: those of its bits, of its fields, of its bytes. */
function leaves(value: Value | undefined): readonly (readonly [path: readonly string[], value: Value])[] {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object' || Array.isArray(value)) return [[[], value]];
  return Object.entries(value).flatMap(([name, inner]) =>
    leaves(inner).map(([path, each]) => [[name, ...path], each] as const),
  );
}

/** The name by which a request and its reply are known. */
export const nameOf = (message: Message): string =>
  message.name === 'declared' ? message.message : message.name;
