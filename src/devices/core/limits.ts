import type { Direction, Level } from '../../contract/feed/topic-documents.ts';
import type { FieldDeclaration, MessageDeclaration, Range } from '../../protocol/declared/declaration.ts';
import { marginOf } from '../../protocol/declared/quantity.ts';

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
  readonly limits: readonly Limit[];
}

/** One bound of a value, with the level that holds beyond it. */
export interface Limit {
  readonly level: Exclude<Level, 'good'>;
  readonly limit: number;
  readonly direction: Direction;
  /** So far within the limit the value is good again. */
  readonly hysteresis: number;
  /** A value is beyond, or good again, once it has been so for so long. */
  readonly forMs: number;
}

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
      limits: limits === undefined ? [] : limitsOf(limits, unit),
    },
  ];
}

/** The worst first; below before above. */
function limitsOf(
  { warn, alarm, hysteresis, forMs = 0 }: NonNullable<FieldDeclaration['limits']>,
  unit: string | undefined,
): Limit[] {
  const around = { hysteresis: hysteresis === undefined ? 0 : marginOf(hysteresis, unit), forMs };
  const both = (level: Limit['level'], [least, greatest]: Range): Limit[] => [
    ...(least === null ? [] : [{ level, limit: least, direction: 'below' as const, ...around }]),
    ...(greatest === null ? [] : [{ level, limit: greatest, direction: 'above' as const, ...around }]),
  ];
  return [
    ...(alarm === undefined ? [] : both('alarm', alarm)),
    ...(warn === undefined ? [] : both('warn', warn)),
  ];
}
