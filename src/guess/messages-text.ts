import type { SingleFraming } from '../protocol/index.ts';
import type { Guess, GuessedKind } from './guess.ts';
import type { GuessedField, GuessedMessage } from './guess-fields.ts';

/** How much of a guess stands in the file. */
export interface TextOptions {
  /** What the file is made of, for its first line. */
  readonly source: string;
  /** Without fields, a payload is bytes. */
  readonly fields: boolean;
}

/** The text of a `messages.yaml` that says what was found; each line with what shows it. */
export function messagesText({ kinds }: Guess, { source, fields }: TextOptions): string {
  const several = kinds.length > 1;
  const named = kinds.map((kind, index) => ({ kind, name: several ? kindName(kind, index) : undefined }));
  const names = new Set<string>();
  return [
    '# yaml-language-server: $schema=./node_modules/heartwire/schemas/messages.schema.json',
    `# Guessed from ${source}. What a comment says holds in every frame that was seen; names and units are yours to give.`,
    'version: 1',
    'protocol:',
    ...(several
      ? ['  framings:', ...named.flatMap(({ kind, name }) => kindLines(kind, name))]
      : kindLines(kinds[0])),
    'messages:',
    ...named.flatMap(({ kind, name }) =>
      (fields ? kind.messages : [plain(kind)]).flatMap((message) => messageLines(message, name, names)),
    ),
    '',
  ].join('\n');
}

/** One message with the whole payload as bytes, or as columns of text. */
function plain({ messages, payloads }: GuessedKind): GuessedMessage {
  const [first] = messages;
  if (first?.text === true) return first;
  return { count: payloads.length, least: 0, most: 1, text: false, fields: [], columns: [] };
}

function kindName({ framing }: GuessedKind, index: number): string {
  return `${framing.type === 'delimiter' ? 'text' : framing.type}_${index + 1}`;
}

function kindLines(kind: GuessedKind | undefined, name?: string): readonly string[] {
  if (kind === undefined) return [];
  const { framing, evidence, wrong } = kind;
  const indent = name === undefined ? '  ' : '    ';
  const comments = [
    ...evidence,
    ...(wrong.length === 0 ? [] : [`${wrong.length} with a wrong checksum: damaged, or of another kind`]),
  ].map((each) => `${indent}# ${each}`);
  const keys = framingKeys(framing).join(', ');
  return name === undefined
    ? [...comments, `  framing: { ${keys} }`]
    : [...comments, `    - { name: ${name}, ${keys} }`];
}

/** A framing as `messages.yaml` writes it. */
export function framingKeys(framing: SingleFraming): readonly string[] {
  return Object.entries(framing)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key === 'maxFrame' ? 'max_frame' : key}: ${written(value)}`);
}

function written(value: unknown): string {
  if (value instanceof Uint8Array) return bytesWritten(value);
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const keys = Object.entries(value).map(([key, each]) =>
      key === 'byte' || key === 'xor' ? `${key}: ${hex(Number(each))}` : `${key}: ${written(each)}`,
    );
    return `{ ${keys.join(', ')} }`;
  }
  return String(value);
}

/** Text where it is text, so that `"\r\n"` and `"$"` can be read; else numbers. */
function bytesWritten(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes);
  if (/^[\x20-\x7e\r\n]+$/.test(text) && !/^[A-Za-z0-9]/.test(text)) return JSON.stringify(text);
  const [only = 0] = bytes;
  return bytes.length === 1 ? hex(only) : `[${[...bytes].map(hex).join(', ')}]`;
}

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`;

function messageLines(
  message: GuessedMessage,
  framing: string | undefined,
  names: Set<string>,
): readonly string[] {
  const { selector, text, fields, count, columns, least, most } = message;
  const value = selector?.value.toString(16).padStart(2, '0');
  const name = unique(text ? 'line' : value === undefined ? 'message' : `message_${value}`, names);
  const of = framing === undefined ? '' : `, framing: ${framing}`;
  const size = least === most ? `${least} bytes` : `${least} to ${most} bytes`;
  if (text) {
    return [
      ...columns.map((each) => `  # ${each}`),
      `  - { name: ${name}${of}, from: device, columns: auto } # seen ${count} times`,
    ];
  }
  const known = new Set<string>();
  const covered = fields.reduce((sum, { length }) => sum + length, 0);
  return [
    `  - name: ${name} # seen ${count} times${least === 0 ? '' : `, ${size} of payload`}`,
    ...(framing === undefined ? [] : [`    framing: ${framing}`]),
    '    from: device',
    '    fields:',
    ...fields.map((field) => fieldLine(field, selector, known)),
    ...(most > covered ? ['      - { name: rest, type: bytes, length: rest }'] : []),
  ];
}

function fieldLine(field: GuessedField, selector: GuessedMessage['selector'], known: Set<string>): string {
  const { at, length, kind, type, evidence } = field;
  const place = length === 1 ? `byte_${at}` : `bytes_${at}_${at + length - 1}`;
  const comment = evidence === '' ? '' : ` # ${evidence}`;
  switch (kind) {
    case 'selector':
      return `      - { name: kind, type: u8, value: ${hex(selector?.value ?? 0)} }${comment}`;
    case 'counter':
      return `      - { name: ${unique('counter', known)}, type: ${type} }${comment}`;
    case 'float':
    case 'number':
      return `      - { name: ${unique(`value_${at}`, known)}, type: ${type} }${comment}`;
    case 'enum':
      return `      - { name: ${unique(`state_${at}`, known)}, type: u8 }${comment}`;
    case 'text':
      return `      - { name: ${unique(`text_${at}`, known)}, type: text, length: ${length} }${comment}`;
    case 'constant':
    case 'unknown':
      return length === 1
        ? `      - { name: ${place}, type: u8 }${comment}`
        : `      - { name: ${place}, type: bytes, length: ${length} }${comment}`;
  }
}

function unique(name: string, names: Set<string>): string {
  let free = name;
  for (let count = 2; names.has(free); count++) free = `${name}_${count}`;
  names.add(free);
  return free;
}
