import type { FieldCodec, Scope } from './field-codec.ts';
import { numberField } from './number-field.ts';
import type { NumberType } from './number-type.ts';

/** The error code of a reply, which stands beside the fields. */
export function errorCodec(type: NumberType, scope: Scope, slot: number): FieldCodec {
  const codec = numberField({ type: 'i8' }, type, { ...scope, slot });
  return {
    ...codec,
    silent: 'error code',
    read(reading) {
      codec.read(reading);
      return undefined;
    },
    write: (writing) => codec.write(writing, writing.slots[slot] ?? 0),
  };
}
