import { isJsonObject, type Json, type JsonObject, ownValue } from './json.ts';

/** A document cannot be expressed: it holds a null, a number that JSON has not, or something that is no JSON. */
export class NotADocumentError extends Error {
  /** Where, as keys joined by dots. */
  readonly path: string;

  constructor(path: string, seen: string) {
    super(`${path || 'the document'} is ${seen}, which a state document cannot hold`);
    this.name = 'NotADocumentError';
    this.path = path;
  }
}

/**
 * The RFC 7396 merge patch that turns `from` into `to`, or undefined where they are equal. Keys whose value is
 * `undefined` are absent; subtrees that are the same object are not looked into.
 *
 * @throws NotADocumentError where a changed part of `to` holds what a merge patch cannot say.
 */
export function diff(from: JsonObject, to: JsonObject): JsonObject | undefined {
  return from === to ? undefined : diffObjects(from, to, undefined);
}

/**
 * Whether `diff` would find a difference, without making the patch.
 *
 * @throws NotADocumentError as `diff` does
 */
export function differs(from: JsonObject, to: JsonObject): boolean {
  return from !== to && diffObjects(from, to, undefined, NO_PATCH) !== undefined;
}

/** Applies an RFC 7396 merge patch; neither argument is changed, and untouched subtrees are shared. */
export function applyPatch(target: Json | undefined, patch: JsonObject): JsonObject {
  const result: Record<string, Json | undefined> = isJsonObject(target) ? { ...target } : {};
  for (const key of Object.keys(patch)) {
    const change = patch[key];
    if (change === undefined) continue;
    if (change === null) delete result[key];
    else put(result, key, isJsonObject(change) ? applyPatch(ownValue(result, key), change) : change);
  }
  return result;
}

/** @throws NotADocumentError where `document` holds what a state document cannot. */
export function checkDocument(document: JsonObject): void {
  checkObject(document, undefined);
}

/** Structural equality; an absent key and one whose value is `undefined` are the same. */
export function equalJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equalJson(item, b[index]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  for (const key of Object.keys(a)) if (!equalJson(a[key], ownValue(b, key))) return false;
  for (const key of Object.keys(b)) if (b[key] !== undefined && ownValue(a, key) === undefined) return false;
  return true;
}

/** Stands for any patch where none is wanted. */
const NO_PATCH: Patch = /* @__PURE__ */ Object.freeze({});

type Patch = Record<string, Json | undefined>;

/** Where something stands in a document, from the inside out; undefined: it is the document. */
interface Place {
  readonly key: string;
  readonly above: Place | undefined;
}

function diffObjects(
  from: JsonObject,
  to: JsonObject,
  above: Place | undefined,
  instead?: Patch,
): JsonObject | undefined {
  let patch: Patch | undefined;
  let kept = 0;
  // Documents are plain objects, and this way of going through them makes no list of their keys.
  for (const key in to) {
    const next = to[key];
    if (next === undefined) continue;
    const before = memberOf(from, key);
    if (before !== undefined) kept++;
    if (next === before) continue;
    const change = changeOf(before, next, key, above, instead);
    if (change === undefined) continue;
    patch ??= instead ?? {};
    if (instead === undefined) put(patch, key, change);
  }
  for (const key in from) if (from[key] !== undefined) kept--;
  if (kept === 0) return patch;
  for (const key of Object.keys(from)) {
    if (from[key] === undefined || ownValue(to, key) !== undefined) continue;
    patch ??= instead ?? {};
    if (instead === undefined) put(patch, key, null);
  }
  return patch;
}

/** What a patch says of a member that is another one than before; nothing where they are equal. */
function changeOf(
  before: Json | undefined,
  next: Json,
  key: string,
  above: Place | undefined,
  instead: Patch | undefined,
): Json | undefined {
  if (isPlain(next)) return next;
  const place = { key, above };
  if (isJsonObject(next) && isJsonObject(before)) return diffObjects(before, next, place, instead);
  checkValue(next, place);
  return Array.isArray(next) && equalJson(before, next) ? undefined : next;
}

/** `ownValue`, looking twice only at what an object may have inherited. */
function memberOf(object: JsonObject, key: string): Json | undefined {
  const value = object[key];
  const plain = typeof value !== 'object' && typeof value !== 'function';
  return plain ? value : ownValue(object, key);
}

function checkObject(value: JsonObject, above: Place | undefined): void {
  for (const key in value) {
    const member = value[key];
    if (member !== undefined && !isPlain(member)) checkValue(member, { key, above });
  }
}

function checkValue(value: Json, place: Place): void {
  if (value === null) throw refused(value, place);
  if (isJsonObject(value)) checkObject(value, place);
  else if (Array.isArray(value)) checkArray(value, place);
  else if (!isPlain(value)) throw refused(value, place);
}

/** A merge patch replaces arrays whole, so inside them a null is a value like any other. */
function checkArray(items: readonly Json[], above: Place): void {
  items.forEach((item, index) => {
    const place = { key: String(index), above };
    if (Array.isArray(item)) checkArray(item, place);
    else if (isJsonObject(item))
      for (const member of Object.values(item)) checkArray([member ?? null], place);
    else if (item !== null && !isPlain(item)) throw refused(item, place);
  });
}

/** A text, a truth value, or a number that JSON has. */
function isPlain(value: unknown): boolean {
  return typeof value === 'number'
    ? Number.isFinite(value)
    : typeof value === 'string' || typeof value === 'boolean';
}

function refused(value: unknown, place: Place): NotADocumentError {
  let path = place.key;
  for (let at = place.above; at !== undefined; at = at.above) path = `${at.key}.${path}`;
  const said = value === null || typeof value === 'number';
  return new NotADocumentError(path, said ? String(value) : `a ${typeof value}`);
}

function put(target: Record<string, Json | undefined>, key: string, value: Json): void {
  // Assigning to this key would set the prototype instead of a member.
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else target[key] = value;
}
