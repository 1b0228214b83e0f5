import { isNumber, isObject, type Json, type JsonObject, listOf, textOf } from '../api/json.ts';

/** What one field of a command is asked for as. */
export interface CommandField {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  readonly description: string;
  readonly unit: string;
  readonly least: number | undefined;
  readonly greatest: number | undefined;
  readonly decimals: number | undefined;
  readonly choices: readonly string[];
  readonly optional: boolean;
  /** The value that shows whether it was carried out. */
  readonly shownBy: string;
}

/** A message that a device may be sent. */
export interface Command {
  readonly name: string;
  readonly label: string;
  readonly group: string;
  readonly description: string;
  /** Devices send it as well; it is seldom what a person wants to send. */
  readonly either: boolean;
  readonly fields: readonly CommandField[];
  readonly reply: string;
}

/** The commands of a declaration, in their order. */
export function commandsOf(declaration: JsonObject): readonly Command[] {
  const { commands } = declaration;
  if (!isObject(commands)) return [];
  return Object.entries(commands).flatMap(([name, entry]) => {
    if (!isObject(entry)) return [];
    return [
      {
        name,
        label: textOf(entry.label),
        group: textOf(entry.group),
        description: textOf(entry.description),
        either: entry.either === true,
        fields: listOf(entry.fields).flatMap((field) => (isObject(field) ? [fieldOf(field)] : [])),
        reply: textOf(entry.reply),
      },
    ];
  });
}

function fieldOf(field: JsonObject): CommandField {
  const number = (key: string): number | undefined => {
    const value = field[key];
    return isNumber(value) ? value : undefined;
  };
  return {
    name: textOf(field.name),
    type: textOf(field.type),
    label: textOf(field.label),
    description: textOf(field.description),
    unit: textOf(field.unit),
    least: number('least'),
    greatest: number('greatest'),
    decimals: number('decimals'),
    choices: listOf(field.choices).filter((each): each is string => typeof each === 'string'),
    optional: field.optional === true,
    shownBy: textOf(field.shown_by),
  };
}

/** Why a field cannot be sent so, as a code of the texts. */
export type Fault = 'missing' | 'noNumber' | 'tooSmall' | 'tooLarge' | 'tooFine' | 'noBytes' | 'noJson';

/** The value of a field as it was typed; a fault where it cannot be sent. An empty optional field is left out. */
export function readField(
  field: CommandField,
  typed: string,
): { readonly value: Json | undefined } | { readonly fault: Fault } {
  const text = typed.trim();
  if (text === '' && field.type !== 'text')
    return field.optional ? { value: undefined } : { fault: 'missing' };
  switch (field.type) {
    case 'number':
      return readNumber(field, text);
    case 'flag':
      return { value: text === 'true' };
    case 'bytes':
      return readBytes(text);
    case 'json':
      return readJson(text);
    default:
      return typed === '' && field.optional ? { value: undefined } : { value: typed };
  }
}

function readNumber(
  { least, greatest, decimals }: CommandField,
  text: string,
): { readonly value: Json } | { readonly fault: Fault } {
  // Beyond 2^53 a number is sent as text, or it would be another one.
  const value = Number(text.replace(',', '.'));
  if (!Number.isFinite(value)) return { fault: 'noNumber' };
  if (least !== undefined && value < least) return { fault: 'tooSmall' };
  if (greatest !== undefined && value > greatest) return { fault: 'tooLarge' };
  if (decimals !== undefined && Math.abs(value * 10 ** decimals - Math.round(value * 10 ** decimals)) > 1e-6)
    return { fault: 'tooFine' };
  return { value: Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value };
}

/** Bytes as hex, with or without blanks and `0x`. */
function readBytes(text: string): { readonly value: Json } | { readonly fault: Fault } {
  const hex = text.replace(/^0x/i, '').replace(/[\s:,]+/g, '');
  return /^(?:[0-9a-f]{2})+$/i.test(hex) ? { value: `0x${hex.toLowerCase()}` } : { fault: 'noBytes' };
}

function readJson(text: string): { readonly value: Json } | { readonly fault: Fault } {
  try {
    // JSON.parse gives JSON.
    return { value: JSON.parse(text) as Json };
  } catch {
    return { fault: 'noJson' };
  }
}
