import type { Presence } from './condition.ts';
import type { FieldCodec } from './field-codec.ts';
import { joinPath, nameIssues, type Reading } from './reading.ts';
import { isValues, ownValue, type Value, type Values } from './value.ts';
import { FieldError, shown, type Writing } from './writing.ts';

/** One field in its place in a structure. */
export interface Member {
  readonly name: string;
  readonly codec: FieldCodec;
  readonly present: Presence | undefined;
  /** The mark that keeps where it lies; -1 for none. */
  readonly mark: number;
  /** The slot in which its raw value is kept; -1 for none. */
  readonly slot: number;
  readonly unit: string | undefined;
  /** Another member whose length or count this one says. */
  readonly counts: string | undefined;
}

/** Fields one behind the other, as an object. */
export function structField(members: readonly Member[]): FieldCodec {
  const visible = new Set(members.filter(({ codec }) => !codec.silent).map(({ name }) => name));
  const byName = new Map(members.map((member) => [member.name, member]));
  const steps: readonly Step[] = members.map(stepOf);
  return {
    min: members.reduce((sum, { codec, present }) => sum + (present === undefined ? codec.min : 0), 0),
    max: members.reduce((sum, { codec }) => sum + codec.max, 0),
    read(reading) {
      const values: Record<string, Value> = {};
      let raws: Record<string, Value> | undefined;
      if (reading.trace !== undefined) return readTraced(members, reading);
      for (let index = 0; index < steps.length; index++) {
        const step = steps[index];
        if (step === undefined) break;
        const value = step.read(reading);
        if (value !== undefined) values[step.name] = value;
        if (reading.raw !== undefined) {
          raws ??= {};
          raws[step.name] = reading.raw;
          reading.raw = undefined;
        }
        if (reading.failure !== undefined) return undefined;
      }
      reading.raw = raws;
      return values;
    },
    write(writing, value) {
      if (!isValues(value))
        throw new FieldError(value === undefined ? 'is missing' : 'must be fields by name', shown(value));
      for (const key of Object.keys(value)) {
        if (visible.has(key) || value[key] === undefined) continue;
        throw new FieldError(
          `there is no such field; there are ${[...visible].join(', ') || 'none'}`,
          shown(value[key]),
          key,
        );
      }
      for (const member of members) writeMember(member, value, byName, writing);
    },
  };
}

interface Step {
  readonly name: string;
  read(reading: Reading): Value | undefined;
}

/** What one member costs: most need neither a condition nor a mark, and their issues are named only if there are any. */
function stepOf(member: Member): Step {
  const { name, codec } = member;
  const read = (reading: Reading): Value | undefined => codec.read(reading);
  if (member.present === undefined && member.mark < 0) {
    return {
      name,
      read(reading) {
        const before = reading.issueCount;
        const value = codec.read(reading);
        if (reading.failure !== undefined) reading.failure.field = joinPath(name, reading.failure.field);
        else if (reading.issueCount !== before) nameIssues(reading, before, name);
        return value;
      },
    };
  }
  return { name, read: (reading) => readMember(member, reading, read) };
}

function readMember(
  { name, present, mark, slot }: Member,
  reading: Reading,
  read: (reading: Reading) => Value | undefined,
): Value | undefined {
  if (present !== undefined && !present(reading.slots)) {
    if (slot >= 0) reading.slots[slot] = Number.NaN;
    if (mark >= 0) reading.marks[2 * mark] = reading.marks[2 * mark + 1] = 0;
    return undefined;
  }
  const at = reading.at;
  const before = reading.issueCount;
  const value = read(reading);
  if (reading.failure !== undefined) {
    reading.failure.field = joinPath(name, reading.failure.field);
    return undefined;
  }
  if (reading.issueCount !== before) nameIssues(reading, before, name);
  if (mark >= 0) {
    reading.marks[2 * mark] = at;
    reading.marks[2 * mark + 1] = reading.at;
  }
  return value;
}

/** The same, with a line in the trace for every field. */
function readTraced(members: readonly Member[], reading: Reading): Values | undefined {
  const values: Record<string, Value> = {};
  let raws: Record<string, Value> | undefined;
  const trace = reading.trace ?? [];
  for (const member of members) {
    const at = reading.at;
    const traced = trace.length;
    reading.raw = undefined;
    reading.depth++;
    const value = readMember(member, reading, (inner) => member.codec.read(inner));
    reading.depth--;
    if (reading.failure !== undefined) return undefined;
    const { raw } = reading;
    if (value !== undefined) values[member.name] = value;
    if (raw !== undefined) {
      raws ??= {};
      raws[member.name] = raw;
    }
    if (reading.at === at && value === undefined) continue;
    for (let each = traced; each < trace.length; each++) {
      const entry = trace[each];
      if (entry !== undefined) trace[each] = { ...entry, field: joinPath(member.name, entry.field) };
    }
    trace.splice(traced, 0, {
      field: member.name,
      offset: at - reading.origin,
      bytes: reading.at - at,
      ...(raw === undefined ? {} : { raw }),
      ...(value === undefined ? {} : { value }),
      ...(member.unit === undefined ? {} : { unit: member.unit }),
      depth: reading.depth,
      ...(member.codec.silent ? { note: 'not a value' } : value === undefined ? { note: 'no value' } : {}),
    });
  }
  reading.raw = raws;
  return values;
}

function writeMember(
  { name, codec, present, mark, slot, counts }: Member,
  values: Values,
  byName: ReadonlyMap<string, Member>,
  writing: Writing,
): void {
  const given = codec.silent ? undefined : ownValue(values, name);
  try {
    if (present !== undefined && !present(writing.slots)) {
      if (given !== undefined) throw new FieldError('is not present beside these values', shown(given));
      if (slot >= 0) writing.slots[slot] = Number.NaN;
      if (mark >= 0) writing.marks[2 * mark] = writing.marks[2 * mark + 1] = 0;
      return;
    }
    const at = writing.at;
    codec.write(writing, given ?? derived(counts, values, byName));
    if (mark >= 0) {
      writing.marks[2 * mark] = at;
      writing.marks[2 * mark + 1] = writing.at;
    }
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new FieldError(error.message, error.seen, joinPath(name, error.path));
  }
}

/** A length or count that is left out follows from what it counts. */
function derived(
  counts: string | undefined,
  values: Values,
  byName: ReadonlyMap<string, Member>,
): number | undefined {
  if (counts === undefined) return undefined;
  const value = ownValue(values, counts);
  return value === undefined ? 0 : byName.get(counts)?.codec.measure?.(value);
}
