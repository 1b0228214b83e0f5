import type { EnumDeclaration } from './declaration.ts';
import { parseWhole } from './number-type.ts';

/** Names of raw values, both ways. */
export interface EnumNames {
  nameOf(raw: number | bigint): string | undefined;
  rawOf(name: string): bigint | undefined;
  readonly names: readonly string[];
}

/** The enum that a field refers to by name, or holds itself. */
export function enumNames(
  declared: string | EnumDeclaration | undefined,
  enums: Readonly<Record<string, EnumDeclaration>>,
): EnumNames | undefined {
  const values =
    typeof declared === 'string' ? (Object.hasOwn(enums, declared) ? enums[declared] : undefined) : declared;
  if (values === undefined) return undefined;
  // Most raw values are small: those need no hashing.
  const small: (string | undefined)[] = new Array(256).fill(undefined);
  const byRaw = new Map<number, string>();
  const wide = new Map<bigint, string>();
  const byName = new Map<string, bigint>();
  for (const [key, name] of Object.entries(values)) {
    const raw = parseWhole(key);
    // The lint refuses what is no whole number.
    if (raw === undefined) continue;
    wide.set(raw, name);
    byRaw.set(Number(raw), name);
    if (raw >= 0n && raw < 256n) small[Number(raw)] = name;
    byName.set(name, raw);
  }
  return {
    nameOf: (raw) => (typeof raw === 'number' ? (small[raw] ?? byRaw.get(raw)) : wide.get(raw)),
    rawOf: (name) => byName.get(name),
    names: [...byName.keys()],
  };
}
