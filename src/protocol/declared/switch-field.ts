import type { FieldCodec } from './field-codec.ts';
import type { Reading } from './reading.ts';
import { FieldError, shown, type Writing } from './writing.ts';

/** The fields that go with one value of an earlier field. */
export interface Case {
  /** Raw value, or the number of a text. */
  readonly raw: number;
  readonly codec: FieldCodec;
}

/** Fields that an earlier field selects. */
export function switchField(
  cases: readonly Case[],
  otherwise: FieldCodec | undefined,
  slot: number,
  names: string,
): FieldCodec {
  const byRaw = new Map(cases.map(({ raw, codec }) => [raw, codec]));
  const all = [...cases.map(({ codec }) => codec), ...(otherwise === undefined ? [] : [otherwise])];
  const selected = ({ slots }: Reading | Writing): FieldCodec | undefined =>
    byRaw.get(slots[slot] ?? Number.NaN) ?? otherwise;
  return {
    min: Math.min(...all.map(({ min }) => min)),
    max: Math.max(...all.map(({ max }) => max)),
    read(reading) {
      const codec = selected(reading);
      if (codec !== undefined) return codec.read(reading);
      return reading.fail({
        reason: 'bad_constant',
        field: '',
        offset: reading.at - reading.origin,
        expected: `a case that is declared: ${names}`,
        seen: `${reading.slots[slot] ?? 'no value'}`,
      });
    },
    check: (reading) => selected(reading)?.check(reading) ?? false,
    write(writing, value) {
      const codec = selected(writing);
      if (codec === undefined) throw new FieldError(`has no case for this; there are ${names}`, shown(value));
      codec.write(writing, value ?? (codec.max === 0 ? {} : value));
    },
  };
}
