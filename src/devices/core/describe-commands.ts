import type { DeclarationDocument } from '../../contract/feed/index.ts';
import {
  type FieldDeclaration,
  holdsOf,
  type MessageDeclaration,
  type ProtocolDeclaration,
} from '../../protocol/index.ts';

export type CommandDescription = NonNullable<DeclarationDocument['commands']>[string];
type FieldDescription = CommandDescription['fields'][number];
type Enums = ProtocolDeclaration['enums'];

/** What a device may be sent: what each command takes, as a form needs to know it. */
export function describeCommands(
  messages: readonly MessageDeclaration[],
  enums: Enums,
): Readonly<Record<string, CommandDescription>> {
  return Object.fromEntries(
    messages.flatMap((message) =>
      message.from === 'device' ? [] : [[message.name, describeCommand(message, enums)] as const],
    ),
  );
}

function describeCommand(message: MessageDeclaration, enums: Enums): CommandDescription {
  const { label, group, description, from, fields = [], reply = 'none', confirms = {} } = message;
  return {
    ...(label === undefined ? {} : { label }),
    ...(group === undefined ? {} : { group }),
    ...(description === undefined ? {} : { description }),
    ...(from === 'host' ? {} : { either: true as const }),
    fields: fields.flatMap((field) => describeField(field, confirms, enums)),
    reply: typeof reply === 'object' ? 'fields' : reply,
  };
}

function describeField(
  field: FieldDeclaration,
  confirms: NonNullable<MessageDeclaration['confirms']>,
  enums: Enums,
): FieldDescription[] {
  const { name, value, unit, label, description, range, when, optional } = field;
  // What stands there always is not asked for.
  if (name === undefined || value !== undefined || field.type === 'crc') return [];
  const choices = choicesOf(field, enums);
  const confirm = Object.hasOwn(confirms, name) ? confirms[name] : undefined;
  const [least, greatest] = range ?? [null, null];
  const type = choices === undefined ? typeOf(field) : 'choice';
  const decimals = type === 'number' ? decimalsOf(field) : undefined;
  return [
    {
      name,
      type,
      ...(label === undefined ? {} : { label }),
      ...(description === undefined ? {} : { description }),
      ...(unit === undefined ? {} : { unit }),
      ...(least === null ? {} : { least }),
      ...(greatest === null ? {} : { greatest }),
      ...(decimals === undefined ? {} : { decimals }),
      ...(choices === undefined ? {} : { choices }),
      ...(when === undefined && optional !== true ? {} : { optional: true as const }),
      ...(confirm === undefined ? {} : { shown_by: typeof confirm === 'string' ? confirm : confirm.field }),
    },
  ];
}

function choicesOf({ enum: declared }: FieldDeclaration, enums: Enums): readonly string[] | undefined {
  const values =
    typeof declared === 'string' ? (Object.hasOwn(enums, declared) ? enums[declared] : undefined) : declared;
  return values === undefined ? undefined : [...new Set(Object.values(values))];
}

function typeOf({ type, time, as, bits = [] }: FieldDeclaration): FieldDescription['type'] {
  if (bits.length > 0) return 'json';
  if (time !== undefined) return 'time';
  if (as === 'text') return 'text';
  const holds = holdsOf(type);
  if (holds === 'nothing') return 'number';
  return holds === 'list' || holds === 'group' ? 'json' : holds;
}

/** How many digits behind the point a number can have; undefined where that is open, as in a float. */
export function decimalsOf({
  type,
  scale = 1,
  offset = 0,
  decimals,
  time,
  as,
}: FieldDeclaration): number | undefined {
  if (decimals !== undefined) return decimals;
  if (time !== undefined || as === 'text' || typeof scale !== 'number') return undefined;
  if (!/^(?:[iu]\d+|bcd|varint)/.test(type)) return undefined;
  const places = Math.max(placesOf(scale), placesOf(offset));
  return places > MOST_PLACES ? undefined : places;
}

/** Finer scales are no decimal ones, such as a part of 1,800,000. */
const MOST_PLACES = 9;

function placesOf(value: number): number {
  const [, fraction = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  return Math.max(0, fraction.length - Number(exponent));
}
