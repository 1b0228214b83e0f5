import type { DeclarationDocument } from '../../contract/feed/index.ts';
import {
  CRC_64_XZ,
  type FieldDeclaration,
  fieldsWithin,
  type MessageDeclaration,
  makeWideCrc,
  type ProtocolDeclaration,
  wideChecksumOf,
} from '../../protocol/index.ts';
import { decimalsOf, describeCommands } from './describe-commands.ts';

/** The fields of some messages; all devices that speak the same messages have the same key. */
export interface MessagesDescription {
  /** Made of the document: another document has another key. */
  readonly key: string;
  readonly document: DeclarationDocument;
}

const crc = makeWideCrc(CRC_64_XZ);
const utf8 = new TextEncoder();
/** Very many devices share one list of messages, which never changes. */
const known = new WeakMap<readonly MessageDeclaration[], MessagesDescription>();

type Spoken = Pick<ProtocolDeclaration, 'messages' | 'enums'>;

/** What the values of these messages mean, and what a device that speaks them may be sent. */
export function describeMessages({ messages, enums }: Spoken): MessagesDescription {
  const before = known.get(messages);
  if (before !== undefined) return before;
  const fields = Object.fromEntries(messages.flatMap(fieldsOf));
  const named = messages.flatMap(({ name, label, group }) =>
    label === undefined && group === undefined ? [] : [[name, forPeople({ label, group })] as const],
  );
  const commands = describeCommands(messages, enums);
  const document: DeclarationDocument = {
    fields,
    ...(named.length === 0 ? {} : { messages: Object.fromEntries(named) }),
    ...(Object.keys(commands).length === 0 ? {} : { commands }),
  };
  const key = wideChecksumOf(crc, utf8.encode(JSON.stringify(document))).toString(36);
  const description = { key, document };
  known.set(messages, description);
  return description;
}

interface ForPeople {
  readonly label?: string | undefined;
  readonly group?: string | undefined;
  readonly unit?: string | undefined;
  readonly decimals?: number | undefined;
  readonly limits?: FieldDeclaration['limits'] | undefined;
}

/** What of it is given. */
const forPeople = ({
  unit,
  label,
  group,
  decimals,
  limits = {},
}: ForPeople): DeclarationDocument['fields'][string] => ({
  ...(unit === undefined ? {} : { unit }),
  ...(label === undefined ? {} : { label }),
  ...(group === undefined ? {} : { group }),
  ...(decimals === undefined ? {} : { decimals }),
  ...(limits.warn === undefined ? {} : { warn: bounds(limits.warn) }),
  ...(limits.alarm === undefined ? {} : { alarm: bounds(limits.alarm) }),
});

const bounds = ([least, greatest]: readonly [number | null, number | null]): {
  readonly least?: number;
  readonly greatest?: number;
} => ({ ...(least === null ? {} : { least }), ...(greatest === null ? {} : { greatest }) });

type Entry = readonly [path: string, description: DeclarationDocument['fields'][string]];

function fieldsOf({ name, fields = [], reply, group, into }: MessageDeclaration): Entry[] {
  const replied = typeof reply === 'object' ? reply.fields : [];
  // Of a command, what it takes is described under its own name.
  const above = into === false || into === undefined ? name : into;
  return [...fields, ...replied].flatMap((field) => described(field, above, group));
}

/** A field, and those within it; the elements of a list have the path of the list, and parts the group of the whole. */
function described(field: FieldDeclaration, above: string, around: string | undefined): Entry[] {
  const { name, type, unit, label, group = around, bits = [], of, value, limits } = field;
  // What stands there always is no value.
  if (name === undefined || value !== undefined || type === 'crc') return [];
  const path = `${above}.${name}`;
  if (type === 'array')
    return of === undefined ? [] : described({ ...of, name, label: label ?? of.label }, above, group);
  return [
    [path, forPeople({ unit, label, group, decimals: shownDecimals(field), limits })],
    ...bits.map((bit): Entry => {
      const { unit, label, limits } = bit;
      return [`${path}.${bit.name}`, forPeople({ unit, label, group, limits })];
    }),
    ...fieldsWithin(field).flatMap((each) => described(each, path, group)),
  ];
}

/** Those of a number with a scale; a whole number says by itself that it has none. */
function shownDecimals(field: FieldDeclaration): number | undefined {
  const decimals = decimalsOf(field) ?? stepDecimals(field);
  return decimals === 0 ? undefined : decimals;
}

/** Of a scale that no decimals end, such as a part of 1,800,000: as many as tell two neighbours apart. */
function stepDecimals({ type, scale, time, as }: FieldDeclaration): number | undefined {
  const isWhole = /^(?:[iu]\d+|bcd|varint)/.test(type);
  if (!isWhole || time !== undefined || as === 'text' || typeof scale !== 'number') return undefined;
  const size = Math.abs(scale);
  return size > 0 && size < 1 ? Math.min(Math.ceil(-Math.log10(size)), 15) : undefined;
}
