import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { suggest } from '../system/index.ts';
import { durationMs, formatDuration, parseDuration } from './duration.ts';

/** What is wrong with one value. */
export interface FieldFinding {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix: string;
  /** Below the field, where it is a list. */
  readonly path?: readonly (string | number)[];
}

/** What an editor shows and checks: plain JSON Schema; the default of a key of `devices.yaml` is its `.prefault(...)`. */
export interface FieldMeta {
  readonly description: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly [keyword: string]: unknown;
}

/** zod's name for a check that is not its own; the error code is in the finding. */
const ZOD_CODE = 'custom';

/** A value with a check that names the fix, and the JSON Schema that says the same to an editor. */
export function field<T>(meta: FieldMeta, check: (value: unknown) => FieldFinding | undefined) {
  const refined = z.superRefine<T>((value, context) => {
    const finding = check(value);
    if (finding === undefined) return;
    const { message, path = [] } = finding;
    context.addIssue({ code: ZOD_CODE, message, path: [...path], params: { finding } });
  });
  // Built at once: each link of a chain would build the schema again, and there are hundreds when a program starts.
  const type = new z.ZodCustom({ type: ZOD_CODE, check: ZOD_CODE, fn: anything, checks: [refined] });
  z.globalRegistry.add(type, { ...meta });
  // The constructor cannot be given the type of the values, which only the check knows.
  return type as z.ZodCustom<T, T>;
}

const anything = (): boolean => true;

/** What stands where something else was expected, in words. */
export function nameKind(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return value === '' ? 'an empty text' : 'a text';
    case 'number':
    case 'bigint':
      return 'a number';
    case 'boolean':
      return `${value}`;
    case 'undefined':
      return 'nothing';
    default:
      return 'a group of keys';
  }
}

export const badType = (expected: string, value: unknown, fix: string): FieldFinding => ({
  code: value === undefined ? 'config_missing_key' : 'config_bad_type',
  message:
    value === undefined
      ? `${capital(expected)} is missing.`
      : `${capital(expected)} is expected here, and ${nameKind(value)} was found.`,
  fix,
});

export const badValue = (message: string, fix: string): FieldFinding => ({
  code: 'config_bad_value',
  message,
  fix,
});

/** A text that YAML took for a number or a boolean because it stands without quotes. */
function unquoted(what: string, value: unknown): FieldFinding | undefined {
  if (typeof value !== 'number' && typeof value !== 'boolean' && typeof value !== 'bigint') return undefined;
  return {
    code: 'config_unquoted',
    message: `${capital(what)} is a text, and without quotes YAML reads ${typeof value === 'boolean' ? 'true or false' : 'a number'}.`,
    fix: 'Quote it: "...".',
  };
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A text, checked further by `check`. */
export function textField(
  what: string,
  example: string,
  meta: FieldMeta,
  check: (text: string) => FieldFinding | undefined = () => undefined,
) {
  return field<string>({ type: 'string', ...meta }, (value) => {
    if (typeof value === 'string' && value !== '') return check(value);
    return unquoted(what, value) ?? badType(what, value, `Write for example ${example}.`);
  });
}

declare const unit: unique symbol;

/** A duration of the file, once it is read. */
export type Milliseconds = number & { readonly [unit]: 'ms' };

const DURATIONS = new WeakSet<z.core.$ZodType>();

/** Whether the values of a key are durations, whether or not it may be left out. */
export function isDuration(type: z.core.$ZodType): boolean {
  if (type instanceof z.ZodOptional || type instanceof z.ZodPrefault) return isDuration(type.unwrap());
  return DURATIONS.has(type);
}

/** A duration with its unit, within bounds in ms. */
export function durationField(lowestMs: number, highestMs: number, meta: FieldMeta) {
  const type = durationText(lowestMs, highestMs, meta).transform((text) => durationMs(text) as Milliseconds);
  DURATIONS.add(type);
  return type;
}

/** A duration that may be switched off. */
export const durationOrFalse = (lowestMs: number, highestMs: number, meta: FieldMeta) =>
  z
    .union([z.literal(false), durationText(lowestMs, highestMs, meta)])
    // Behind the union: a branch that converts loses the finding of its check.
    .transform((value) => (value === false ? value : durationMs(value)));

const durationText = (lowestMs: number, highestMs: number, meta: FieldMeta) =>
  field<string>({ type: 'string', pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$', ...meta }, (value) =>
    checkDuration(value, lowestMs, highestMs),
  );

function checkDuration(value: unknown, lowestMs: number, highestMs: number): FieldFinding | undefined {
  if (typeof value === 'number') {
    return {
      code: 'config_bad_duration',
      message: `${value} what? A duration carries its unit.`,
      fix: `Write ${value}s if seconds are meant, or use ms, m or h.`,
    };
  }
  if (typeof value !== 'string')
    return badType('a duration', value, 'Write for example 250ms, 3s, 15m or 24h.');
  const ms = parseDuration(value);
  if (ms === undefined) {
    const spaced = parseDuration(value.replace(/\s/g, '').toLowerCase());
    return {
      code: 'config_bad_duration',
      message: 'This is no duration.',
      fix:
        spaced === undefined
          ? 'Write a number and ms, s, m, h or d, for example 250ms, 1.5s, 15m or 24h.'
          : `Write ${formatDuration(spaced)}.`,
    };
  }
  if (ms >= lowestMs && ms <= highestMs) return undefined;
  return {
    code: 'config_bad_duration',
    message: `The duration is too ${ms < lowestMs ? 'short' : 'long'}.`,
    fix: `Write ${formatDuration(lowestMs)} to ${formatDuration(highestMs)}.`,
  };
}

/** A number within bounds, whole unless `fraction`. */
export function numberField(lowest: number, highest: number, meta: FieldMeta, fraction = false) {
  const what = fraction ? 'a number' : 'a whole number';
  const bounded = highest < Number.MAX_VALUE || lowest > -Number.MAX_VALUE;
  const fix = bounded ? `Write ${what} from ${lowest} to ${highest}.` : `Write ${what}.`;
  const json = { type: fraction ? 'number' : 'integer', minimum: lowest, maximum: highest, ...meta };
  return field<number>(json, (value) => {
    if (typeof value !== 'number') return badType(what, value, fix);
    if ((fraction || Number.isInteger(value)) && value >= lowest && value <= highest) return undefined;
    return { code: 'config_bad_value', message: 'The number is out of range.', fix };
  });
}

const MIB = 1024 * 1024;

/** A size in whole KiB, read as bytes. Its key ends in `_kb`. */
export const kibibytesField = (lowest: number, highest: number, meta: FieldMeta) =>
  numberField(lowest, highest, meta).transform((kib) => kib * 1_024);

/** A size in whole MiB, read as bytes. Its key ends in `_mb`. */
export const mebibytesField = (lowest: number, highest: number, meta: FieldMeta) =>
  numberField(lowest, highest, meta).transform((mib) => mib * MIB);

/** A part in percent, read as a number above 0 and at most 1. */
export const percentField = (meta: FieldMeta) =>
  numberField(1, 100, meta).transform((percent) => percent / 100);

/** One of a few words (or numbers). */
export function choiceField<const T extends string | number>(values: readonly T[], meta: FieldMeta) {
  const list = `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
  return field<T>({ enum: [...values], ...meta }, (value) => {
    if (values.some((each) => each === value)) return undefined;
    if (typeof value !== 'string' && typeof value !== 'number') {
      return badType(`one of ${list}`, value, `Write ${list}.`);
    }
    // Of numbers, the nearest in spelling is not what was meant.
    const meant = typeof value === 'number' ? undefined : suggest(value, values.map(String));
    return {
      code: 'config_bad_value',
      message: 'This is none of the possible values.',
      fix: meant === undefined ? `Write ${list}.` : `Did you mean ${meant}? Possible are ${list}.`,
    };
  });
}

export function flagField(meta: FieldMeta) {
  return field<boolean>({ type: 'boolean', ...meta }, (value) =>
    typeof value === 'boolean' ? undefined : badType('true or false', value, 'Write true or false.'),
  );
}

/** One text, or a list of at least one; read as a list. */
export function oneOrMoreField(
  what: string,
  example: string,
  meta: FieldMeta,
  checkText: (text: string) => FieldFinding | undefined = () => undefined,
) {
  const json = {
    anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }],
    ...meta,
  };
  const checkOne = (value: unknown) =>
    typeof value === 'string' && value !== ''
      ? checkText(value)
      : (unquoted(what, value) ?? badType(what, value, `Write for example ${example}.`));
  const check = (value: unknown): FieldFinding | undefined => {
    if (!Array.isArray(value)) return checkOne(value);
    if (value.length === 0) {
      return {
        code: 'config_bad_value',
        message: 'The list is empty.',
        fix: `Write for example ${example}.`,
      };
    }
    for (const [index, each] of value.entries()) {
      const finding = checkOne(each);
      if (finding !== undefined) return { ...finding, path: [index, ...(finding.path ?? [])] };
    }
    return undefined;
  };
  return field<string | readonly string[]>(json, check).transform((value) =>
    typeof value === 'string' ? [value] : value,
  );
}
