import { type AddressBlock, parseBlock } from '../contract/index.ts';
import type { DeviceConfig, MatchConfig } from './model.ts';

/** A `match` made ready to be compared with many others. */
export interface MatchRule {
  readonly imei: string | undefined;
  /** In lower case: UUIDs do not differ by it. */
  readonly appid: string | undefined;
  readonly from: readonly AddressBlock[] | undefined;
  /** It never registers: every peer that dials in from there is this device. */
  readonly bare: boolean;
}

export function matchRule(
  { imei, identity, appid, from }: MatchConfig,
  { bare, login }: DeviceConfig['session'],
): MatchRule {
  return {
    bare: bare !== undefined && login !== true,
    imei: identity ?? imei,
    appid: appid?.toLowerCase(),
    from: from?.flatMap((text) => parseBlock(text) ?? []),
  };
}

/** Whether every peer that matches `b` matches `a`. */
export function ruleCovers(a: MatchRule, b: MatchRule): boolean {
  if (a.imei !== undefined && a.imei !== b.imei) return false;
  if (a.appid !== undefined && a.appid !== b.appid) return false;
  if (a.from === undefined) return true;
  return b.from?.every((one) => a.from?.some((other) => inside(one, other))) ?? false;
}

/** Whether the first block lies in the second. */
const inside = (inner: AddressBlock, outer: AddressBlock): boolean =>
  inner.prefix >= outer.prefix && keyOf(inner, outer.prefix) === keyOf(outer, outer.prefix);

/** The leading bits of a block, in a form that only equal ones of one family share. */
function keyOf({ bytes }: AddressBlock, bits: number): string {
  let key = `${bytes.length} ${bits}`;
  for (let bit = 0, index = 0; bit < bits; bit += 8, index++) {
    key += ` ${(bytes[index] ?? 0) & (0xff << Math.max(0, bit + 8 - bits))}`;
  }
  return key;
}

type Lengths = readonly number[];

/**
 * Finds, for each rule in its turn, the first one before it that a peer can match too. It compares no two of them: the
 * cost of a rule depends on its own networks and on how many lengths of prefixes there are, not on how many rules.
 */
export class MatchRivals {
  readonly #lengths: Lengths;
  readonly #all: Earlier;
  /** Without an IMEI: only these, and equal IMEIs, concern a rule that has one. */
  readonly #open: Earlier;
  /** The only rule of an IMEI so far, by its index. */
  readonly #sole = new Map<string, readonly [MatchRule, number]>();
  readonly #repeated = new Map<string, Earlier>();
  #count = 0;

  /** `rules`: all that are to come. */
  constructor(rules: readonly MatchRule[]) {
    const prefixes = rules.flatMap(({ from }) => from?.map(({ prefix }) => prefix) ?? []);
    this.#lengths = [...new Set(prefixes)].sort((a, b) => a - b);
    this.#all = new Earlier(this.#lengths);
    this.#open = new Earlier(this.#lengths);
  }

  /** The index of the first earlier rule that overlaps with this one, the next. */
  next(rule: MatchRule): number | undefined {
    const index = this.#count++;
    const { imei } = rule;
    const rival =
      imei === undefined
        ? this.#all.first(rule)
        : (this.#firstOf(imei, rule, index) ?? this.#open.first(rule));
    this.#all.add(rule, index);
    if (imei === undefined) this.#open.add(rule, index);
    return rival;
  }

  #firstOf(imei: string, rule: MatchRule, index: number): number | undefined {
    const sole = this.#sole.get(imei);
    if (sole === undefined) {
      this.#sole.set(imei, [rule, index]);
      return undefined;
    }
    let same = this.#repeated.get(imei);
    if (same === undefined) {
      same = new Earlier(this.#lengths);
      same.add(...sole);
      this.#repeated.set(imei, same);
    }
    const rival = same.first(rule);
    same.add(rule, index);
    return rival;
  }
}

/** Rules whose IMEIs do not part them, by what else does. */
class Earlier {
  readonly #lengths: Lengths;
  readonly #all: Networks;
  /** Those with an application id, by it; those without at ''. */
  readonly #byAppid = new Map<string, Networks>();

  constructor(lengths: Lengths) {
    this.#lengths = lengths;
    this.#all = new Networks(lengths);
  }

  add(rule: MatchRule, index: number): void {
    this.#all.add(rule, index);
    const { appid = '' } = rule;
    const known = this.#byAppid.get(appid) ?? new Networks(this.#lengths);
    this.#byAppid.set(appid, known);
    known.add(rule, index);
  }

  first(rule: MatchRule): number | undefined {
    if (rule.appid === undefined) return this.#all.first(rule);
    return least(this.#byAppid.get(rule.appid)?.first(rule), this.#byAppid.get('')?.first(rule));
  }
}

interface Firsts {
  bare?: number;
  registering?: number;
}

const kindOf = ({ bare }: MatchRule): keyof Firsts => (bare ? 'bare' : 'registering');

/** Rules by their networks: of each network, the first rule that has it, or has a part of it. */
class Networks {
  readonly #lengths: Lengths;
  readonly #first: Firsts = {};
  /** Of any address. */
  readonly #anywhere: Firsts = {};
  readonly #at = new Map<string, number>();
  /** Networks that hold those of a rule; of the lengths that some rule has. */
  readonly #above = new Map<string, number>();

  constructor(lengths: Lengths) {
    this.#lengths = lengths;
  }

  add(rule: MatchRule, index: number): void {
    const kind = kindOf(rule);
    this.#first[kind] ??= index;
    if (rule.from === undefined) this.#anywhere[kind] ??= index;
    for (const block of rule.from ?? []) {
      for (const length of this.#lengths) {
        if (length <= block.prefix) keepFirst(this.#above, keyOf(block, length), index);
      }
      keepFirst(this.#at, keyOf(block, block.prefix), index);
    }
  }

  first(rule: MatchRule): number | undefined {
    const kind = kindOf(rule);
    // No device registers from the address of one that never does, unless its own match names the address too.
    if (rule.from === undefined) return this.#first[kind];
    let first = this.#anywhere[kind];
    for (const block of rule.from) {
      for (const length of this.#lengths) {
        if (length <= block.prefix) first = least(first, this.#at.get(keyOf(block, length)));
      }
      first = least(first, this.#above.get(keyOf(block, block.prefix)));
    }
    return first;
  }
}

function keepFirst(indices: Map<string, number>, key: string, index: number): void {
  if (!indices.has(key)) indices.set(key, index);
}

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a;
