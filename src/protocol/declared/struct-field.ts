import type { Presence } from './condition.ts';
import type { FieldCodec } from './field-codec.ts';
import type { Counted } from './field-references.ts';
import { joinPath, nameIssues, nameTrace, type Reading } from './reading.ts';
import { ROW_LENGTH, rowMaker } from './rows.ts';
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
  const order = [...visible];
  const byName = new Map(members.map((member) => [member.name, member]));
  const early = members.filter((member) => member.early !== undefined);
  const readFirst = members.length <= FEW ? fewReader(members) : firstReader(members.slice(0, ROW_LENGTH));
  const readRest = restReader(members.slice(ROW_LENGTH));
  return {
    min: members.reduce((sum, { codec, present }) => sum + (present === undefined ? codec.min : 0), 0),
    max: members.reduce((sum, { codec }) => sum + codec.max, 0),
    read(reading) {
      if (reading.trace !== undefined) return readTraced(members, reading);
      const left: Left = { firstIssue: reading.issueCount, issues: reading.issueCount, raws: undefined };
      const values = readFirst(reading, left);
      if (values === undefined || !readRest(reading, values, left)) return undefined;
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
      refuseOthers(value, order, visible);
      for (const member of early) foresee(member, ownValue(value, member.name), writing);
      for (let index = 0; index < members.length; index++) {
        const member = members[index];
        if (member !== undefined) writeMember(member, value, byName, writing);
      }
    },
  };
}

/** Values mostly come in the order of their fields: then a look at each name is all. */
function refuseOthers(value: Values, order: readonly string[], visible: ReadonlySet<string>): void {
  let at = 0;
  for (const key in value) {
    if (key === order[at]) {
      at++;
      continue;
    }
    if (visible.has(key) || value[key] === undefined || !Object.hasOwn(value, key)) continue;
    throw new FieldError(
      `there is no such field; there are ${order.join(', ') || 'none'}`,
      shown(value[key]),
      key,
    );
  }
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

/** So many members make a small structure. */
const FEW = 2;

type ReadRow = (reading: Reading, left: Left) => Record<string, Value> | undefined;

/**
 * Reads up to eight members; undefined where one failed. Written out, so that neither a value nor a raw value is put
 * into a list on its way.
 */
function firstReader(members: readonly Member[]): ReadRow {
  const nothing: ReadMember = () => undefined;
  const readers = members.map(readerOf);
  const names = members.map(({ name }) => name);
  const [r0 = nothing, r1 = nothing, r2 = nothing, r3 = nothing] = readers;
  const [r4 = nothing, r5 = nothing, r6 = nothing, r7 = nothing] = readers.slice(4);
  const [n0 = '', n1 = '', n2 = '', n3 = '', n4 = '', n5 = '', n6 = '', n7 = ''] = names;
  const makeRow = rowMaker(names);
  const makeRaws = rowMaker(names);
  return (reading, left) => {
    let raws = 0;
    const v0 = r0(reading);
    let w0: Value | undefined;
    if (reading.eventful) {
      w0 = reading.raw;
      if (w0 !== undefined) raws++;
      if (!takeEvent(reading, n0, left)) return undefined;
    }
    const v1 = r1(reading);
    let w1: Value | undefined;
    if (reading.eventful) {
      w1 = reading.raw;
      if (w1 !== undefined) raws++;
      if (!takeEvent(reading, n1, left)) return undefined;
    }
    const v2 = r2(reading);
    let w2: Value | undefined;
    if (reading.eventful) {
      w2 = reading.raw;
      if (w2 !== undefined) raws++;
      if (!takeEvent(reading, n2, left)) return undefined;
    }
    const v3 = r3(reading);
    let w3: Value | undefined;
    if (reading.eventful) {
      w3 = reading.raw;
      if (w3 !== undefined) raws++;
      if (!takeEvent(reading, n3, left)) return undefined;
    }
    const v4 = r4(reading);
    let w4: Value | undefined;
    if (reading.eventful) {
      w4 = reading.raw;
      if (w4 !== undefined) raws++;
      if (!takeEvent(reading, n4, left)) return undefined;
    }
    const v5 = r5(reading);
    let w5: Value | undefined;
    if (reading.eventful) {
      w5 = reading.raw;
      if (w5 !== undefined) raws++;
      if (!takeEvent(reading, n5, left)) return undefined;
    }
    const v6 = r6(reading);
    let w6: Value | undefined;
    if (reading.eventful) {
      w6 = reading.raw;
      if (w6 !== undefined) raws++;
      if (!takeEvent(reading, n6, left)) return undefined;
    }
    const v7 = r7(reading);
    let w7: Value | undefined;
    if (reading.eventful) {
      w7 = reading.raw;
      if (w7 !== undefined) raws++;
      if (!takeEvent(reading, n7, left)) return undefined;
    }
    if (raws > 0) left.raws = makeRaws(w0, w1, w2, w3, w4, w5, w6, w7);
    return makeRow(v0, v1, v2, v3, v4, v5, v6, v7);
  };
}

/** The same for two at most. What the engine learns of them, many are small, does not blur what it knows of larger ones. */
function fewReader(members: readonly Member[]): ReadRow {
  const nothing: ReadMember = () => undefined;
  const [r0 = nothing, r1 = nothing] = members.map(readerOf);
  const names = members.map(({ name }) => name);
  const [n0 = '', n1 = ''] = names;
  const makeRow = rowMaker(names);
  return (reading, left) => {
    const v0 = r0(reading);
    if (reading.eventful) {
      if (reading.raw !== undefined) rawsOf(left)[n0] = reading.raw;
      if (!takeEvent(reading, n0, left)) return undefined;
    }
    const v1 = r1(reading);
    if (reading.eventful) {
      if (reading.raw !== undefined) rawsOf(left)[n1] = reading.raw;
      if (!takeEvent(reading, n1, left)) return undefined;
    }
    return makeRow(v0, v1, undefined, undefined, undefined, undefined, undefined, undefined);
  };
}

type ReadMembers = (reading: Reading, values: Record<string, Value>, left: Left) => boolean;

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
