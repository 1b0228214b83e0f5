import { addressForm } from './address-field.ts';
import { compileField } from './compile-fields.ts';
import type { FieldDeclaration, MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import type { MessageCodec } from './message-codec.ts';
import { sizingScope } from './sizing.ts';
import type { Value, Values } from './value.ts';
import { Writing } from './writing.ts';

/** What the bytes of a reply have in common, whatever they say. */
interface Outline {
  readonly minLength: number;
  readonly maxLength: number;
  /** Bytes that are always the same, by their offset. */
  readonly constants: ReadonlyMap<number, number>;
}

/** A field that stands at the same place in two messages. */
interface SharedField {
  readonly name: string;
  /** Where it stands, and how it looks there. */
  readonly place: string;
  /** Of the field of the first message, where that is a constant. */
  readonly value?: Value;
}

const NO_FIELDS: readonly FieldDeclaration[] = [];

/** What tells the replies of one protocol apart, and what ties a reply to its request. */
export class ReplyForms {
  readonly #protocol: ProtocolDeclaration;
  readonly #outlines = new Map<string, Outline>();
  readonly #heads = new Map<string, readonly SharedField[]>();
  readonly #mirrors = new Set<string>();

  constructor(protocol: ProtocolDeclaration, messages: readonly MessageCodec[]) {
    this.#protocol = protocol;
    for (const { name, declaration, forms } of messages) {
      const [, reply] = forms;
      if (reply === undefined) continue;
      const { minLength, maxLength } = reply;
      const constants = this.#constants(reply.fields);
      this.#outlines.set(name, { minLength, maxLength, constants });
      this.#heads.set(name, this.#shared(declaration.fields ?? NO_FIELDS, reply.fields));
      if (protocol.error === undefined && sameLayout(declaration.fields ?? NO_FIELDS, reply.fields))
        this.#mirrors.add(name);
    }
  }

  /** Whether one payload may be the reply to either of two messages, which repeats these values of its request. */
  alike(one: string, oneRepeats: Values, other: string, otherRepeats: Values): boolean {
    if (!this.#formsAlike(one, other)) return false;
    const places = new Map(this.#heads.get(other)?.map(({ name, place }) => [place, name]));
    for (const { name, place } of this.#heads.get(one) ?? []) {
      const value = oneRepeats[name];
      const counterpart = otherRepeats[places.get(place) ?? ''];
      if (value !== undefined && counterpart !== undefined && value !== counterpart) return false;
    }
    return true;
  }

  #formsAlike(one: string, other: string): boolean {
    if (one === other) return true;
    const a = this.#outlines.get(one);
    const b = this.#outlines.get(other);
    if (
      a === undefined ||
      b === undefined ||
      this.#protocol.id !== undefined ||
      this.#protocol.selector !== undefined
    )
      return false;
    // A reply that refuses is an error code and nothing else, whatever was asked.
    if (this.#protocol.error !== undefined) return true;
    if (a.minLength > b.maxLength || b.minLength > a.maxLength) return false;
    for (const [offset, byte] of a.constants) {
      if ((b.constants.get(offset) ?? byte) !== byte) return false;
    }
    return true;
  }

  /** The values of a request that its reply repeats: those of the fields in front of a constant that both have. */
  repeated(message: string, request: Values): Values {
    return valuesOf(this.#heads.get(message) ?? [], request);
  }

  /** Those that a message repeats which refuses the request. */
  repeatedBy(refusal: MessageDeclaration, request: MessageDeclaration, fields: Values): Values {
    return valuesOf(this.#shared(request.fields ?? NO_FIELDS, refusal.fields ?? NO_FIELDS), fields);
  }

  /** Whether the reply to a message is declared to be the request, byte for byte. */
  mirrors(message: string): boolean {
    return this.#mirrors.has(message);
  }

  /** Whether a payload has all constants of the reply to a message, of which there is at least one. */
  begins(message: string, bytes: Uint8Array, start: number, end: number): boolean {
    const constants = this.#outlines.get(message)?.constants;
    if (constants === undefined || constants.size === 0) return false;
    for (const [offset, byte] of constants) {
      if (start + offset >= end || bytes[start + offset] !== byte) return false;
    }
    return true;
  }

  /** Of fields up to the first one without a fixed place. Where there are ids, they tell. */
  #constants(fields: readonly FieldDeclaration[]): ReadonlyMap<number, number> {
    const constants = new Map<number, number>();
    const { id, selector, error } = this.#protocol;
    if (id !== undefined || selector !== undefined || error !== undefined) return constants;
    let offset = 0;
    for (const field of fields) {
      offset += this.#addressAt(offset);
      const { bytes, size } = this.#fixed(field);
      if (size === undefined) break;
      for (const [index, byte] of (bytes ?? []).entries()) constants.set(offset + index, byte);
      offset += size;
    }
    return constants;
  }

  /** Fields at the same place, by name and type, in front of an id or a constant that both messages have. */
  #shared(one: readonly FieldDeclaration[], other: readonly FieldDeclaration[]): readonly SharedField[] {
    const shared: SharedField[] = [];
    const open: SharedField[] = [];
    let offset = 0;
    const idAt = this.#protocol.id?.at ?? -1;
    for (const [index, a] of one.entries()) {
      offset += this.#addressAt(offset);
      if (offset === idAt) shared.push(...open.splice(0));
      const b = other[index];
      const size = this.#fixed(a).size;
      if (b === undefined || a.type !== b.type || size === undefined || this.#fixed(b).size !== size) break;
      offset += size;
      if (a.value !== undefined && b.value !== undefined) {
        shared.push(...open.splice(0));
        if (a.value !== b.value) break;
        continue;
      }
      if (a.name === undefined || a.name !== b.name) {
        if (a.type === 'reserved') continue;
        break;
      }
      if (b.value !== undefined || layoutOf(a, true) !== layoutOf(b, true)) break;
      const place = `${offset - size} ${layoutOf(b, true)}`;
      if (a.value === undefined) open.push({ name: a.name, place });
      else if (isPlain(b)) open.push({ name: a.name, place, value: a.value });
    }
    if (offset + this.#addressAt(offset) === idAt) shared.push(...open);
    return shared;
  }

  /** The bytes of the address where it stands at this offset; it is no declared field. */
  #addressAt(offset: number): number {
    const { address, byteOrder } = this.#protocol;
    if (address === undefined || address.at !== offset) return 0;
    return addressForm(address, byteOrder)?.bytes ?? 0;
  }

  /** The size of a field that always has the same, and its bytes where it is a constant. */
  #fixed(field: FieldDeclaration): { readonly size?: number; readonly bytes?: Uint8Array } {
    if (field.when !== undefined) return {};
    const codec = compileField(field, sizingScope(this.#protocol));
    if (codec.min !== codec.max) return {};
    if (codec.silent !== 'constant') return { size: codec.min };
    const writing = new Writing();
    writing.begin(codec.min);
    codec.write(writing, undefined);
    return { size: codec.min, bytes: writing.finish() };
  }
}

function valuesOf(shared: readonly SharedField[], fields: Values): Values {
  const values: Record<string, Value> = {};
  for (const { name, value = fields[name] } of shared) {
    // A structure has no one value to be compared.
    if (value !== undefined && (value === null || typeof value !== 'object')) values[name] = value;
  }
  return values;
}

/** A number that is its raw value. */
const isPlain = ({ scale, offset, enum: names, bits, type }: FieldDeclaration): boolean =>
  scale === undefined &&
  offset === undefined &&
  names === undefined &&
  bits === undefined &&
  type !== 'bytes';

const sameLayout = (one: readonly FieldDeclaration[], other: readonly FieldDeclaration[]): boolean =>
  one.length > 0 &&
  one.length === other.length &&
  one.every((field, index) => {
    const same = other[index];
    return same !== undefined && layoutOf(field, false) === layoutOf(same, false);
  });

/** What decides how a field looks on the wire; with `meaning`, what its value is as well. */
function layoutOf(field: FieldDeclaration, meaning: boolean): string {
  const { type, value, length, encoding, terminator, pad, algorithm, covers, byteOrder, when } = field;
  const { count, of, fields = NO_FIELDS } = field;
  const { scale, offset, enum: names, bits } = field;
  return JSON.stringify([
    [type, length, encoding, terminator, pad, algorithm, covers, byteOrder, when, count],
    meaning ? [scale, offset, names, bits] : [value],
    of === undefined ? [] : layoutOf(of, meaning),
    fields.map((each) => layoutOf(each, meaning)),
  ]);
}
