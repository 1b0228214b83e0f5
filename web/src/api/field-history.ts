import { isNumber, isObject, listOf, textOf } from './json.ts';

/** A point of a field: what was least, greatest and last within the resolution. */
export interface Point {
  readonly t: number;
  readonly least: number;
  readonly greatest: number;
  readonly last: number;
}

export interface Gap {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

export interface FieldHistory {
  readonly unit: string;
  readonly points: readonly Point[];
  readonly gaps: readonly Gap[];
  readonly resolutionMs: number;
  /** Of a field that holds texts. */
  readonly texts: ReadonlyArray<readonly [at: number, text: string]>;
}

/** The answer of the history, as far as it is well-formed. */
export function fieldHistoryOf(answer: unknown): FieldHistory {
  const body = isObject(answer) ? answer : {};
  const rows = listOf(body.points).filter(Array.isArray);
  return {
    unit: textOf(body.unit),
    resolutionMs: isNumber(body.resolution_ms) ? body.resolution_ms : 0,
    points: rows.flatMap(([t, least, greatest, last]): Point[] =>
      isNumber(t) && isNumber(least) && isNumber(greatest) && isNumber(last)
        ? [{ t, least, greatest, last }]
        : [],
    ),
    texts: rows.flatMap(([t, , , text]): [number, string][] =>
      isNumber(t) && typeof text === 'string' ? [[t, text]] : [],
    ),
    gaps: listOf(body.gaps).flatMap((gap): Gap[] => {
      if (!Array.isArray(gap)) return [];
      const [from, to, reason] = gap;
      return isNumber(from) && isNumber(to) ? [{ from, to, reason: textOf(reason) }] : [];
    }),
  };
}
