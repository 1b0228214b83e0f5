import {
  type Condition,
  type EnumDeclaration,
  enumNames,
  type FieldDeclaration,
  type ProtocolDeclaration,
  parseBits,
  parseWhole,
  splitReference,
  type TextEncoding,
} from '../protocol/index.ts';

/** Encodings of text as Wireshark knows them. */
export const ENCODINGS: Readonly<Record<TextEncoding, string>> = {
  ascii: 'ENC_ASCII',
  utf8: 'ENC_UTF_8',
  latin1: 'ENC_ISO_8859_1',
  utf16le: 'ENC_UTF_16 + ENC_LITTLE_ENDIAN',
  utf16be: 'ENC_UTF_16 + ENC_BIG_ENDIAN',
  gbk: 'ENC_GB18030',
  gb18030: 'ENC_GB18030',
  big5: 'ENC_BIG5',
  // Wireshark decodes no Shift_JIS.
  shift_jis: 'ENC_ASCII',
  euc_kr: 'ENC_EUC_KR',
  cp1250: 'ENC_WINDOWS_1250',
  cp1251: 'ENC_WINDOWS_1251',
  cp1252: 'ENC_WINDOWS_1252',
  cp1253: 'ENC_ISO_8859_7',
  cp1254: 'ENC_ISO_8859_9',
  cp1255: 'ENC_ISO_8859_8',
  cp1256: 'ENC_ISO_8859_6',
  cp1257: 'ENC_ISO_8859_13',
  cp1258: 'ENC_WINDOWS_1252',
};

export function luaEnum(names: EnumDeclaration): string {
  return `{ ${Object.entries(names)
    .map(([value, name]) => `[${parseWhole(value) ?? 0}] = ${luaText(name)}`)
    .join(', ')} }`;
}

/** A field that later ones may refer to, with the key under which its raw value stands in `v`. */
export interface Referable {
  readonly key: string;
  readonly declaration: FieldDeclaration;
}

/** Earlier fields by name: those of the structures around, then those of this one. */
export type Visible = ReadonlyMap<string, Referable>;

/** The raw value of an earlier field, which is nil where that is absent. */
export const luaValue = (name: string, visible: Visible): string =>
  `v[${luaText(visible.get(name)?.key ?? name)}]`;

/** Bits of a number. Arithmetic instead of bit operators, which differ between the versions of Lua. */
export const luaBits = (number: string, from: number, count: number): string =>
  `math.floor(${number} / ${2 ** from}) % ${2 ** count}`;

/** Whether a field is present. It never is where the field that says so is absent. */
export function luaCondition(
  { field, is, not, gt, lt, mask }: Condition,
  protocol: ProtocolDeclaration,
  visible: Visible,
  ahead?: { readonly read: string; readonly declaration: FieldDeclaration },
): string {
  const [name, bitName] = splitReference(field);
  const target = ahead?.declaration ?? visible.get(name)?.declaration;
  if (target === undefined) return 'true';
  const bit = target.bits?.find((each) => each.name === bitName);
  const bits = bit === undefined ? undefined : parseBits(bit.at);
  const raw = ahead?.read ?? luaValue(name, visible);
  const value = bits === undefined ? raw : luaBits(raw, bits.from, bits.count);
  const names = enumNames(bit === undefined ? target.enum : bit.enum, protocol.enums);
  if (target.type === 'text') return 'true';
  const compared = mask === undefined ? value : luaMasked(value, mask);
  const bounds = [
    ...(gt === undefined ? [] : [`${compared} > ${gt}`]),
    ...(lt === undefined ? [] : [`${compared} < ${lt}`]),
    ...(mask !== undefined && [is, not, gt, lt].every((each) => each === undefined)
      ? [`${compared} ~= 0`]
      : []),
  ];
  if (is === undefined && not === undefined) return [`${raw} ~= nil`, ...bounds].join(' and ');
  const any = [is ?? not ?? []]
    .flat()
    .map((each) => (typeof each === 'string' ? Number(names?.rawOf(each) ?? Number.NaN) : Number(each)))
    .filter((each) => !Number.isNaN(each))
    .map((each) => `${compared} == ${each}`)
    .join(' or ');
  const wanted = any === '' ? 'false' : `(${any})`;
  return [`${raw} ~= nil`, `${is === undefined ? 'not ' : ''}${wanted}`, ...bounds].join(' and ');
}

/** The factor for the sign that another field says; nothing where none does. */
export function luaSign(
  negative: Condition | undefined,
  protocol: ProtocolDeclaration,
  visible: Visible,
  ahead: Parameters<typeof luaCondition>[3],
): string {
  if (negative === undefined) return '';
  return `((${luaCondition(negative, protocol, visible, ahead)}) and -1 or 1) * `;
}

/** Bits of a number by a mask, one run of them after the other. */
function luaMasked(value: string, mask: number): string {
  const runs: string[] = [];
  for (let from = 0; from < 48; from++) {
    if (Math.floor(mask / 2 ** from) % 2 === 0) continue;
    runs.push(`${luaBits(value, from, 1)} * ${2 ** from}`);
  }
  return `(${runs.join(' + ')})`;
}

/** A text as Lua writes it. */
export const luaText = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/g, (char) => [...new TextEncoder().encode(char)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join(''))}"`;
