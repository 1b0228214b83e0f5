import type { EnumDeclaration } from './declaration.ts';
import type { FieldCodec, TextNumbers } from './field-codec.ts';
import { listed } from './number-field.ts';
import { FieldError, shown } from './writing.ts';

/** A text with names for what it may say. Of several texts with one name the first is sent. */
export function namedText(codec: FieldCodec, names: EnumDeclaration): FieldCodec {
  const byText = new Map(Object.entries(names));
  const byName = new Map<string, string>();
  for (const [text, name] of byText) if (!byName.has(name)) byName.set(name, text);
  return {
    ...codec,
    read(reading) {
      const text = codec.read(reading);
      if (typeof text !== 'string') return text;
      const name = byText.get(text);
      if (name === undefined) {
        reading.issue('unknown_value', `${JSON.stringify(text.slice(0, 40))} has no name`);
        return text;
      }
      reading.keepRaw(text);
      return name;
    },
    write(writing, value) {
      const text = typeof value === 'string' ? byName.get(value) : undefined;
      if (text === undefined)
        throw new FieldError(`must be one of ${listed([...byName.keys()])}`, shown(value));
      codec.write(writing, text);
    },
  };
}

/** Keeps in its slot which of the texts that conditions name a field has. */
export function textInSlot(codec: FieldCodec, slot: number, numbers: TextNumbers): FieldCodec {
  const numberOf = (value: unknown): number =>
    typeof value === 'string' ? (numbers.get(value) ?? -1) : Number.NaN;
  return {
    ...codec,
    read(reading) {
      const value = codec.read(reading);
      reading.slots[slot] = numberOf(value);
      return value;
    },
    check(reading) {
      const { trace, issues, issueCount, eventful, raw } = reading;
      const value = codec.read(reading);
      const fits = reading.failure === undefined;
      reading.slots[slot] = numberOf(value);
      Object.assign(reading, { trace, issues, issueCount, eventful, raw, failure: undefined });
      return fits;
    },
    write(writing, value) {
      writing.slots[slot] = numberOf(value);
      codec.write(writing, value);
    },
  };
}
