import {
  ADDRESS_KEYS,
  type AddressDeclaration,
  ANSWER_KEYS,
  type AnswerDeclaration,
  DEFAULT_PROTOCOL,
  type ExchangeDeclaration,
  type FieldDeclaration,
  FRAMINGS,
  type FramingDeclaration,
  MESSAGE_KEYS,
  type MessageDeclaration,
  PROTOCOL_KEYS,
  type ProtocolDeclaration,
  type SelectorPart,
} from '../../protocol/index.ts';
import { withMessages } from './framing-with-messages.ts';
import { type IdShape, placeOf } from './id-field.ts';
import { declareKeys } from './keys.ts';
import type { FileShape } from './shape.ts';

/** The declaration that a file means; defaults are filled in. */
export function declareProtocol(
  file: FileShape,
  framing: FramingDeclaration | undefined,
  messages: readonly Readonly<Record<string, unknown>>[],
): ProtocolDeclaration {
  const { protocol, enums = {}, errors = {}, answers } = file;
  const plain = framing ?? DEFAULT_PROTOCOL.framing;
  const selector = selectorOf(protocol?.id);
  const id =
    selector !== undefined
      ? undefined
      : protocol?.id === undefined
        ? framing === undefined
          ? DEFAULT_PROTOCOL.id
          : undefined
        : placeOf(protocol.id);
  const error =
    protocol?.error ?? (plain.type === 'length' && id !== undefined ? DEFAULT_PROTOCOL.error : 'none');
  const byteOrder = protocol?.byte_order ?? DEFAULT_PROTOCOL.byteOrder;
  const exchange = declareKeys(
    PROTOCOL_KEYS,
    protocol ?? {},
    byteOrder,
  ) as ExchangeDeclaration<FieldDeclaration>;
  // A framing with an id of its own has a number, whatever the protocol has.
  const hasNumber = ({ framing: name }: MessageDeclaration): boolean =>
    plain.type === 'several' &&
    plain.kinds.find((kind, index) => (name === undefined ? index === 0 : kind.name === name))?.id !==
      undefined;
  const declared = messages.map((message) => {
    const own = declareKeys(MESSAGE_KEYS, message, byteOrder) as MessageDeclaration;
    return withId(own, selector !== undefined && !hasNumber(own));
  });
  const usual = withMessages(plain, id, byteOrder, declared);
  const several = usual.type === 'several';
  return {
    ...exchange,
    byteOrder,
    framing: usual,
    maxFrame: maxFrameOf(usual),
    ...(id === undefined || several ? {} : { id }),
    ...(selector === undefined ? {} : { selector }),
    ...(protocol?.zero_tail === undefined ? {} : { zeroTail: protocol.zero_tail }),
    ...(protocol?.address === undefined ? {} : { address: addressOf(protocol.address, byteOrder) }),
    ...(error === 'none' || several ? {} : { error }),
    // A name in the place of an enum's values is refused by the lint, as an enum with a value "0".
    enums: Object.fromEntries(
      Object.entries(enums).map(([name, values]) => [name, typeof values === 'string' ? {} : values]),
    ),
    errors,
    messages: declared.map((message) => withPartFields(message, declared)),
    ...(answers === undefined
      ? {}
      : {
          answers: answers.map((answer) => declareKeys(ANSWER_KEYS, answer, byteOrder) as AnswerDeclaration),
        }),
  };
}

/** A group has the fields of its parts, each of which may be missing in one of them. */
function withPartFields(message: MessageDeclaration, all: readonly MessageDeclaration[]): MessageDeclaration {
  const { assemble } = message;
  if (assemble === undefined) return message;
  const parts = all.filter(({ name }) => assemble.parts.includes(name));
  const fields = new Map(
    parts.flatMap((part) =>
      (part.fields ?? []).map((field) => [field.name, { ...field, optional: true }] as const),
    ),
  );
  return { ...message, fields: [...fields.values()] };
}

type GivenId = NonNullable<NonNullable<FileShape['protocol']>['id']>;

/** The places of ids that are no single number. */
function selectorOf(given: GivenId | undefined): readonly SelectorPart[] | undefined {
  if (given === undefined || typeof given === 'string') return undefined;
  const list = Array.isArray(given) ? (given as readonly IdShape[]) : [given as IdShape];
  const [first] = list;
  if (list.length === 1 && first?.type !== 'text' && first?.bits === undefined) return undefined;
  return list.map(({ type, at = 0, bits, length, until }) => ({
    type,
    at,
    bits,
    length,
    until: until === undefined ? undefined : new TextEncoder().encode(until),
  }));
}

/** A message with its id where the protocol has it: as a number, or as what its selector compares. */
function withId(message: MessageDeclaration, selected: boolean): MessageDeclaration {
  const { id, ...others } = message;
  const given: unknown = id;
  if (given === undefined || (typeof given === 'number' && !selected)) return message;
  const selects = (Array.isArray(given) ? given : [given]) as readonly (number | string)[]; // as its shape lets pass
  return { ...others, selects };
}

function addressOf(
  given: Readonly<Record<string, unknown>>,
  byteOrder: ProtocolDeclaration['byteOrder'],
): AddressDeclaration {
  return { at: 0, ...declareKeys<typeof ADDRESS_KEYS>(ADDRESS_KEYS, given, byteOrder) } as AddressDeclaration; // as its shape lets pass
}

function maxFrameOf(framing: FramingDeclaration): number {
  if (framing.type === 'several')
    return Math.max(0, ...framing.kinds.map((kind) => maxFrameOf(kind.framing)));
  if (framing.type === 'fixed') return framing.length;
  return framing.maxFrame ?? FRAMINGS[framing.type].keys.max_frame.default;
}
