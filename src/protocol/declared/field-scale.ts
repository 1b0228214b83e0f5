import type { ScaleDeclaration } from './declaration.ts';
import type { Scope } from './field-codec.ts';
import { listOf } from './number-field.ts';
import { parseNumberType, parseWhole } from './number-type.ts';
import { Reading } from './reading.ts';
import { makeScaling, type Scaling } from './scaling.ts';
import type { Writing } from './writing.ts';

/** The scale of one value. */
export interface FieldScale {
  /** Undefined where the field that says it has no value. */
  of(state: Reading | Writing): Scaling | undefined;
  /** What is to be said where there is none. */
  readonly absent?: string;
}

/** Scales that are kept; a device has few, and hostile bytes may have many. */
const MOST_KEPT = 64;

/** A scale that an earlier field says, or one behind it at a fixed distance. */
export function fieldScale(
  { field, as = 'exponent', times = 1 }: ScaleDeclaration,
  offset: number,
  scope: Scope,
): FieldScale {
  const kept = new Map<number, Scaling>();
  const behind = scope.ahead.get(field);
  const target = scope.targets.get(field);
  const declaration = behind?.declaration ?? target?.declaration;
  const slot = target?.slot ?? -1;
  const rawFrom = (state: Reading | Writing): number => {
    if (behind === undefined) return state.slots[slot] ?? Number.NaN;
    return state instanceof Reading ? behind.peek(state) : behind.written(state);
  };
  const type = declaration && parseNumberType(declaration.type, scope.byteOrder);
  const none = listOf(declaration?.invalid ?? []).map((each) => {
    const whole = parseWhole(each) ?? 0n;
    return Number(type?.signed === true ? BigInt.asIntN(8 * type.bytes, whole) : whole);
  });
  return {
    absent: `\`${field}\` says no scale`,
    of(state) {
      const raw = rawFrom(state);
      if (Number.isNaN(raw) || none.includes(raw)) return undefined;
      let scaling = kept.get(raw);
      if (scaling === undefined) {
        const scale = as === 'exponent' ? shifted(times, raw) : Number((times * raw).toPrecision(15));
        if (kept.size >= MOST_KEPT) kept.clear();
        scaling = makeScaling(scale, offset, Number.MAX_SAFE_INTEGER);
        kept.set(raw, scaling);
      }
      return scaling;
    },
  };
}

/** The decimal number, with its point moved: 0.1 and -1 are 0.01, not 0.010000000000000002. */
function shifted(times: number, exponent: number): number {
  const text = String(times);
  return text.includes('e') ? times * 10 ** exponent : Number(`${text}e${exponent}`);
}
