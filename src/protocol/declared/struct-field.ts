import type { Presence } from './condition.ts';
import type { FieldCodec } from './field-codec.ts';
import type { Counted } from './field-references.ts';
import { joinPath, nameIssues, nameTrace, type Reading } from './reading.ts';
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
  readonly counts: Counted | undefined;
  /** Earlier members need its raw number when they are written: that of a constant, else NaN, and the given one. */
  readonly early?: number;
}

/** Fields one behind the other, as an object. */
export function structField(members: readonly Member[]): FieldCodec {
  const visible = new Set(members.filter(({ codec }) => !codec.silent).map(({ name }) => name));
  const byName = new Map(members.map((member) => [member.name, member]));
  const early = members.filter((member) => member.early !== undefined);
  const readFirst = firstReader(members.slice(0, FIRST));
  const readRest = restReader(members.slice(FIRST));
  return {
    min: members.reduce((sum, { codec, present }) => sum + (present === undefined ? codec.min : 0), 0),
    max: members.reduce((sum, { codec }) => sum + codec.max, 0),
    read(reading) {
      if (reading.trace !== undefined) return readTraced(members, reading);
      const values: Record<string, Value> = {};
      const left: Left = { firstIssue: reading.issueCount, issues: reading.issueCount, raws: undefined };
      if (!readFirst(reading, values, left) || !readRest(reading, values, left)) return undefined;
      leave(reading, left);
      return values;
    },
    check(reading) {
      for (let index = 0; index < members.length; index++) {
        const member = members[index];
        if (member !== undefined && !checkMember(member, reading)) return false;
      }
      return true;
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
      for (const member of early) foresee(member, ownValue(value, member.name), writing);
      for (const member of members) writeMember(member, value, byName, writing);
    },
  };
}

/** Leaves the raw number of a member that is written later. What is wrong with its value is said when it is written. */
function foresee(
  { slot, codec, early = Number.NaN }: Member,
  given: Value | undefined,
  writing: Writing,
): void {
  writing.slots[slot] = typeof given === 'number' ? given : early;
  if (typeof given !== 'string' && !isValues(given)) return;
  const { at } = writing;
  try {
    codec.write(writing, given);
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    writing.slots[slot] = Number.NaN;
  }
  writing.at = at;
}

/** So many members at the front of a structure have places of their own in the code. */
const FIRST = 8;

type ReadMembers = (reading: Reading, values: Record<string, Value>, left: Left) => boolean;

/**
 * Reads up to eight members. Written out, because every store then has a place of its own in the code, where the
 * engine keeps what it knows of the name: where one message makes up most of the traffic, that doubles the speed.
 */
function firstReader(members: readonly Member[]): ReadMembers {
  const nothing: ReadMember = () => undefined;
  const readers = members.map(readerOf);
  const names = members.map(({ name }) => name);
  const [r0 = nothing, r1 = nothing, r2 = nothing, r3 = nothing] = readers;
  const [r4 = nothing, r5 = nothing, r6 = nothing, r7 = nothing] = readers.slice(4);
  const [n0 = '', n1 = '', n2 = '', n3 = '', n4 = '', n5 = '', n6 = '', n7 = ''] = names;
  return (reading, values, left) => {
    const v0 = r0(reading);
    if (v0 !== undefined) values[n0] = v0;
    if (reading.eventful) {
      if (reading.raw !== undefined) rawsOf(left)[n0] = reading.raw;
      if (!takeEvent(reading, n0, left)) return false;
    }
    const v1 = r1(reading);
    if (v1 !== undefined) values[n1] = v1;
    if (reading.eventful) {
      if (reading.raw !== undefined) rawsOf(left)[n1] = reading.raw;
      if (!takeEvent(reading, n1, left)) return false;
    }
    const v2 = r2(reading);
    if (v2 !== undefined) values[n2] = v2;
    if (reading.eventful) {
      if (reading.raw !== undefined) rawsOf(left)[n2] = reading.raw;
      if (!takeEvent(reading, n2, left)) return false;
    }
    const v3 = r3(reading);
    if (v3 !== undefined) values[n3] = v3;
    if (reading.eventful) {
      if (reading.raw !== undefined) rawsOf(left)[n3] = reading.raw;
      if (!takeEvent(reading, n3, left)) return false;
    }
    const v4 = r4(reading);
    if (v4 !== undefined) values[n4] = v4;
    if (reading.eventful) {
      if (reading.raw !== undefined) rawsOf(left)[n4] = reading.raw;
      if (!takeEvent(reading, n4, left)) return false;
    }
    const v5 = r5(reading);
    if (v5 !== undefined) values[n5] = v5;
    if (reading.eventful) {
      if (reading.raw !== undefined) rawsOf(left)[n5] = reading.raw;
      if (!takeEvent(reading, n5, left)) return false;
    }
    const v6 = r6(reading);
    if (v6 !== undefined) values[n6] = v6;
    if (reading.eventful) {
      if (reading.raw !== undefined) rawsOf(left)[n6] = reading.raw;
      if (!takeEvent(reading, n6, left)) return false;
    }
    const v7 = r7(reading);
    if (v7 !== undefined) values[n7] = v7;
    if (reading.eventful) {
      if (reading.raw !== undefined) rawsOf(left)[n7] = reading.raw;
      if (!takeEvent(reading, n7, left)) return false;
    }
    return true;
  };
}

function restReader(members: readonly Member[]): ReadMembers {
  const readers = members.map(readerOf);
  const names = members.map(({ name }) => name);
  return (reading, values, left) => {
    for (let index = 0; index < readers.length; index++) {
      const value = readers[index]?.(reading);
      const name = names[index] ?? '';
      if (value !== undefined) values[name] = value;
      if (!reading.eventful) continue;
      if (reading.raw !== undefined) rawsOf(left)[name] = reading.raw;
      if (!takeEvent(reading, name, left)) return false;
    }
    return true;
  };
}

/** What the members of one structure leave besides their values. */
export interface Left {
  readonly firstIssue: number;
  /** Issues up to this one have their names. */
  issues: number;
  raws: Record<string, Value> | undefined;
}

export function rawsOf(left: Left): Record<string, Value> {
  left.raws ??= {};
  return left.raws;
}

/** Names what a member left; false where the member failed. */
export function takeEvent(reading: Reading, name: string, left: Left): boolean {
  reading.eventful = false;
  reading.raw = undefined;
  if (reading.issueCount !== left.issues) {
    nameIssues(reading, left.issues, name);
    left.issues = reading.issueCount;
  }
  if (reading.failure === undefined) return true;
  reading.failure.field = joinPath(name, reading.failure.field);
  reading.eventful = true;
  return false;
}

/** Passes on what was left, for the structure around this one. */
export function leave(reading: Reading, { firstIssue, issues, raws }: Left): void {
  if (raws !== undefined) reading.keepRaw(raws);
  if (issues !== firstIssue) reading.eventful = true;
}

export type ReadMember = (reading: Reading) => Value | undefined;

/** Most members need neither a condition nor a mark. */
function readerOf(member: Member): ReadMember {
  if (member.present === undefined && member.mark < 0) return member.codec.read;
  return (reading) => readMember(member, reading);
}

export function readMember({ codec, present, mark, slot }: Member, reading: Reading): Value | undefined {
  if (present !== undefined && !present(reading.slots)) {
    if (slot >= 0) reading.slots[slot] = Number.NaN;
    if (mark >= 0) reading.marks[2 * mark] = reading.marks[2 * mark + 1] = 0;
    return undefined;
  }
  const at = reading.at;
  const value = codec.read(reading);
  if (mark >= 0) {
    reading.marks[2 * mark] = at;
    reading.marks[2 * mark + 1] = reading.at;
  }
  return value;
}

function checkMember({ codec, present, mark, slot }: Member, reading: Reading): boolean {
  if (present !== undefined && !present(reading.slots)) {
    if (slot >= 0) reading.slots[slot] = Number.NaN;
    if (mark >= 0) reading.marks[2 * mark] = reading.marks[2 * mark + 1] = 0;
    return true;
  }
  const at = reading.at;
  if (!codec.check(reading)) return false;
  if (mark >= 0) {
    reading.marks[2 * mark] = at;
    reading.marks[2 * mark + 1] = reading.at;
  }
  return true;
}

/** The same, with a line in the trace for every field. */
function readTraced(members: readonly Member[], reading: Reading): Values | undefined {
  const values: Record<string, Value> = {};
  const left = beginLeft(reading);
  for (const member of members) {
    if (!readTracedMember(member, reading, values, left, (from) => readMember(member, from)))
      return undefined;
  }
  leave(reading, left);
  return values;
}

export const beginLeft = (reading: Reading): Left => ({
  firstIssue: reading.issueCount,
  issues: reading.issueCount,
  raws: undefined,
});

/** Reads one member into the values, with a line in the trace where one is kept; false where it failed. */
export function readTracedMember(
  { name, codec, unit }: Pick<Member, 'name' | 'codec' | 'unit'>,
  reading: Reading,
  values: Record<string, Value>,
  left: Left,
  read: ReadMember,
): boolean {
  const { trace, at } = reading;
  const traced = trace?.length ?? 0;
  reading.depth++;
  const value = read(reading);
  reading.depth--;
  const { raw } = reading;
  if (value !== undefined) values[name] = value;
  if (reading.eventful) {
    if (raw !== undefined) rawsOf(left)[name] = raw;
    if (!takeEvent(reading, name, left)) return false;
  }
  if (trace === undefined || (reading.at === at && value === undefined)) return true;
  nameTrace(trace, traced, name, {
    offset: at - reading.origin,
    bytes: reading.at - at,
    ...(raw === undefined ? {} : { raw }),
    ...(value === undefined ? {} : { value }),
    ...(unit === undefined ? {} : { unit }),
    depth: reading.depth,
    ...(codec.silent !== undefined
      ? { note: codec.silent }
      : value === undefined
        ? { note: 'no value' }
        : {}),
  });
  return true;
}

export function writeMember(
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
  counts: Counted | undefined,
  values: Values,
  byName: ReadonlyMap<string, Member>,
): number | undefined {
  if (counts === undefined) return undefined;
  const value = ownValue(values, counts.name);
  const measured = value === undefined ? 0 : byName.get(counts.name)?.codec.measure?.(value);
  return measured === undefined ? undefined : measured - counts.adjust;
}
