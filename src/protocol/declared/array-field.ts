import type { FieldDeclaration } from './declaration.ts';
import { extentCodec } from './extent.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import { joinPath, nameIssues, nameTrace, type Reading } from './reading.ts';
import { isAt, type Split, separatorAt } from './split.ts';
import { tooMany } from './text-field.ts';
import type { Value } from './value.ts';
import { FieldError, shown } from './writing.ts';

/** Elements of one kind. */
export function arrayField(declaration: FieldDeclaration, element: FieldCodec, scope: Scope): FieldCodec {
  const extent = extentCodec(
    declaration.count ?? 'rest',
    declaration.until === undefined ? scope : { ...scope, tail: 0 },
  );
  const most = Math.min(declaration.max ?? scope.limit, extent.most);
  const { until } = declaration;
  const rest = until === undefined && (declaration.count === 'rest' || declaration.count === undefined);
  const { columns, columnsBehind: behind = 0 } = scope;
  const wide = columnsOf(declaration.of);
  const ends = ({ bytes, at, end }: Reading): boolean => until !== undefined && isAt(bytes, at, end, until);
  const goesOn = (reading: Reading, index: number, said: number, stop: number): boolean => {
    if (until !== undefined) return !ends(reading);
    if (!rest) return index < said;
    return reading.at < stop && (behind === 0 || hasColumns(reading, wide, columns));
  };
  // A column may be empty, and still is one element.
  const least = scope.columns === undefined ? Math.max(1, element.min) : 0;
  const checked = (value: unknown): readonly unknown[] => {
    if (value === undefined || value === null) throw new FieldError('is missing', shown(value));
    if (!Array.isArray(value)) throw new FieldError('must be a list', shown(value));
    if (value.length > most)
      throw new FieldError(`must have at most ${most} elements`, `${value.length} elements`);
    return value;
  };
  return {
    min: (until?.length ?? 0) + extent.prefix + (extent.fixed ?? 0) * element.min,
    max: extent.prefix + Math.min(most * element.max, scope.limit),
    read(reading) {
      const said = extent.read(reading, Math.max(1, least));
      if (said === undefined) return undefined;
      if (!rest && until === undefined && said > most) return tooMany(reading, said, most, 'elements');
      // A count that the payload cannot hold is refused before a single element is read.
      if (!rest && until === undefined && said * least > reading.end - reading.at)
        return reading.short(said * least);
      const stop = reading.end - scope.tail;
      const values: Value[] = [];
      let raws: Value[] | undefined;
      const firstIssue = reading.issueCount;
      for (let index = 0; goesOn(reading, index, said, stop); index++) {
        if (index >= most) return tooMany(reading, index + 1, most, 'elements');
        const at = reading.at;
        const before = reading.issueCount;
        const traced = reading.trace?.length ?? 0;
        reading.depth++;
        const value = element.read(reading) ?? null;
        reading.depth--;
        const { failure, raw, trace } = reading;
        if (failure !== undefined) {
          failure.field = joinPath(`[${index}]`, failure.field);
          return undefined;
        }
        if (reading.issueCount !== before) nameIssues(reading, before, `[${index}]`);
        if (raw !== undefined && raws === undefined) raws = [...values];
        raws?.push(raw ?? value);
        values.push(value);
        reading.raw = undefined;
        reading.eventful = false;
        if (trace === undefined) continue;
        nameTrace(trace, traced, `[${index}]`, {
          offset: at - reading.origin,
          bytes: reading.at - at,
          ...(raw === undefined ? {} : { raw }),
          value,
          ...(declaration.of?.unit === undefined ? {} : { unit: declaration.of.unit }),
          depth: reading.depth,
        });
      }
      if (until !== undefined) reading.at += until.length;
      if (raws !== undefined) reading.keepRaw(raws);
      if (reading.issueCount !== firstIssue) reading.eventful = true;
      return values;
    },
    check(reading) {
      const said = extent.look(reading, Math.max(1, least));
      if (
        said < 0 ||
        (!rest && until === undefined && (said > most || said * least > reading.end - reading.at))
      )
        return false;
      const stop = reading.end - scope.tail;
      for (let index = 0; goesOn(reading, index, said, stop); index++) {
        if (index >= most || !element.check(reading)) return false;
      }
      if (until !== undefined) reading.at += until.length;
      return true;
    },
    write(writing, value) {
      const elements = checked(value);
      extent.write(writing, elements.length);
      for (const [index, each] of elements.entries()) {
        try {
          const at = writing.at;
          element.write(writing, each);
          if (until !== undefined && isAt(writing.bytes, at, writing.at, until))
            throw new FieldError('begins with what ends the list', shown(each));
        } catch (error) {
          if (!(error instanceof FieldError)) throw error;
          throw new FieldError(error.message, error.seen, joinPath(`[${index}]`, error.path));
        }
      }
      if (until !== undefined) writing.put(until);
    },
    measure: (value) => checked(value).length,
  };
}

/** Columns of one element. */
function columnsOf(element: FieldDeclaration | undefined): number {
  if (element?.type !== 'struct' || element.separator !== undefined) return 1;
  return (element.fields ?? []).reduce((sum, each) => sum + columnsOf(each), 0);
}

/** Whether there are as many columns left: fewer are those behind the list, and no element. */
function hasColumns({ bytes, at, end, column }: Reading, count: number, split: Split | undefined): boolean {
  if (split === undefined) return true;
  let from = at;
  for (let index = 0; index < count; index++) {
    if (from >= end) return false;
    const start = index === 0 && column === 0 ? from : from + split.separator.length;
    from = separatorAt(bytes, start, end, split);
  }
  return true;
}
