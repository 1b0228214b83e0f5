import { z } from 'zod';
import { table } from '../../contract/feed/index.ts';
import { FRAMING_TYPES } from '../../protocol/index.ts';
import { messagesJsonSchema, registersJsonSchema } from './json-schema.ts';
import { shapeOfFraming } from './read-framing.ts';

/** As much of JSON Schema as a table shows. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly description?: string;
  readonly default?: unknown;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

type Row = readonly [key: string, preset: string, meaning: string];

/** Every described key of a schema, dotted below its group, with its default. `closed` groups are not opened. */
function rowsOf(schema: Schema | undefined, closed: readonly string[], list = '', path = ''): readonly Row[] {
  return Object.entries(schema?.properties ?? {}).flatMap(([key, value]) => {
    const { default: preset, description } = value;
    const shown =
      preset === undefined ? '' : `\`${typeof preset === 'string' ? preset : JSON.stringify(preset)}\``;
    const own: readonly Row[] =
      description === undefined ? [] : [[`\`${path}${key}\``, shown, description] as const];
    if (closed.includes(key)) return own;
    const inner = [value, ...(value.anyOf ?? [])].flatMap((each) =>
      rowsOf(each, closed, list, `${path}${key}.`),
    );
    return [...own, ...inner, ...rowsOf(value.items, closed, list, `${path}${key}${list}.`)];
  });
}

const keyTable = (rows: readonly Row[]): string =>
  table(['key', 'default', 'meaning'], [...new Map(rows.map((row) => [row.join(), row])).values()]);

// All are JSON Schema by the declaration of zod.
const fileSchema = (): Schema => messagesJsonSchema() as Schema;
const mapSchema = (): Schema => registersJsonSchema() as Schema;
const framingSchema = (type: (typeof FRAMING_TYPES)[number]): Schema =>
  z.toJSONSchema(shapeOfFraming(type), { io: 'input', unrepresentable: 'any' }) as Schema;

/** The tables of docs/reference/messages.md and docs/reference/framings.md, by name. */
export const MESSAGES_TABLES: Readonly<Record<string, () => string>> = {
  'keys of the file': () => keyTable(rowsOf(fileSchema(), ['framing', 'messages'])),
  'keys of a register map': () => keyTable(rowsOf(mapSchema(), ['registers'])),
  'keys of a register': () => keyTable(rowsOf(mapSchema().properties?.registers?.items, [])),
  'keys of a message': () => keyTable(rowsOf(fileSchema().properties?.messages?.items, [])),
  'keys of a field': () =>
    keyTable(Object.values(fileSchema().$defs ?? {}).flatMap((each) => rowsOf(each, []))),
  'keys of a checksum': () => {
    const { checksum } = framingSchema('length').properties ?? {};
    return keyTable(rowsOf(checksum, [], '[]', 'checksum.'));
  },
  ...Object.fromEntries(
    FRAMING_TYPES.map((type) => [
      `keys of ${type}`,
      () => keyTable(rowsOf(framingSchema(type), ['checksum'])),
    ]),
  ),
};
