import type { ProtocolDeclaration } from '../protocol/index.ts';

/** A declaration as JSON: bytes, maps and numbers that JSON lacks stand under a key of their own. */
export function declarationText(declaration: ProtocolDeclaration): string {
  return JSON.stringify(packed(declaration));
}

/** The declaration of a text that `declarationText` made. */
export function readDeclaration(text: string): ProtocolDeclaration {
  return unpacked(JSON.parse(text)) as ProtocolDeclaration; // as it was packed
}

function packed(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $u8: [...value] };
  if (value instanceof Int16Array) return { $i16: [...value] };
  if (value instanceof Map) return { $map: [...value].map(([key, each]) => [packed(key), packed(each)]) };
  if (typeof value === 'bigint') return { $big: String(value) };
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
    return { $number: Object.is(value, -0) ? '-0' : String(value) };
  if (Array.isArray(value)) return value.map(packed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, packed(each)]));
}

function unpacked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpacked);
  if (typeof value !== 'object' || value === null) return value;
  const [first, ...others] = Object.entries(value);
  if (first !== undefined && others.length === 0) {
    const [key, content] = first as [string, unknown];
    if (key === '$u8') return Uint8Array.from(content as number[]);
    if (key === '$i16') return Int16Array.from(content as number[]);
    if (key === '$map')
      return new Map(
        (content as [unknown, unknown][]).map(([name, each]) => [unpacked(name), unpacked(each)]),
      );
    if (key === '$big') return BigInt(content as string);
    if (key === '$number') return Number(content);
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unpacked(each)]));
}
