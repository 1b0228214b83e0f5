import type { Value, Values } from '../contract/index.ts';
import { HeartwireError } from '../errors.ts';
import { bytesOfHex, bytesValue, type FieldDeclaration, fieldsWithin, holdsOf } from '../protocol/index.ts';

/** Reads the file behind an `@`, by its path as it was typed. */
export type ReadBytes = (path: string) => Promise<Uint8Array>;

const bad = (message: string, seen: string, fix: string): HeartwireError =>
  new HeartwireError('bad_field_value', message, { seen, fix });

/**
 * The values of `field=value` words, each read as its field wants it: numbers, names, `true`, text as it stands, bytes
 * as `0x0a0b` or `@file`, lists as `[1,2]`, and what lies in a structure as `status.fan=2` or as JSON.
 * @throws HeartwireError `bad_field_value`
 */
export async function parseAssignments(
  words: readonly string[],
  fields: readonly FieldDeclaration[],
  read: ReadBytes,
): Promise<Values> {
  const values: Record<string, Value> = {};
  for (const word of words) {
    const [, path = '', text = ''] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
    if (path === '') throw bad(`"${word}" gives no field a value`, word, 'Write field=value.');
    const names = path.split('.');
    const value = await parseValue(text, fieldAt(fields, names), path, read);
    put(values, names, value, path);
  }
  return values;
}

/** The field that a path names; undefined where there is none, which the encoder reports better. */
function fieldAt(
  fields: readonly FieldDeclaration[],
  [name, ...inner]: readonly string[],
): FieldDeclaration | undefined {
  const field = fields.find((each) => each.name === name);
  if (field === undefined || inner.length === 0) return field;
  if (field.bits !== undefined) return { type: 'u32', name: inner[0] ?? '' };
  return fieldAt(fieldsWithin(field), inner);
}

function put(values: Record<string, Value>, names: readonly string[], value: Value, path: string): void {
  let at = values;
  for (const [depth, name] of names.entries()) {
    if (depth === names.length - 1) {
      if (Object.hasOwn(at, name)) throw bad(`${path} is given twice`, path, 'Give it once.');
      Object.defineProperty(at, name, { value, enumerable: true, writable: true, configurable: true });
      return;
    }
    const next: unknown = Object.hasOwn(at, name) ? at[name] : {};
    if (typeof next !== 'object' || next === null || Array.isArray(next)) {
      throw bad(
        `${path} lies within a value that is given already`,
        path,
        'Give either the whole or its parts.',
      );
    }
    Object.defineProperty(at, name, { value: next, enumerable: true, writable: true, configurable: true });
    at = next as Record<string, Value>; // made above, or by an earlier word
  }
}

async function parseValue(
  text: string,
  field: FieldDeclaration | undefined,
  path: string,
  read: ReadBytes,
): Promise<Value> {
  if (field?.type === 'bcd' && (field.as === 'text' || text.startsWith('0x'))) return text;
  switch (holdsOf(field?.type ?? '')) {
    case 'text':
    case 'time':
      return text;
    case 'bytes':
      return parseBytes(text, path, read);
    case 'list':
    case 'group':
      return parseJson(text, path);
    default:
      if (/^[[{]/.test(text)) return parseJson(text, path);
      // Of a float, these are its bits.
      return /^f(?:16|32|64)/.test(field?.type ?? '') && text.startsWith('0x') ? text : parsePlain(text);
  }
}

async function parseBytes(text: string, path: string, read: ReadBytes): Promise<Value> {
  if (text.startsWith('@')) return bytesValue(await read(text.slice(1)));
  const bytes = bytesOfHex(text.startsWith('0x') ? text : `0x${text}`);
  if (bytes !== undefined) return bytesValue(bytes);
  throw bad(
    `${path}: these are no bytes`,
    text,
    'Write hex digits as 0x0a0b, or @file for what a file holds.',
  );
}

function parseJson(text: string, path: string): Value {
  try {
    return JSON.parse(text) as Value; // whatever JSON holds is a value
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw bad(
      `${path}: this is no JSON`,
      text,
      'Write a list as [1,2], and a structure as {"a":1} or path by path.',
    );
  }
}

/** A number where it is exact, true or false, or a word: a name of an enum, or a number beyond 2^53. */
function parsePlain(text: string): Value {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^-?0x[0-9a-fA-F]+$/.test(text)) {
    const whole = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole.toString();
  }
  const plain = text.replace(/^\+(?=[\d.])/, '');
  if (!/^-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(plain)) return text;
  const number = Number(plain);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? plain : number;
}
