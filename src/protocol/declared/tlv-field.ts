import type { ExtentCodec } from './extent.ts';
import type { FieldCodec } from './field-codec.ts';
import type { LoadNumber, NumberType, StoreNumber } from './number-type.ts';
import { nameIssues, nameTrace, type Reading } from './reading.ts';
import { beginLeft, leave, rawsOf } from './struct-field.ts';
import { tooMany } from './text-field.ts';
import { bytesOf, bytesValue, isValues, type Value } from './value.ts';
import { FieldError, shown, type Writing } from './writing.ts';

/** An element that is declared. */
export interface TaggedField {
  readonly tag: number;
  readonly name: string;
  readonly codec: FieldCodec;
  readonly unit: string | undefined;
  /** It may come several times, and is a list. */
  readonly repeat: boolean;
}

export interface TlvParts {
  readonly type: NumberType;
  readonly load: LoadNumber;
  readonly store: StoreNumber;
  readonly length: ExtentCodec;
  /** How many elements there are; absent: as many as there is room for. */
  readonly count: ExtentCodec | undefined;
  /** Bytes behind the list, where nothing counts its elements. */
  readonly tail: number;
  readonly limit: number;
}

/** Values of elements that are no list of their own. */
const UNKNOWN = /^tag_([0-9a-f]+)$/;

/** Elements of a tag, a length and a value, by the names of their tags; what is not declared is kept as bytes. */
export function tlvField(fields: readonly TaggedField[], parts: TlvParts): FieldCodec {
  return new TlvField(fields, parts);
}

class TlvField implements FieldCodec {
  readonly min: number;
  readonly max: number;
  readonly #parts: TlvParts;
  readonly #byTag: ReadonlyMap<number, TaggedField>;
  readonly #byName: ReadonlyMap<string, TaggedField>;

  constructor(fields: readonly TaggedField[], parts: TlvParts) {
    this.#parts = parts;
    this.#byTag = new Map(fields.map((field) => [field.tag, field]));
    this.#byName = new Map(fields.map((field) => [field.name, field]));
    this.min = parts.count?.prefix ?? 0;
    this.max = parts.limit;
  }

  readonly read = (reading: Reading): Value | undefined => {
    const { count, tail, limit } = this.#parts;
    const said = count === undefined ? Number.POSITIVE_INFINITY : count.read(reading, 1);
    if (said === undefined) return undefined;
    if (said > limit && count !== undefined) return tooMany(reading, said, limit, 'elements');
    const stop = reading.end - tail;
    if (stop < reading.at) return reading.short(tail);
    const values: Record<string, Value> = {};
    const left = beginLeft(reading);
    for (let index = 0; count === undefined ? reading.at < stop : index < said; index++) {
      const before = reading.issueCount;
      const traced = reading.trace?.length ?? 0;
      const at = reading.at;
      const tag = this.#head(reading, stop);
      if (tag === undefined) return undefined;
      const length = this.#parts.length.read(reading, 1);
      if (length === undefined) return undefined;
      if (reading.at + length > stop) return reading.short(length);
      const [name, value, raw, unit] = this.#element(reading, tag, length, values);
      if (reading.issueCount !== before) nameIssues(reading, before, name);
      reading.eventful = false;
      reading.raw = undefined;
      if (raw !== undefined) rawsOf(left)[name] = raw;
      put(values, name, value, this.#byName.get(name)?.repeat === true);
      if (reading.trace === undefined) continue;
      nameTrace(reading.trace, traced, name, {
        offset: at - reading.origin,
        bytes: reading.at - at,
        ...(raw === undefined ? {} : { raw }),
        ...(value === undefined ? { note: 'no value' } : { value }),
        ...(unit === undefined ? {} : { unit }),
        depth: reading.depth,
      });
    }
    left.issues = reading.issueCount;
    leave(reading, left);
    return values;
  };

  readonly check = (reading: Reading): boolean => {
    const { count, tail, limit, type, length: extent } = this.#parts;
    const said = count === undefined ? Number.POSITIVE_INFINITY : count.look(reading, 1);
    if (said < 0 || (said > limit && count !== undefined)) return false;
    const stop = reading.end - tail;
    if (stop < reading.at) return false;
    for (let index = 0; count === undefined ? reading.at < stop : index < said; index++) {
      if (reading.at + type.bytes > stop) return false;
      reading.at += type.bytes;
      const length = extent.look(reading, 1);
      if (length < 0 || reading.at + length > stop) return false;
      reading.at += length;
    }
    return true;
  };

  readonly write = (writing: Writing, value: unknown): void => {
    if (value !== undefined && !isValues(value)) throw new FieldError('must be fields by name', shown(value));
    const elements = Object.entries(value ?? {}).flatMap(([name, each]) => this.#elements(name, each));
    this.#parts.count?.write(writing, elements.length);
    for (const { name, tag, codec, value: each } of elements) {
      try {
        this.#put(writing, tag, codec, each);
      } catch (error) {
        if (!(error instanceof FieldError)) throw error;
        throw new FieldError(error.message, error.seen, error.path === '' ? name : `${name}.${error.path}`);
      }
    }
  };

  readonly measure = (value: unknown): number =>
    isValues(value) ? Object.entries(value).flatMap(([name, each]) => this.#elements(name, each)).length : 0;

  #head(reading: Reading, stop: number): number | undefined {
    const { type, load } = this.#parts;
    const at = reading.at;
    if (at + type.bytes > stop) return reading.short(type.bytes);
    reading.at = at + type.bytes;
    return load(reading.bytes, at);
  }

  /** The element behind its length: as declared, or as bytes where it is not or has another length. */
  #element(
    reading: Reading,
    tag: number,
    length: number,
    values: Readonly<Record<string, Value>>,
  ): readonly [string, Value | undefined, Value | undefined, string | undefined] {
    const { at, end } = reading;
    const field = this.#byTag.get(tag);
    const traced = reading.trace?.length ?? 0;
    const before = reading.issueCount;
    const again = field !== undefined && !field.repeat && Object.hasOwn(values, field.name);
    if (again) reading.issue('repeated', `${field.name} comes again, and its first value counts`);
    reading.end = at + length;
    if (field !== undefined && !again) {
      reading.depth++;
      const value = field.codec.read(reading);
      reading.depth--;
      const { raw, failure } = reading;
      if (failure === undefined && reading.at === reading.end) {
        reading.end = end;
        return [field.name, value, raw, field.unit];
      }
      // The list goes on behind an element that is not as declared: its length says where.
      const why = failure === undefined ? 'the element is longer' : `expected ${failure.expected}`;
      reading.failure = undefined;
      reading.raw = undefined;
      reading.trace?.splice(traced);
      if (reading.issues !== undefined) reading.issues.length = before;
      reading.issueCount = before;
      reading.issue('unknown_value', `not as declared for ${field.name}: ${why}`);
    }
    reading.at = at + length;
    reading.end = end;
    return [this.#unknownName(tag), bytesValue(reading.bytes, at, at + length), undefined, undefined];
  }

  #unknownName(tag: number): string {
    return `tag_${tag.toString(16).padStart(2 * this.#parts.type.bytes, '0')}`;
  }

  #elements(
    name: string,
    value: Value | undefined,
  ): { name: string; tag: number; codec: FieldCodec | undefined; value: unknown }[] {
    if (value === undefined) return [];
    const field = this.#byName.get(name);
    const [, digits] = UNKNOWN.exec(name) ?? [];
    const tag = field?.tag ?? (digits === undefined ? undefined : Number.parseInt(digits, 16));
    if (tag === undefined || tag >= 2 ** (8 * this.#parts.type.bytes)) {
      const names = [...this.#byName.keys()].join(', ');
      throw new FieldError(
        `there is no such element; there are ${names}, or tag_ and hex digits`,
        shown(value),
        name,
      );
    }
    const list = Array.isArray(value) && (field === undefined || field.repeat) ? value : [value];
    return list.map((each) => ({ name, tag, codec: field?.codec, value: each }));
  }

  #put(writing: Writing, tag: number, codec: FieldCodec | undefined, value: unknown): void {
    const { type, store, length: extent } = this.#parts;
    const head = writing.take(type.bytes);
    store(writing.bytes, head, tag);
    const at = writing.take(extent.prefix);
    if (codec !== undefined) codec.write(writing, value);
    else {
      const bytes = bytesOf(value);
      if (bytes === undefined) throw new FieldError('must be bytes', shown(value));
      writing.put(bytes);
    }
    const end = writing.at;
    writing.at = at;
    extent.write(writing, end - at - extent.prefix);
    writing.at = end;
  }
}

/** Elements that are declared as a list are one; so are bytes of a tag that comes again. */
function put(values: Record<string, Value>, name: string, value: Value | undefined, repeat: boolean): void {
  if (value === undefined) return;
  const before = Object.hasOwn(values, name) ? values[name] : undefined;
  if (repeat) values[name] = [...(Array.isArray(before) ? before : []), value];
  else if (before === undefined) values[name] = value;
  else values[name] = [...(Array.isArray(before) ? before : [before]), value];
}
