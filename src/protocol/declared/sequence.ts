import { addressForm } from './address-field.ts';
import { compileField } from './compile-fields.ts';
import type { FieldDeclaration, ProtocolDeclaration } from './declaration.ts';
import { parseNumberType } from './number-type.ts';
import { sizingScope } from './sizing.ts';

interface Found {
  readonly name: string | undefined;
}

/** The numbers that tell the requests of one protocol apart, and where they stand. */
export class SequenceRule {
  readonly first: number;
  /** How many numbers there are, from 0. */
  readonly modulus: number;
  readonly #protocol: ProtocolDeclaration;
  /** What was found; every answer and every request asks. */
  readonly #fields = { message: new WeakMap<object, Found>(), reply: new WeakMap<object, Found>() };

  /** Undefined where the protocol counts nothing. */
  static of(protocol: ProtocolDeclaration): SequenceRule | undefined {
    return protocol.sequence === undefined ? undefined : new SequenceRule(protocol);
  }

  private constructor(protocol: ProtocolDeclaration) {
    const type = parseNumberType(protocol.sequence?.type ?? '', protocol.byteOrder);
    this.#protocol = protocol;
    this.modulus = 2 ** (8 * (type?.bytes ?? 1));
    this.first = (protocol.sequence?.first ?? 0) % this.modulus;
  }

  /** The number behind another one. */
  next(number: number): number {
    return number + 1 < this.modulus ? number + 1 : this.first;
  }

  /** The field of a message, or of a reply, that holds the number; undefined where it has none. */
  fieldOf(fields: readonly FieldDeclaration[], kind: 'message' | 'reply'): string | undefined {
    const known = this.#fields[kind];
    const before = known.get(fields);
    if (before !== undefined) return before.name;
    const name = this.#find(fields, kind);
    known.set(fields, { name });
    return name;
  }

  #find(fields: readonly FieldDeclaration[], kind: 'message' | 'reply'): string | undefined {
    const { sequence, id, error, byteOrder, address } = this.#protocol;
    if (sequence === undefined) return undefined;
    const wanted = parseNumberType(sequence.type, byteOrder);
    const idBytes = id === undefined ? 0 : (parseNumberType(id.type, byteOrder)?.bytes ?? 0);
    const errorBytes =
      kind === 'message' || error === undefined ? 0 : (parseNumberType(error, byteOrder)?.bytes ?? 0);
    const addressBytes = address === undefined ? 0 : (addressForm(address, byteOrder)?.bytes ?? 0);
    const heads = [
      { at: id?.at ?? 0, bytes: idBytes + errorBytes },
      { at: address?.at ?? 0, bytes: addressBytes },
    ].sort((a, b) => a.at - b.at);
    let offset = 0;
    for (const field of fields) {
      while (heads[0] !== undefined && offset >= heads[0].at) offset += heads.shift()?.bytes ?? 0;
      if (offset > sequence.at) return undefined;
      if (offset === sequence.at) {
        const type = parseNumberType(field.type, byteOrder);
        const same =
          type?.kind === 'int' &&
          !type.signed &&
          type.bytes === wanted?.bytes &&
          type.little === wanted.little;
        return same && isPlain(field) ? field.name : undefined;
      }
      const codec = compileField(field, sizingScope(this.#protocol));
      if (codec.min !== codec.max || field.when !== undefined) return undefined;
      offset += codec.min;
    }
    return undefined;
  }
}

const isPlain = ({ scale, offset, enum: names, bits, value, when, invalid }: FieldDeclaration): boolean =>
  [scale, offset, names, bits, value, when, invalid].every((each) => each === undefined);
