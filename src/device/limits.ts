import type { FieldDeclaration, MessageDeclaration, Range } from '../protocol/declared/declaration.ts';

/** How far a value is outside its limits. */
export type Level = 'good' | 'warn' | 'alarm';
export type Direction = 'above' | 'below';

/** A value held against its limits. */
export interface Judgement {
  readonly level: Level;
  /** The limit that is exceeded, and to which side; absent where the value is good. */
  readonly crossed?: { readonly limit: number; readonly direction: Direction };
}

/** One declared field with limits, or with a raw value that says "no value". */
export interface WatchedField {
  /** From the message to the field, through structures. */
  readonly path: readonly string[];
  /** `message.field`, as in `quality`. */
  readonly name: string;
  readonly unit?: string;
  /** An array of numbers: its worst element counts. */
  readonly many: boolean;
  /** It is absent from a message only if its raw value says "no value". */
  readonly tellsInvalid: boolean;
  readonly warn?: Range;
  readonly alarm?: Range;
}

const GOOD: Judgement = { level: 'good' };

/** The fields of a message that are watched; those of its reply where it answers with fields. */
export function watchedFields(message: MessageDeclaration): readonly WatchedField[] {
  const { reply } = message;
  const replied = typeof reply === 'object' ? reply.fields : [];
  return [...(message.fields ?? []), ...replied].flatMap((field) => watched(field, [message.name]));
}

function watched(field: FieldDeclaration, above: readonly string[]): WatchedField[] {
  const { name, type, fields = [], of } = field;
  if (name === undefined) return [];
  const path = [...above, name];
  if (type === 'struct') return fields.flatMap((each) => watched(each, path));
  const many = type === 'array';
  const { limits, unit, invalid } = many ? (of ?? field) : field;
  const tellsInvalid = !many && invalid !== undefined && field.when === undefined;
  if (limits === undefined && !tellsInvalid) return [];
  return [
    {
      path: path.slice(1),
      name: path.join('.'),
      many,
      tellsInvalid,
      ...(unit === undefined ? {} : { unit }),
      ...(limits?.warn === undefined ? {} : { warn: limits.warn }),
      ...(limits?.alarm === undefined ? {} : { alarm: limits.alarm }),
    },
  ];
}

/** A value that stands on a limit is good. */
export function judge({ warn, alarm }: Pick<WatchedField, 'warn' | 'alarm'>, value: number): Judgement {
  const crossed = crossing(alarm, value);
  if (crossed !== undefined) return { level: 'alarm', crossed };
  const doubtful = crossing(warn, value);
  return doubtful === undefined ? GOOD : { level: 'warn', crossed: doubtful };
}

function crossing(range: Range | undefined, value: number): Judgement['crossed'] {
  if (range === undefined) return undefined;
  const least = range[0];
  const greatest = range[1];
  if (least !== null && value < least) return { limit: least, direction: 'below' };
  if (greatest !== null && value > greatest) return { limit: greatest, direction: 'above' };
  return undefined;
}

/** The greater of two levels. */
export function isWorse(one: Level, other: Level): boolean {
  return RANK[one] > RANK[other];
}

const RANK: Readonly<Record<Level, number>> = { good: 0, warn: 1, alarm: 2 };
