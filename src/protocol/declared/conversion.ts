import { atOffset, isoText, parseIso, parseOffset } from './clock-time.ts';
import { fulfilment } from './condition.ts';
import type { FieldDeclaration } from './declaration.ts';
import { enumNames } from './enum-names.ts';
import { clockOfCount, countOfClock, type Epoch, parseEpoch, type TimeUnit } from './epoch.ts';
import type { Scope } from './field-codec.ts';
import { type FieldScale, fieldScale } from './field-scale.ts';
import { checkRange, listed, rangeInWords, scalingOf, within } from './number-field.ts';
import { parseWhole, wholeAsJson } from './number-type.ts';
import { numberOf } from './quantity.ts';
import type { Raw } from './raw-number.ts';
import type { Reading } from './reading.ts';
import type { Scaling } from './scaling.ts';
import type { Value } from './value.ts';
import { FieldError, shown, type Writing } from './writing.ts';

/** Between raw numbers and values: names, times, scale, sign, range. */
export interface Conversion {
  /** Undefined where there is no value; the raw number and issues are left in `reading`. */
  toValue(raw: Raw, reading: Reading): Value | undefined;
  /** @throws FieldError where no raw number means the value */
  toRaw(value: unknown, writing: Writing): Raw;
}

/** What raw numbers there are. */
export interface RawKind {
  readonly whole: boolean;
  readonly least: Raw;
  readonly greatest: Raw;
}

export function conversionOf(declaration: FieldDeclaration, scope: Scope, kind: RawKind): Conversion {
  if (declaration.time !== undefined) return timeConversion(declaration.time, kind);
  return declaration.negative === undefined
    ? plainConversion(declaration, scope, kind)
    : signed(declaration, declaration.negative, scope, kind);
}

function plainConversion(declaration: FieldDeclaration, scope: Scope, kind: RawKind): Conversion {
  const { range, unit } = declaration;
  const names = enumNames(declaration.enum, scope.enums);
  const scale = scaleOf(declaration, scope, kind);
  return {
    toValue(raw, reading) {
      if (names !== undefined) {
        const name = names.nameOf(raw);
        if (name === undefined) reading.issue('unknown_value', `${raw} has no name`);
        else reading.keepRaw(wholeAsJson(raw));
        return name ?? wholeAsJson(raw);
      }
      if (scale === undefined) {
        checkRange(raw, range, reading);
        return wholeAsJson(raw);
      }
      const scaling = scale.of(reading);
      const value = scaling?.toValue(Number(raw));
      if (value === undefined || !Number.isFinite(value)) {
        reading.keepRaw(wholeAsJson(raw));
        if (value !== undefined)
          reading.issue('not_finite', `${raw} in its scale is no number that JSON can carry`);
        else if (scale.absent !== undefined) reading.issue('unknown_value', scale.absent);
        return undefined;
      }
      if (value !== raw) reading.keepRaw(wholeAsJson(raw));
      checkRange(value, range, reading);
      return value;
    },
    toRaw(given, writing) {
      const value = names === undefined ? numberOf(given, unit) : given;
      if (value === undefined || value === null) throw new FieldError('is missing', shown(value));
      if (names !== undefined && typeof value === 'string') {
        const named = names.rawOf(value);
        if (named !== undefined) return named;
      }
      const whole = typeof value === 'string' ? parseWhole(value) : undefined;
      const number = typeof value === 'number' && Number.isFinite(value) ? value : whole;
      if (number === undefined) {
        const wanted = names === undefined ? 'a number' : `one of ${listed(names.names)}, or a number`;
        throw new FieldError(`must be ${wanted}`, shown(value));
      }
      if (range !== undefined && !within(number, range))
        throw new FieldError(`must be ${rangeInWords(range)}`, shown(value));
      const raw = scale === undefined ? number : rawOf(Number(number), scale.of(writing), kind);
      if (kind.whole && typeof raw === 'number' && !Number.isInteger(raw))
        throw new FieldError('must be a whole number', shown(value));
      // Comparing needs no conversion, whichever of the two kinds of numbers they are.
      if (raw < kind.least || raw > kind.greatest) {
        throw new FieldError(
          scale === undefined
            ? `must be ${kind.least} to ${kind.greatest}`
            : 'is beyond what the field can carry',
          shown(value),
        );
      }
      return raw;
    },
  };
}

function rawOf(value: number, scaling: Scaling | undefined, kind: RawKind): number {
  if (scaling === undefined) throw new FieldError('has no scale: give the field that says it', shown(value));
  return kind.whole ? scaling.toRaw(value) + 0 : scaling.toFloat(value);
}

/** The scale that is declared, or that another field of the message says. */
function scaleOf(declaration: FieldDeclaration, scope: Scope, kind: RawKind): FieldScale | undefined {
  if (typeof declaration.scale === 'object')
    return fieldScale(declaration.scale, declaration.offset ?? 0, scope);
  const largest = kind.whole ? Math.max(Math.abs(Number(kind.least)), Number(kind.greatest)) : 1;
  const fixed = scalingOf(declaration, Math.min(largest, Number.MAX_SAFE_INTEGER));
  return fixed === undefined ? undefined : { of: () => fixed };
}

/** The sign stands in another field: the raw number is the amount. */
function signed(
  declaration: FieldDeclaration,
  negative: NonNullable<FieldDeclaration['negative']>,
  scope: Scope,
  kind: RawKind,
): Conversion {
  const isNegative = fulfilment(negative, scope);
  const plain = plainConversion(declaration, scope, { ...kind, least: -kind.greatest });
  return {
    toValue(raw, reading) {
      if (raw === 0 || !isNegative(reading)) return plain.toValue(raw, reading);
      const value = plain.toValue(-raw, reading);
      reading.keepRaw(wholeAsJson(raw));
      return value;
    },
    toRaw(given, writing) {
      const raw = plain.toRaw(given, writing);
      const minus = isNegative(writing);
      // A fraction below the step of the field is neither.
      if (raw !== 0 && raw < 0 !== minus) {
        const sign = minus ? 'at most 0' : 'at least 0';
        throw new FieldError(`must be ${sign}, as \`${negative.field}\` says`, shown(given));
      }
      return minus ? -raw : raw;
    },
  };
}

function timeConversion(
  { epoch: declared = 'unix', unit = 's', zone }: NonNullable<FieldDeclaration['time']>,
  kind: RawKind,
): Conversion {
  const epoch: Epoch = parseEpoch(declared) ?? { ms: 0, leaps: false };
  const offset = parseOffset(zone ?? 'Z') ?? 0;
  const count = unit as TimeUnit; // the lint refuses other units
  return {
    toValue(raw, reading) {
      reading.keepRaw(wholeAsJson(raw));
      const clock = Number.isInteger(Number(raw)) ? clockOfCount(BigInt(raw), epoch, count) : undefined;
      if (clock !== undefined) return isoText({ ...clock, offset });
      reading.issue('bad_time', `${raw} is no time that a calendar has`);
      return undefined;
    },
    toRaw(given) {
      if (given === undefined || given === null) throw new FieldError('is missing', shown(given));
      const time = typeof given === 'string' ? parseIso(given) : undefined;
      if (time?.year === undefined) {
        throw new FieldError('must be a time in ISO 8601, such as 2026-01-31T12:00:00Z', shown(given));
      }
      const raw = countOfClock(atOffset(time, offset), epoch, count);
      if (raw < kind.least || raw > kind.greatest)
        throw new FieldError('is beyond what the field can carry', shown(given));
      return raw;
    },
  };
}
