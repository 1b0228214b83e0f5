import { findChecksum } from '../crc/catalogue.ts';
import type { Checksum, WideChecksum } from '../crc/checksum.ts';
import type { DeclaredMessage, InvalidPayload } from '../message.ts';
import { ASSEMBLE_KEYS, WITHIN_MS } from './assemble-keys.ts';
import type { MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import type { FieldIssue, Value, Values } from './value.ts';

const NO_BYTES = new Uint8Array(0);

type Assemble = NonNullable<MessageDeclaration['assemble']>;

/** What became of one part. */
export interface Assembled {
  /** The group that it completes. */
  readonly group: DeclaredMessage | undefined;
  /** A group that will not be completed. */
  readonly incomplete: InvalidPayload | undefined;
}

/** Assembles the groups of one link from the messages that come over it. Times in monotonic ms. */
export class Assembler {
  readonly #groups: readonly Group[];
  readonly #byPart: ReadonlyMap<string, Group>;

  /**
   * `joins`: the device may have spoken before the link began, so that the first group whose beginning nothing marks may be
   * the rest of one.
   */
  constructor({ messages }: Pick<ProtocolDeclaration, 'messages'>, { joins = false } = {}) {
    this.#groups = messages.flatMap(({ name, assemble }) =>
      assemble === undefined ? [] : [new Group(name, assemble, joins)],
    );
    this.#byPart = new Map(this.#groups.flatMap((group) => group.parts.map((part) => [part, group])));
  }

  /** Takes a message; undefined where it is no part of a group. */
  take(message: DeclaredMessage, now: number): Assembled | undefined {
    return this.#byPart.get(message.message)?.take(message, now);
  }

  /** When the first of the open groups will have taken too long; never where none is open. */
  nextDeadline(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const group of this.#groups) first = Math.min(first, group.dueAt);
    return first;
  }

  /** The groups that have taken too long, whether or not another part comes. */
  expire(now: number): readonly InvalidPayload[] {
    return this.#groups.flatMap((group) => group.expire(now) ?? []);
  }

  /** Something on the line could not be read: it may have been a part. */
  interrupt(): readonly InvalidPayload[] {
    return this.#groups.flatMap((group) => group.drop('a message that could not be read') ?? []);
  }
}

interface Open {
  readonly fields: Record<string, Value>;
  readonly raw: Record<string, Value>;
  readonly issues: FieldIssue[];
  readonly startedAt: number;
  readonly first: Values;
  count: number;
  register: number | bigint;
}

/**
 *   waiting --a part that may begin--> open --parts in order--> open --the last one--> waiting, with a group
 *   open --another order, too many, a wrong checksum--> waiting, with a report; the part may begin again
 *   open --its deadline--> waiting, with a report
 *
 * The rest of a group, of which the beginning came before the link or was reported with what cut it, is no second fault:
 * where only the checksum shows that it is no whole one, it is passed over.
 */
class Group {
  readonly parts: readonly string[];
  readonly #name: string;
  readonly #assemble: Assemble;
  readonly #checksum: Checksum | WideChecksum | undefined;
  readonly #joins: boolean;
  #open: Open | undefined;
  /** What comes next may be the rest of a group. */
  #mayBeRest: boolean;

  constructor(name: string, assemble: Assemble, joins: boolean) {
    this.#joins = joins;
    this.#mayBeRest = joins;
    this.#name = name;
    this.#assemble = assemble;
    this.parts = assemble.parts;
    this.#checksum = assemble.checksum === undefined ? undefined : findChecksum(assemble.checksum.algorithm);
  }

  /** The first instant at which the open group has taken too long. */
  get dueAt(): number {
    if (this.#open === undefined) return Number.POSITIVE_INFINITY;
    return this.#open.startedAt + (this.#assemble.withinMs ?? WITHIN_MS) + 1;
  }

  expire(now: number): InvalidPayload | undefined {
    return now < this.dueAt ? undefined : this.drop(this.#tooLong());
  }

  take(part: DeclaredMessage, now: number): Assembled {
    const wrong = this.#open === undefined ? undefined : this.#against(this.#open, part, now);
    const incomplete = wrong === undefined ? undefined : this.drop(wrong);
    if (this.#open === undefined) {
      // A part of a group whose beginning was missed: that was reported, or came before the link.
      if (!this.#begins(part)) return { group: undefined, incomplete };
      this.#open = {
        fields: {},
        raw: {},
        issues: [],
        startedAt: now,
        first: part.fields,
        count: 0,
        register: this.#checksum?.initial ?? 0,
      };
    }
    this.#add(this.#open, part);
    if (!this.#ends(this.#open, part)) return { group: undefined, incomplete };
    const open = this.#open;
    const rest = this.#mayBeRest;
    this.#mayBeRest = false;
    if (!this.#isRight(open)) {
      const wrong = this.#report(open, 'a wrong checksum');
      this.#open = undefined;
      return { group: undefined, incomplete: rest ? incomplete : wrong };
    }
    this.#open = undefined;
    const { fields, raw, issues } = open;
    return {
      group: { name: 'declared', message: this.#name, kind: 'notice', fields, raw, issues },
      incomplete,
    };
  }

  /** Gives up the group that is open, and says why. */
  drop(why: string): InvalidPayload | undefined {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return undefined;
    this.#mayBeRest = this.#joins;
    return this.#report(open, why);
  }

  #report({ count }: Open, why: string): InvalidPayload {
    return {
      name: 'invalid',
      kind: 'notice',
      message: this.#name,
      field: '',
      offset: 0,
      expected: 'all parts of the group, in their order',
      seen: `${count} ${count === 1 ? 'part' : 'parts'}, and ${why}`,
      reason: 'incomplete',
    };
  }

  #tooLong(): string {
    return `more than ${this.#assemble.withinMs ?? WITHIN_MS} ms`;
  }

  #begins({ message, fields }: DeclaredMessage): boolean {
    const { first, number } = this.#assemble;
    if (first !== undefined) return message === first;
    return number === undefined || fields[number] === 1;
  }

  /** Why a part does not go on with the group; undefined where it does. */
  #against(open: Open, { message, fields }: DeclaredMessage, now: number): string | undefined {
    const { first, number, total, same = [], max = ASSEMBLE_KEYS.max.default } = this.#assemble;
    if (now >= this.dueAt) return this.#tooLong();
    if (message === first) return 'the beginning of another one';
    if (number !== undefined && fields[number] !== open.count + 1)
      return `part ${String(fields[number])} instead of ${open.count + 1}`;
    const differs = [...same, ...(total === undefined ? [] : [total])].find(
      (name) => fields[name] !== open.first[name],
    );
    if (differs !== undefined) return `another ${differs}`;
    return open.count >= max ? `more than ${max} parts` : undefined;
  }

  #add(open: Open, { fields, raw, issues, payload = NO_BYTES }: DeclaredMessage): void {
    const { lists = [], checksum } = this.#assemble;
    open.count++;
    open.issues.push(...issues);
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue;
      const before = open.fields[name];
      const joined = lists.includes(name) && Array.isArray(before) && Array.isArray(value);
      open.fields[name] = joined ? [...before, ...value] : value;
      const own = raw[name];
      if (own !== undefined && !joined) open.raw[name] = own;
      else delete open.raw[name];
    }
    for (const bytes of [checksum?.before ?? NO_BYTES, payload, checksum?.behind ?? NO_BYTES])
      open.register = this.#update(open.register, bytes);
  }

  #update(register: number | bigint, bytes: Uint8Array): number | bigint {
    const checksum = this.#checksum;
    if (checksum === undefined) return register;
    return checksum.wide
      ? checksum.update(BigInt(register), bytes, 0, bytes.length)
      : checksum.update(Number(register), bytes, 0, bytes.length);
  }

  #ends(open: Open, { message, fields }: DeclaredMessage): boolean {
    const { last, total } = this.#assemble;
    if (last !== undefined) return message === last;
    return total !== undefined && Number(fields[total]) <= open.count;
  }

  #isRight({ register }: Open): boolean {
    const checksum = this.#checksum;
    if (checksum === undefined) return true;
    const result = checksum.wide ? checksum.finish(BigInt(register)) : checksum.finish(Number(register));
    return BigInt(result) === BigInt(this.#assemble.checksum?.result ?? 0);
  }
}
