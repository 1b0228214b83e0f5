import {
  DEFAULT_PROTOCOL,
  type Extent,
  type FieldDeclaration,
  type LimitsDeclaration,
  type MessageDeclaration,
  type ProtocolDeclaration,
} from '../../protocol/declared/declaration.ts';
import { DEFAULT_MAX_PAYLOAD, type FramingDeclaration } from '../../protocol/framing/declaration.ts';
import type { FieldShape } from './field-shape.ts';
import type { FileShape, MessageShape } from './shape.ts';

/** The declaration that a file means; defaults are filled in. */
export function declareProtocol(
  file: FileShape,
  framing: FramingDeclaration | undefined,
  messages: readonly MessageShape[],
): ProtocolDeclaration {
  const { protocol, enums = {}, errors = {} } = file;
  const usual = framing ?? DEFAULT_PROTOCOL.framing;
  const id =
    protocol?.id === undefined
      ? framing === undefined
        ? DEFAULT_PROTOCOL.id
        : undefined
      : typeof protocol.id === 'string'
        ? { type: protocol.id, at: 0 }
        : { type: protocol.id.type, at: protocol.id.at ?? 0 };
  const error =
    protocol?.error ?? (usual.type === 'length' && id !== undefined ? DEFAULT_PROTOCOL.error : 'none');
  return {
    byteOrder: protocol?.byte_order ?? DEFAULT_PROTOCOL.byteOrder,
    framing: usual,
    maxFrame: maxFrameOf(usual),
    ...(id === undefined ? {} : { id }),
    ...(error === 'none' ? {} : { error }),
    // A name in the place of an enum's values is refused by the lint, as an enum with a value "0".
    enums: Object.fromEntries(
      Object.entries(enums).map(([name, values]) => [name, typeof values === 'string' ? {} : values]),
    ),
    errors,
    messages: messages.map(declareMessage),
  };
}

function maxFrameOf(framing: FramingDeclaration): number {
  if (framing.type === 'fixed') return framing.length;
  return framing.maxFrame ?? DEFAULT_MAX_PAYLOAD[framing.type];
}

function declareMessage({ every, reply, fields, rejects, ...rest }: MessageShape): MessageDeclaration {
  return {
    ...defined(rest),
    name: rest.name,
    ...(every === undefined ? {} : { everyMs: every }),
    ...(rejects === undefined ? {} : { rejects: { ...defined(rejects), request: rejects.request } }),
    ...(reply === undefined
      ? {}
      : { reply: typeof reply === 'string' ? reply : { fields: reply.fields.map(declareField) } }),
    ...(fields === undefined ? {} : { fields: fields.map(declareField) }),
  };
}

function declareField({
  byte_order,
  of,
  fields,
  bits,
  limits,
  when,
  length,
  count,
  ...rest
}: FieldShape): FieldDeclaration {
  return {
    ...defined(rest),
    type: rest.type,
    ...(byte_order === undefined ? {} : { byteOrder: byte_order }),
    ...(of === undefined ? {} : { of: declareField(of) }),
    ...(fields === undefined ? {} : { fields: fields.map(declareField) }),
    ...(bits === undefined
      ? {}
      : { bits: bits.map((bit) => ({ ...defined(bit), name: bit.name, at: bit.at })) }),
    ...(limits === undefined ? {} : { limits: declareLimits(limits) }),
    ...(when === undefined ? {} : { when: { ...defined(when), field: when.field } }),
    ...(length === undefined ? {} : { length: length as Extent }), // any text may be tried as a type
    ...(count === undefined ? {} : { count: count as Extent }),
  };
}

function declareLimits({ for: lasting, ...rest }: NonNullable<FieldShape['limits']>): LimitsDeclaration {
  return { ...defined(rest), ...(lasting === undefined ? {} : { forMs: lasting }) };
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without keys that hold nothing. */
function defined<T extends object>(value: T): Partial<Defined<T>> {
  // What is left of each key is what it may hold, but for undefined.
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Partial<
    Defined<T>
  >;
}
