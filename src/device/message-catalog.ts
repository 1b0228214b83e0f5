import { type ErrorCode, HeartwireError } from '../errors.ts';
import type { FieldDeclaration, MessageDeclaration } from '../protocol/declared/declaration.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import { parseNumberType } from '../protocol/declared/number-type.ts';
import { marginOf } from '../protocol/declared/quantity.ts';
import { ownValue, type Value, type Values } from '../protocol/declared/value.ts';
import type { DeclaredMessage, Message } from '../protocol/message.ts';
import type { Confirmation } from './confirmation.ts';

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
}

/** A request by name and fields, or why there is none. */
export type Prepared =
  | { readonly ok: true; readonly request: OutgoingRequest }
  | { readonly ok: false; readonly code: ErrorCode; readonly detail: string };

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
    const declaration = this.declaration(name);
    if (declaration === undefined) {
      const known = this.declarations.filter(({ from }) => from !== 'device').map((each) => each.name);
      const list = known.length === 0 ? 'none is declared from the host' : `declared are ${known.join(', ')}`;
      return { ok: false, code: 'message_unknown', detail: `there is no message ${name}; ${list}` };
    }
    if (declaration.from === 'device') {
      const detail = `${name} comes from the device: it is declared with \`from: device\``;
      return { ok: false, code: 'request_not_allowed', detail };
    }
    const message = this.#asSent(name, fields);
    if (message.name !== 'declared') return message;
    const awaitsReply = (declaration.reply ?? 'none') !== 'none';
    return {
      ok: true,
      request: { name, message, awaitsReply, confirms: this.#confirmations(declaration, message.fields) },
    };
  }

  /** The message with the values that its bytes carry: rounded, checked, nothing left out. */
  #asSent(name: string, fields: Values): DeclaredMessage | (Prepared & { ok: false; name?: undefined }) {
    try {
      const payload = this.protocol.encode(name, fields);
      const message = this.protocol.decode(payload, 0, payload.length, 'host');
      if (message.name === 'declared' && message.message === name) return message;
      const detail = `${name} with these fields would be read as another message`;
      return { ok: false, code: 'bad_field_value', detail };
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      const seen = error.seen === undefined ? '' : ` (seen: ${error.seen})`;
      return { ok: false, code: error.code, detail: `${error.message}${seen}` };
    }
  }

  #confirmations({ fields: own = [], confirms = {} }: MessageDeclaration, fields: Values): Confirmation[] {
    return Object.entries(confirms).flatMap(([name, shown]) => {
      const value = ownValue(fields, name);
      const { field, within } = typeof shown === 'string' ? { field: shown } : shown;
      const [message = '', ...path] = field.split('.');
      if (value === undefined || value === null) return [];
      const target = fieldAt(this.declaration(message)?.fields, path);
      const tolerance =
        within === undefined
          ? this.#rounding(
              own.find((each) => each.name === name),
              target,
              value,
            )
          : marginOf(within, target?.unit);
      return [{ message, path, value, tolerance }];
    });
  }

  /** How far a command and a state that agree may be apart, because each is written in steps of its own. */
  #rounding(own: FieldDeclaration | undefined, shown: FieldDeclaration | undefined, value: Value): number {
    const [from, to] = [own, shown].map(
      (field) => field && parseNumberType(field.type, this.protocol.declaration.byteOrder),
    );
    const scaled = to?.kind === 'int' && shown?.scale !== undefined ? Math.abs(shown.scale) / 2 : 0;
    const single = [from, to].some((type) => type?.kind === 'float' && type.bytes === 4);
    return scaled + (single && typeof value === 'number' ? Math.abs(value) * SINGLE_STEP : 0);
  }
}

/** The distance of two neighbours among numbers of four bytes, as a share of them. */
const SINGLE_STEP = 2 ** -23;

function fieldAt(
  fields: readonly FieldDeclaration[] | undefined,
  [first, ...rest]: readonly string[],
): FieldDeclaration | undefined {
  const found = fields?.find(({ name }) => name === first);
  return rest.length === 0 ? found : fieldAt(found?.fields, rest);
}

/** The name by which the slot and the reply of a request are known. */
export const nameOf = (message: Message): string =>
  message.name === 'declared' ? message.message : message.name;
