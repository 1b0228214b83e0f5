import { compileField } from '../protocol/declared/compile-fields.ts';
import type {
  Condition,
  EnumDeclaration,
  Extent,
  FieldDeclaration,
  ProtocolDeclaration,
  TextEncoding,
} from '../protocol/declared/declaration.ts';
import { sizingScope } from '../protocol/declared/lint-fields.ts';
import { type NumberType, parseNumberType, parseWhole } from '../protocol/declared/number-type.ts';

/** A text as Lua writes it. */
export const luaText = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/g, (char) => [...new TextEncoder().encode(char)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join(''))}"`;

const ENCODINGS: Readonly<Record<TextEncoding, string>> = {
  ascii: 'ENC_ASCII',
  utf8: 'ENC_UTF_8',
  latin1: 'ENC_ISO_8859_1',
  utf16le: 'ENC_UTF_16 + ENC_LITTLE_ENDIAN',
  utf16be: 'ENC_UTF_16 + ENC_BIG_ENDIAN',
};

/** Writes the Lua that shows fields, and remembers which Wireshark fields they need. */
export class LuaFields {
  readonly #declared = new Map<string, string>();

  /** The declarations of all fields so far. */
  declarations(): string[] {
    return [...this.#declared].map(([key, make]) => `f[${luaText(key)}] = ${make}`);
  }

  /** The error code of a reply, one byte, signed. Fields follow only success. */
  error(names: EnumDeclaration): string[] {
    this.#field('error', `ProtoField.int8("heartwire.error", "Error", base.DEC, ${luaEnum(names)})`);
    return [
      '  need(at, 1, stop)',
      '  tree:add(f["error"], buf(at, 1))',
      '  if buf(at, 1):int() ~= 0 then return at + 1 end',
      '  at = at + 1',
    ];
  }

  /** The same, with the lines of a head in front of the first field at its offset or behind it. */
  headed(
    fields: readonly FieldDeclaration[],
    path: string,
    protocol: ProtocolDeclaration,
    head: { readonly at: number; readonly lines: readonly string[] },
  ): string[] {
    let offset = 0;
    const before = fields.findIndex((field) => {
      if (offset >= head.at) return true;
      offset += fixedBytes(field, protocol);
      return false;
    });
    const count = before < 0 ? fields.length : before;
    const all = this.#each(fields, path, protocol);
    return [...all.slice(0, count).flat(), ...head.lines, ...all.slice(count).flat()];
  }

  /** Shows fields one behind the other; `at` moves on. */
  sequence(fields: readonly FieldDeclaration[], path: string, protocol: ProtocolDeclaration): string[] {
    return this.#each(fields, path, protocol).flat();
  }

  #each(fields: readonly FieldDeclaration[], path: string, protocol: ProtocolDeclaration): string[][] {
    return fields.map((field, index) => {
      const tail = fields.slice(index + 1).reduce((sum, each) => sum + fixedBytes(each, protocol), 0);
      const lines = this.#one(field, `${path}.${field.name ?? `field_${index + 1}`}`, protocol, tail);
      if (field.when === undefined) return lines;
      return [
        `if ${condition(field.when, protocol, fields)} then`,
        ...lines.map((line) => `  ${line}`),
        'end',
      ];
    });
  }

  #one(field: FieldDeclaration, path: string, protocol: ProtocolDeclaration, tail: number): string[] {
    const type = parseNumberType(field.type, protocol.byteOrder);
    if (type !== undefined) return this.#number(field, type, path, protocol);
    switch (field.type) {
      case 'text':
        return this.#span(field, path, protocol, tail, 'string');
      case 'bytes':
      case 'reserved':
        return this.#span(field, path, protocol, tail, 'bytes');
      case 'struct':
        return this.sequence(field.fields ?? [], path, protocol);
      case 'array':
        return this.#array(field, path, protocol, tail);
      case 'crc':
        this.#field(path, `ProtoField.bytes(${luaText(`heartwire.${path}`)}, ${label(path)})`);
        return take(path, fixedBytes(field, protocol));
      default:
        return [];
    }
  }

  #number(field: FieldDeclaration, type: NumberType, path: string, protocol: ProtocolDeclaration): string[] {
    const { bytes, kind, signed, little } = type;
    const width =
      kind === 'float'
        ? bytes === 4
          ? 'float'
          : 'double'
        : `${signed ? '' : 'u'}int${bytes === 3 ? 24 : bytes <= 2 || bytes === 4 ? bytes * 8 : 64}`;
    const names = typeof field.enum === 'string' ? protocol.enums[field.enum] : field.enum;
    const more = names !== undefined && kind === 'int' && bytes <= 4 ? `, base.DEC, ${luaEnum(names)}` : '';
    this.#field(path, `ProtoField.${width}(${luaText(`heartwire.${path}`)}, ${label(path)}${more})`);
    const range = `buf(at, ${bytes})`;
    const read =
      kind === 'float'
        ? `${little ? 'le_' : ''}float()`
        : `${little ? 'le_' : ''}${signed ? '' : 'u'}int${bytes > 4 ? '64' : ''}()${bytes > 4 ? ':tonumber()' : ''}`;
    const lines = [`need(at, ${bytes}, stop)`, `v[${luaText(field.name ?? path)}] = ${range}:${read}`];
    const item = `tree:add${little ? '_le' : ''}(f[${luaText(path)}], ${range})`;
    const { scale = 1, offset = 0, unit } = field;
    const scaled = scale !== 1 || offset !== 0 || unit !== undefined;
    if (scaled) {
      const value = `string.format("%.10g", v[${luaText(field.name ?? path)}] * ${scale} + ${offset})`;
      lines.push(
        `${item}:append_text(" = " .. ${value}${unit === undefined ? '' : ` .. ${luaText(` ${unit}`)}`})`,
      );
    } else {
      lines.push(item);
    }
    if (kind === 'int' && bytes <= 4) lines.push(...this.#bits(field, path, range, read));
    return [...lines, `at = at + ${bytes}`];
  }

  #bits(field: FieldDeclaration, path: string, range: string, read: string): string[] {
    return (field.bits ?? []).flatMap(({ name, at }) => {
      const [from = 0, to = from] = String(at).split('..').map(Number);
      const key = `${path}.${name}`;
      this.#field(key, `ProtoField.uint32(${luaText(`heartwire.${key}`)}, ${label(key)})`);
      // Arithmetic instead of bit operators, which differ between the versions of Lua.
      return [
        `tree:add(f[${luaText(key)}], ${range}, math.floor(${range}:${read} / ${2 ** from}) % ${2 ** (to - from + 1)})`,
      ];
    });
  }

  #span(
    field: FieldDeclaration,
    path: string,
    protocol: ProtocolDeclaration,
    tail: number,
    as: 'string' | 'bytes',
  ): string[] {
    this.#field(path, `ProtoField.${as}(${luaText(`heartwire.${path}`)}, ${label(path)})`);
    const constant = field.value !== undefined || field.type === 'reserved';
    const length = constant ? fixedBytes(field, protocol) : (field.length ?? 'rest');
    const show =
      as === 'string'
        ? `tree:add(f[${luaText(path)}], buf(at, n), text(buf(at, n), ${ENCODINGS[field.encoding ?? 'ascii']}))`
        : `tree:add(f[${luaText(path)}], buf(at, n))`;
    if (field.terminator !== undefined && !constant) {
      return [
        'do',
        '  local n = 0',
        `  while at + n < stop and buf(at + n, 1):uint() ~= ${field.terminator} do n = n + 1 end`,
        `  if n > 0 then ${show} end`,
        '  at = at + n + 1',
        'end',
      ];
    }
    return [
      'do',
      ...extent(length, protocol, tail).map((line) => `  ${line}`),
      '  need(at, n, stop)',
      `  if n > 0 then ${show} end`,
      '  at = at + n',
      'end',
    ];
  }

  #array(field: FieldDeclaration, path: string, protocol: ProtocolDeclaration, tail: number): string[] {
    const element = field.of;
    if (element === undefined) return [];
    const body = this.#one({ ...element, name: field.name ?? 'element' }, path, protocol, 0);
    const inner = body.map((line) => `    ${line}`);
    if (field.count === 'rest' || field.count === undefined) {
      return [
        `while at < stop - ${tail} do`,
        '  local before = at',
        ...inner,
        '  if at == before then break end',
        'end',
      ];
    }
    return [
      'do',
      ...extent(field.count, protocol, 0).map((line) => `  ${line}`),
      '  for _ = 1, n do',
      ...inner,
      '  end',
      'end',
    ];
  }

  #field(key: string, make: string): void {
    this.#declared.set(key, make);
  }
}

const label = (path: string): string => luaText(path.slice(path.indexOf('.') + 1));

function take(path: string, bytes: number): string[] {
  return [
    `need(at, ${bytes}, stop)`,
    `tree:add(f[${luaText(path)}], buf(at, ${bytes}))`,
    `at = at + ${bytes}`,
  ];
}

/** Lines that set `n`. */
function extent(of: Extent, protocol: ProtocolDeclaration, tail: number): string[] {
  if (typeof of === 'number') return [`local n = ${of}`];
  if (of === 'rest') return [`local n = math.max(stop - at - ${tail}, 0)`];
  if (typeof of === 'object') return [`local n = v[${luaText(of.field)}] or 0`];
  const type = parseNumberType(of, protocol.byteOrder);
  const bytes = type?.bytes ?? 1;
  return [
    `need(at, ${bytes}, stop)`,
    `local n = buf(at, ${bytes}):${type?.little === true ? 'le_' : ''}uint()`,
    `at = at + ${bytes}`,
  ];
}

/** Conditions on the bytes of a payload that begins at `from`: the constants that stand at an offset that never moves. */
export function constants(fields: readonly FieldDeclaration[], protocol: ProtocolDeclaration): string[] {
  const { id } = protocol;
  const idBytes = id === undefined ? 0 : (parseNumberType(id.type, protocol.byteOrder)?.bytes ?? 0);
  const found: string[] = [];
  let offset = 0;
  for (const field of fields) {
    if (id !== undefined && offset === id.at) offset += idBytes;
    const bytes = fixedBytes(field, protocol);
    if (bytes === 0 || field.when !== undefined) break;
    const type = parseNumberType(field.type, protocol.byteOrder);
    if (field.value !== undefined && type?.kind === 'int' && bytes <= 4) {
      const read = `${type.little ? 'le_' : ''}${type.signed ? '' : 'u'}int()`;
      found.push(`buf(from + ${offset}, ${bytes}):${read} == ${parseWhole(field.value) ?? 0}`);
    }
    offset += bytes;
  }
  return found;
}

/** Bytes that a field always has; 0 where that depends. */
function fixedBytes(field: FieldDeclaration, protocol: ProtocolDeclaration): number {
  const { min, max } = compileField(field, sizingScope(protocol));
  return min === max ? min : 0;
}

function condition(
  { field, is, not }: Condition,
  protocol: ProtocolDeclaration,
  fields: readonly FieldDeclaration[],
): string {
  const [name = '', bit] = field.split('.');
  const declared = fields.find((each) => each.name === name);
  const at = String(declared?.bits?.find((each) => each.name === bit)?.at ?? 0)
    .split('..')
    .map(Number);
  const [from = 0, to = from] = at;
  const raw =
    bit === undefined
      ? `v[${luaText(name)}]`
      : `math.floor((v[${luaText(name)}] or 0) / ${2 ** from}) % ${2 ** (to - from + 1)}`;
  const names = typeof declared?.enum === 'string' ? protocol.enums[declared.enum] : declared?.enum;
  const values = [is ?? not ?? []].flat().map((value) => {
    if (typeof value === 'boolean') return value ? 1 : 0;
    if (typeof value === 'number') return value;
    const [raw = value] = Object.entries(names ?? {}).find(([, each]) => each === value) ?? [];
    return parseWhole(raw) ?? 0;
  });
  const any = values.map((value) => `${raw} == ${value}`).join(' or ') || 'false';
  return is === undefined ? `not (${any})` : any;
}

function luaEnum(names: EnumDeclaration): string {
  return `{ ${Object.entries(names)
    .map(([value, name]) => `[${parseWhole(value) ?? 0}] = ${luaText(name)}`)
    .join(', ')} }`;
}
