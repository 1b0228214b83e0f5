import {
  bcdSize,
  countedIn,
  type EnumDeclaration,
  type FieldDeclaration,
  type MessageDeclaration,
  type ProtocolDeclaration,
  parseBits,
  SequenceRule,
  type SplitDeclaration,
} from '../../protocol/index.ts';
import type { Command } from '../command.ts';
import { declaredIn } from '../messages.ts';

interface TypesArgs {
  readonly messages: string;
}

/** Prints TypeScript of declared messages. */
export const command: Command<TypesArgs> = {
  usage: 'types [messages]',
  describe: 'Print TypeScript types of the declared messages, for subscribers',
  place: 110,
  task: 'describe',
  examples: [['heartwire types messages.yaml > messages.d.ts', 'types of what a device sends and takes']],
  options: (yargs) =>
    yargs.positional('messages', {
      type: 'string',
      default: 'messages.yaml',
      describe: 'The messages.yaml that declares them',
    }),
  async run({ messages }, io) {
    const protocol = await declaredIn(messages, io);
    io.out(typesText(protocol.declaration, messages));
    return 0;
  },
};

/** TypeScript of the values of declared messages, as subscribers get them and as commands take them. */
function typesText(protocol: ProtocolDeclaration, source: string): string {
  const { messages, enums } = protocol;
  const sequence = SequenceRule.of(protocol);
  const parts = [
    `// Made from ${source} by \`heartwire types\`; make it again when that changes.\n`,
    '/** Bytes as JSON carries them. */\nexport interface Bytes {\n  /** Base64. */\n  readonly $bytes: string;\n  readonly len: number;\n}\n',
  ];
  const entries: string[] = [];
  const commands: string[] = [];
  /** Replies whose values stand together. */
  const shared = new Map<string, readonly string[]>();
  for (const message of messages) {
    const name = typeName(message.name);
    parts.push(interfaceText(name, message.description, message.fields ?? [], enums, message));
    if (typeof message.reply === 'object') {
      parts.push(
        interfaceText(
          `${name}Reply`,
          `The reply to \`${message.name}\`, where its error code is 0.`,
          message.reply.fields,
          enums,
          message.reply,
        ),
      );
    }
    if (typeof message.into === 'string')
      shared.set(message.into, [...(shared.get(message.into) ?? []), name]);
    else if (message.into === undefined) entries.push(...entryOf(message, name));
    commands.push(...commandOf(message, name, sequence));
  }
  for (const [group, names] of shared)
    entries.push(`  readonly ${group}?: Partial<${names.map((each) => `${each}Reply`).join(' & ')}>;\n`);
  parts.push(
    `/** \`values\` in the state of a device. */\nexport interface DeviceValues {\n${entries.join('')}}\n`,
    `/** What may be sent to a device, by name. */\nexport interface DeviceCommands {\n${commands.join('')}}\n`,
    '/** For the client: `connect<Devices>(...)` of heartwire/client. */\nexport interface Devices {\n  readonly values: DeviceValues;\n  readonly commands: DeviceCommands;\n}\n',
  );
  return parts.join('\n');
}

/** What of a message lands in the state: what the device sends. */
function entryOf({ name, from, reply }: MessageDeclaration, type: string): string[] {
  if (typeof reply === 'object' && from !== 'device') return [`  readonly ${name}?: ${type}Reply;\n`];
  return from === 'host' ? [] : [`  readonly ${name}?: ${type};\n`];
}

/** What a subscriber may ask the bridge to send. */
function commandOf(
  { name, from, reply, fields = [] }: MessageDeclaration,
  type: string,
  sequence: SequenceRule | undefined,
): string[] {
  if (from === 'device') return [];
  const answered = typeof reply === 'object' ? `${type}Reply` : 'Record<string, never>';
  const given = givenText(type, sequence?.fieldOf(fields, 'message'), computedIn(fields));
  return [`  readonly ${name}: { readonly fields: ${given}; readonly reply: ${answered} };\n`];
}

/** The fields of a command: the bridge counts its number, and what says how long others are may be left out. */
function givenText(type: string, counted: string | undefined, computed: readonly string[]): string {
  const left = computed.filter((name) => name !== counted);
  const omitted = [...(counted === undefined ? [] : [counted]), ...left];
  if (omitted.length === 0) return type;
  const union = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(' | ');
  const optional = left.length === 0 ? '' : ` & Partial<Pick<${type}, ${union(left)}>>`;
  return `Omit<${type}, ${union(omitted)}>${optional}`;
}

/** Fields that say how long others are, or how many, and follow from these. */
function computedIn(fields: readonly FieldDeclaration[]): readonly string[] {
  return [...countedIn(fields)]
    .filter(([, { name }]) => {
      const counted = fields.find((each) => each.name === name);
      return counted !== undefined && MEASURED.has(counted.type);
    })
    .map(([name]) => name);
}

const MEASURED: ReadonlySet<string> = new Set(['text', 'bytes', 'array', 'tlv']);

function interfaceText(
  name: string,
  description: string | undefined,
  fields: readonly FieldDeclaration[],
  enums: ProtocolDeclaration['enums'],
  split: SplitDeclaration,
): string {
  return `${comment(description, '')}export interface ${name} ${bodyText(fields, enums, '', split)}\n`;
}

function bodyText(
  fields: readonly FieldDeclaration[],
  enums: ProtocolDeclaration['enums'],
  indent: string,
  { columns, separator, keyValue, extra }: SplitDeclaration,
): string {
  const inner = `${indent}  `;
  if (columns === 'auto') return `{\n${inner}readonly [column: string]: number | string;\n${indent}}`;
  const lines = fields
    .filter(
      ({ name, type, value }) =>
        name !== undefined && type !== 'crc' && type !== 'reserved' && value === undefined,
    )
    .map((field) => {
      const optional =
        field.when !== undefined ||
        field.empty === true ||
        (field.optional ?? keyValue !== undefined) ||
        mayBeAbsent(field)
          ? '?'
          : '';
      const about = aboutText([field.label, field.description], field.unit);
      return `${comment(about, inner)}${inner}readonly ${field.name}${optional}: ${fieldType(field, enums, inner)};\n`;
    });
  if (extra === 'keep') {
    const text = separator !== undefined || keyValue !== undefined;
    lines.push(`${inner}readonly extra?: ${text ? 'readonly string[]' : 'Bytes'};\n`);
  }
  return lines.length === 0 ? '{}' : `{\n${lines.join('')}${indent}}`;
}

function fieldType(field: FieldDeclaration, enums: ProtocolDeclaration['enums'], indent: string): string {
  switch (field.type) {
    case 'text':
      return typeof field.enum === 'object'
        ? `${Object.values(field.enum)
            .map((name) => JSON.stringify(name))
            .join(' | ')} | string`
        : 'string';
    case 'time':
    case 'bcd_time':
    case 'byte_time':
      return 'string';
    case 'bytes':
      return 'Bytes';
    case 'switch': {
      const all = [...Object.values(field.cases ?? {}), ...(field.else === undefined ? [] : [field.else])];
      const bodies = all.map((each) => bodyText(each, enums, indent, field));
      return [...new Set(bodies)].join(' | ');
    }
    case 'tlv': {
      const known = Object.values(field.tags ?? {}).map((each) => {
        const type = fieldType(each, enums, `${indent}  `);
        const listed = each.repeat === true ? `readonly (${type})[]` : type;
        return `${comment(each.description, `${indent}  `)}${indent}  readonly ${each.name}?: ${listed};\n`;
      });
      const more = `${indent}  readonly [tag: \`tag_\${string}\`]: Bytes | readonly Bytes[];\n`;
      return `{\n${known.join('')}${more}${indent}}`;
    }
    case 'bit':
    case 'coil':
      return 'boolean';
    case 'struct':
      return bodyText(field.fields ?? [], enums, indent, field);
    case 'array': {
      const { of } = field;
      if (of === undefined) return 'readonly unknown[]';
      const element = fieldType(of, enums, indent);
      const gaps = mayBeAbsent(of);
      return gaps || element.includes('|')
        ? `readonly (${element}${gaps ? ' | null' : ''})[]`
        : `readonly ${element}[]`;
    }
    default:
      break;
  }
  if (field.bits !== undefined) {
    const bits = field.bits.map(({ name, at, enum: names, description, label, unit, invalid, scale }) => {
      const count = parseBits(at)?.count ?? 1;
      const plain =
        count === 1 && scale === undefined ? 'boolean' : count > 53 ? 'number | string' : 'number';
      const type = names === undefined ? plain : namesType(names, enums);
      const about = aboutText([label, description], unit);
      return `${comment(about, `${indent}  `)}${indent}  readonly ${name}${invalid === undefined ? '' : '?'}: ${type};\n`;
    });
    return `{\n${bits.join('')}${namelessText(field, `${indent}  `)}${indent}}`;
  }
  if (field.enum !== undefined) return namesType(field.enum, enums);
  if (field.time !== undefined || field.as === 'text') return 'string';
  // Beyond 2^53 a whole number is decimal text.
  const wide = /^(?:[ui](?:56|64)|varint|number|hex_number)/.test(field.type) || longDigits(field);
  return wide && field.scale === undefined ? 'number | string' : 'number';
}

/** Where not all bits have a name, what those are that are set. */
function namelessText({ bits = [], type }: FieldDeclaration, indent: string): string {
  const named = bits.reduce((sum, { at }) => sum + (parseBits(at)?.count ?? 0), 0);
  const width = Number(/\d+/.exec(type)?.[0] ?? 64);
  if (named >= width) return '';
  return `${indent}readonly undeclared?: ${width > 53 ? 'number | string' : 'number'};\n`;
}

const longDigits = (field: FieldDeclaration): boolean => field.type === 'bcd' && bcdSize(field).digits > 15;

/** Whether a field may have no value, though it is there. */
const mayBeAbsent = ({ type, invalid, scale, time }: FieldDeclaration): boolean =>
  invalid !== undefined ||
  typeof scale === 'object' ||
  time !== undefined ||
  /^f(?:16|32|64)|^(?:bcd|bcd_time|byte_time|number|hex_number|time)$/.test(type);

function aboutText(texts: readonly (string | undefined)[], unit: string | undefined): string | undefined {
  const said = [...texts, unit === undefined ? undefined : `In ${unit}.`].filter(
    (each) => each !== undefined,
  );
  return said.length === 0 ? undefined : said.join(' ');
}

/** A value without a name is its number. */
function namesType(names: string | EnumDeclaration, enums: ProtocolDeclaration['enums']): string {
  const values = typeof names === 'string' ? (enums[names] ?? {}) : names;
  return [...Object.values(values).map((name) => JSON.stringify(name)), 'number'].join(' | ');
}

function comment(text: string | undefined, indent: string): string {
  return text === undefined ? '' : `${indent}/** ${text.replaceAll('*/', '* /').replace(/\s+/g, ' ')} */\n`;
}

const typeName = (name: string): string =>
  name
    .split('_')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
