import { isNumber, isObject, type JsonObject } from './json.ts';

/** Of a longer list the first ones are shown, and how many there are. */
const SHOWN_ELEMENTS = 24;
export const LONGEST_TEXT = 300;

/** The leaves of a document as `[path, value]`. */
export function* flatten(value: JsonObject, path = ''): Generator<readonly [string, unknown]> {
  for (const [key, inner] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    if (isObject(inner) && !Object.hasOwn(inner, '$bytes')) yield* flatten(inner, at);
    else yield [at, inner];
  }
}

/** The value at a path of a document; names may hold dots of their own. */
export function valueAt(value: unknown, path: string): unknown {
  if (!isObject(value)) return undefined;
  if (Object.hasOwn(value, path)) return value[path];
  for (let at = path.indexOf('.'); at >= 0; at = path.indexOf('.', at + 1)) {
    const head = path.slice(0, at);
    if (!Object.hasOwn(value, head)) continue;
    const found = valueAt(value[head], path.slice(at + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** As it was sent, without the noise of binary fractions; what is very small is not nothing. */
export function numberText(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(15)));
}

/** A value for people, whatever it is. */
export function valueText(value: unknown): string {
  if (isNumber(value)) return numberText(value);
  if (isObject(value) && Object.hasOwn(value, '$bytes'))
    return `${isNumber(value.len) ? value.len : '?'} bytes`;
  if (Array.isArray(value)) {
    const first = value.slice(0, SHOWN_ELEMENTS).map(valueText).join(', ');
    return value.length > SHOWN_ELEMENTS ? `${value.length} × [${first}, …]` : `[${first}]`;
  }
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Digits from which on a number is a fraction without an end, or one of a binary format, and not one that was sent. */
const ENDLESS_DIGITS = 14;

/** How far a number may lie from what is shown of it, as a share of it. */
function toleranceOf(value: number): number {
  const digits = numberText(value)
    .replace(/e.*$/, '')
    .replace(/^-?[0.]*|\./g, '');
  return digits.length >= ENDLESS_DIGITS ? 1e-6 : 1e-9;
}

/** A number with as many decimals as its scale has; more are noise of a format, fewer would hide what is known. */
export function scaledText(value: unknown, decimals: number | undefined): string {
  if (isNumber(value)) {
    if (decimals === undefined) return numberText(value);
    const text = value.toFixed(decimals);
    // What is finer than it should be is shown as it came, never rounded away.
    return Math.abs(Number(text) - value) > Math.abs(value) * toleranceOf(value) ? numberText(value) : text;
  }
  if (Array.isArray(value) && decimals !== undefined && value.every(isNumber) && value.length <= 24)
    return `[${value.map((each) => scaledText(each, decimals)).join(', ')}]`;
  return valueText(value);
}

/** A word of the wire for people: `connect_refused` is `connect refused`. */
export const words = (value: unknown): string => String(value).replaceAll('_', ' ').slice(0, LONGEST_TEXT);
export const clip = (text: string): string =>
  text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
