import type { DeclarationDocument } from '../../contract/feed/index.ts';
import {
  CRC_64_XZ,
  type FieldDeclaration,
  fieldsWithin,
  type MessageDeclaration,
  makeWideCrc,
  wideChecksumOf,
} from '../../protocol/index.ts';

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

/** What the values of these messages mean. */
export function describeMessages(messages: readonly MessageDeclaration[]): MessagesDescription {
  const before = known.get(messages);
  if (before !== undefined) return before;
  const fields = Object.fromEntries(messages.flatMap(fieldsOf));
  const named = messages.flatMap(({ name, label, group }) =>
    label === undefined && group === undefined ? [] : [[name, forPeople({ label, group })] as const],
  );
  const document: DeclarationDocument =
    named.length === 0 ? { fields } : { fields, messages: Object.fromEntries(named) };
  const key = wideChecksumOf(crc, utf8.encode(JSON.stringify(document))).toString(36);
  const description = { key, document };
  known.set(messages, description);
  return description;
}

interface ForPeople {
  readonly label?: string | undefined;
  readonly group?: string | undefined;
  readonly unit?: string | undefined;
}

/** What of it is given. */
const forPeople = ({ unit, label, group }: ForPeople): DeclarationDocument['fields'][string] => ({
  ...(unit === undefined ? {} : { unit }),
  ...(label === undefined ? {} : { label }),
  ...(group === undefined ? {} : { group }),
});

type Entry = readonly [path: string, description: DeclarationDocument['fields'][string]];

function fieldsOf({ name, fields = [], reply, group, into }: MessageDeclaration): Entry[] {
  const replied = typeof reply === 'object' ? reply.fields : [];
  // Of a command, what it takes is described under its own name.
  const above = into === false || into === undefined ? name : into;
  return [...fields, ...replied].flatMap((field) => described(field, above, group));
}

/** A field, and those within it; the elements of a list have the path of the list, and parts the group of the whole. */
function described(field: FieldDeclaration, above: string, around: string | undefined): Entry[] {
  const { name, type, unit, label, group = around, bits = [], of, value } = field;
  // What stands there always is no value.
  if (name === undefined || value !== undefined || type === 'crc') return [];
  const path = `${above}.${name}`;
  if (type === 'array')
    return of === undefined ? [] : described({ ...of, name, label: label ?? of.label }, above, group);
  return [
    [path, forPeople({ unit, label, group })],
    ...bits.map(
      (bit): Entry => [`${path}.${bit.name}`, forPeople({ unit: bit.unit, label: bit.label, group })],
    ),
    ...fieldsWithin(field).flatMap((each) => described(each, path, group)),
  ];
}
