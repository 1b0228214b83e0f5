import {
  type Condition,
  compileField,
  type EnumDeclaration,
  type Extent,
  enumNames,
  type FieldDeclaration,
  isColumn,
  isSplit,
  type NumberType,
  type ProtocolDeclaration,
  parseBits,
  parseNumberType,
  parseWhole,
  type SplitDeclaration,
  sizingScope,
  splitReference,
  type TextEncoding,
  takesRest,
  unitOf,
} from '../protocol/index.ts';

const ENCODINGS: Readonly<Record<TextEncoding, string>> = {
  ascii: 'ENC_ASCII',
  utf8: 'ENC_UTF_8',
  latin1: 'ENC_ISO_8859_1',
  utf16le: 'ENC_UTF_16 + ENC_LITTLE_ENDIAN',
  utf16be: 'ENC_UTF_16 + ENC_BIG_ENDIAN',
};

/** What surrounds a field. */
interface Around {
  readonly protocol: ProtocolDeclaration;
  readonly visible: Visible;
  /** Bytes behind it that it must leave, where it takes all the rest. */
  readonly tail: number;
}

const NOTHING_VISIBLE: Visible = new Map();

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
    form: SplitDeclaration = {},
  ): string[] {
    if (isSplit(form)) {
      // The id is a column, behind which its separator stands.
      const behind =
        head.lines.length === 0 ? [] : [`at = math.min(stop, at + ${form.separator?.length ?? 0})`];
      return [...head.lines, ...behind, ...this.split(fields, form, path, { tail: 0 })];
    }
    let offset = 0;
    const before = fields.findIndex((field) => {
      if (offset >= head.at) return true;
      offset += fixedBytes(field, protocol);
      return false;
    });
    const count = before < 0 ? fields.length : before;
    const all = this.#each(fields, path, { protocol, visible: NOTHING_VISIBLE, tail: 0 });
    return [...all.slice(0, count).flat(), ...head.lines, ...all.slice(count).flat()];
  }

  #each(fields: readonly FieldDeclaration[], path: string, around: Around): string[][] {
    const { protocol } = around;
    const visible = new Map<string, Referable>(around.visible);
    return fields.map((field, index) => {
      const key = `${path}.${field.name ?? `field_${index + 1}`}`;
      const behind = fields.slice(index + 1).reduce((sum, each) => sum + fixedBytes(each, protocol), 0);
      const tail = takesRest(field) ? around.tail + behind : 0;
      const lines = this.#one(field, key, { protocol, visible, tail });
      const condition = field.when === undefined ? undefined : luaCondition(field.when, protocol, visible);
      if (field.name !== undefined) visible.set(field.name, { key, declaration: field });
      if (condition === undefined) return lines;
      const absent = parseNumberType(field.type, protocol.byteOrder) === undefined ? [] : forget(key);
      return [`if ${condition} then`, ...lines.map((line) => `  ${line}`), ...absent, 'end'];
    });
  }

  #one(field: FieldDeclaration, path: string, around: Around): string[] {
    const { protocol } = around;
    const type = parseNumberType(field.type, protocol.byteOrder);
    if (type !== undefined) return this.#number(field, type, path, protocol);
    switch (field.type) {
      case 'text':
        return this.#text(field, path, around);
      case 'bytes':
      case 'reserved':
        this.#field(path, `ProtoField.bytes(${luaText(`heartwire.${path}`)}, ${label(path)})`);
        return this.#span(field, `tree:add(f[${luaText(path)}], buf(at, n))`, around);
      case 'struct':
        return isSplit(field)
          ? this.split(field.fields ?? [], field, path, around)
          : this.#each(field.fields ?? [], path, around).flat();
      case 'array':
        return this.#array(field, path, around);
      case 'crc':
        this.#field(path, `ProtoField.bytes(${luaText(`heartwire.${path}`)}, ${label(path)})`);
        return take(path, fixedBytes(field, protocol));
      default:
        return [];
    }
  }

  /** Shows a text that is split: its columns, or all of it where they are found by keys or not declared. */
  split(
    fields: readonly FieldDeclaration[],
    form: SplitDeclaration,
    path: string,
    { tail }: Pick<Around, 'tail'>,
  ): string[] {
    const text = (key: string): string => {
      this.#field(key, `ProtoField.string(${luaText(`heartwire.${key}`)}, ${label(key)})`);
      return `tree:add_packet_field(f[${luaText(key)}], buf(at, n), ENC_UTF_8)`;
    };
    const stop = `stop - ${tail}`;
    const separator = [...(form.separator ?? [])];
    const columns = form.keyValue === undefined && form.columns === undefined && separator.length > 0;
    const plain = columns ? fields.filter((_, index) => fields.slice(0, index + 1).every(isColumn)) : [];
    const isThere = separator
      .map((byte, index) => `buf(at + n + ${index}, 1):uint() == ${byte}`)
      .join(' and ');
    return [
      'do',
      `  local to = ${stop}`,
      ...plain.flatMap((field, index) => [
        '  do',
        '    local n = 0',
        `    while at + n < to and not (at + n + ${separator.length} <= to and ${isThere}) do n = n + 1 end`,
        `    if n > 0 then ${text(`${path}.${field.name ?? `field_${index + 1}`}`)} end`,
        `    at = math.min(to, at + n + ${separator.length})`,
        '  end',
      ]),
      '  local n = to - at',
      `  if n > 0 then ${text(`${path}.text`)} end`,
      '  at = to',
      'end',
    ];
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
    const lines = [`need(at, ${bytes}, stop)`, `v[${luaText(path)}] = ${range}:${read}`];
    const item = `tree:add${little ? '_le' : ''}(f[${luaText(path)}], ${range})`;
    const { scale = 1, offset = 0, unit } = field;
    const scaled = scale !== 1 || offset !== 0 || unit !== undefined;
    if (scaled) {
      const value = `string.format("%.10g", v[${luaText(path)}] * ${scale} + ${offset})`;
      lines.push(
        `${item}:append_text(" = " .. ${value}${unit === undefined ? '' : ` .. ${luaText(` ${unit}`)}`})`,
      );
    } else {
      lines.push(item);
    }
    if (kind === 'int' && bytes <= 4) lines.push(...this.#bits(field, path, range, read, protocol));
    return [...lines, `at = at + ${bytes}`];
  }

  #bits(
    field: FieldDeclaration,
    path: string,
    range: string,
    read: string,
    { enums }: ProtocolDeclaration,
  ): string[] {
    return (field.bits ?? []).flatMap(({ name, at, enum: declared }) => {
      const { from = 0, count = 1 } = parseBits(at) ?? {};
      const key = `${path}.${name}`;
      const names = typeof declared === 'string' ? enums[declared] : declared;
      const more = names === undefined ? '' : `, base.DEC, ${luaEnum(names)}`;
      this.#field(key, `ProtoField.uint32(${luaText(`heartwire.${key}`)}, ${label(key)}${more})`);
      return [`tree:add(f[${luaText(key)}], ${range}, ${luaBits(`${range}:${read}`, from, count)})`];
    });
  }

  #text(field: FieldDeclaration, path: string, around: Around): string[] {
    this.#field(path, `ProtoField.string(${luaText(`heartwire.${path}`)}, ${label(path)})`);
    const { encoding = 'utf8', terminator, pad = 0, length, value } = field;
    const unit = unitOf(encoding);
    // The unit of UTF-16 whose other byte is zero.
    const unitIs = (byte: number): string => {
      if (unit === 1) return `buf(at + n, 1):uint() == ${byte}`;
      return `buf(at + n, 2):${encoding === 'utf16le' ? 'le_' : ''}uint() == ${byte}`;
    };
    // Not `buf(at, n):string(encoding)`: that cuts what takes more bytes in UTF-8 than here.
    const show = `tree:add_packet_field(f[${luaText(path)}], buf(at, n), ${ENCODINGS[encoding]})`;
    if (value === undefined && terminator !== undefined) {
      return [
        'do',
        '  local n = 0',
        `  while at + n + ${unit} <= stop and not (${unitIs(terminator)}) do n = n + ${unit} end`,
        `  need(at, n + ${unit}, stop)`,
        `  if n > 0 then ${show} end`,
        `  at = at + n + ${unit}`,
        'end',
      ];
    }
    if (value !== undefined || typeof length !== 'number' || (field.pad === undefined && field.content)) {
      return this.#span(field, show, around);
    }
    return [
      'do',
      `  need(at, ${length}, stop)`,
      `  local n = ${length - unit}`,
      `  while n >= 0 and ${unitIs(pad)} do n = n - ${unit} end`,
      `  n = n + ${unit}`,
      `  if n > 0 then ${show} end`,
      `  at = at + ${length}`,
      'end',
    ];
  }

  #span(field: FieldDeclaration, show: string, around: Around): string[] {
    const constant = field.value !== undefined || field.type === 'reserved';
    const length = constant ? fixedBytes(field, around.protocol) : (field.length ?? 'rest');
    return [
      'do',
      ...extent(length, around).map((line) => `  ${line}`),
      '  need(at, n, stop)',
      `  if n > 0 then ${show} end`,
      '  at = at + n',
      'end',
    ];
  }

  #array(field: FieldDeclaration, path: string, around: Around): string[] {
    const element = field.of;
    if (element === undefined) return [];
    const body = this.#one({ ...element, name: field.name ?? 'element' }, path, { ...around, tail: 0 });
    const inner = body.map((line) => `    ${line}`);
    if (field.count === 'rest' || field.count === undefined) {
      return [
        `while at < stop - ${around.tail} do`,
        '  local before = at',
        ...inner,
        '  if at == before then break end',
        'end',
      ];
    }
    return [
      'do',
      ...extent(field.count, around).map((line) => `  ${line}`),
      // A count that the payload cannot hold is refused before a single element is read.
      `  need(at, n * ${Math.max(1, leastBytes(element, around.protocol))}, stop)`,
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

/** A number that is absent has no value, though the element before this one may have had it. */
const forget = (key: string): string[] => ['else', `  v[${luaText(key)}] = nil`];

/** Lines that set `n`. */
function extent(of: Extent, { protocol, visible, tail }: Around): string[] {
  if (typeof of === 'number') return [`local n = ${of}`];
  if (of === 'rest') return [`local n = stop - at - ${tail}`];
  if (typeof of === 'object') return [`local n = ${luaValue(of.field, visible)} or 0`];
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

/** The fewest bytes that a field has. */
const leastBytes = (field: FieldDeclaration, protocol: ProtocolDeclaration): number =>
  compileField(field, sizingScope(protocol)).min;

function luaEnum(names: EnumDeclaration): string {
  return `{ ${Object.entries(names)
    .map(([value, name]) => `[${parseWhole(value) ?? 0}] = ${luaText(name)}`)
    .join(', ')} }`;
}

/** A field that later ones may refer to, with the key under which its raw value stands in `v`. */
interface Referable {
  readonly key: string;
  readonly declaration: FieldDeclaration;
}

/** Earlier fields by name: those of the structures around, then those of this one. */
type Visible = ReadonlyMap<string, Referable>;

/** The raw value of an earlier field, which is nil where that is absent. */
const luaValue = (name: string, visible: Visible): string => `v[${luaText(visible.get(name)?.key ?? name)}]`;

/** Bits of a number. Arithmetic instead of bit operators, which differ between the versions of Lua. */
const luaBits = (number: string, from: number, count: number): string =>
  `math.floor(${number} / ${2 ** from}) % ${2 ** count}`;

/** Whether a field is present. It never is where the field that says so is absent. */
function luaCondition(
  { field, is, not }: Condition,
  protocol: ProtocolDeclaration,
  visible: Visible,
): string {
  const [name, bitName] = splitReference(field);
  const target = visible.get(name)?.declaration;
  if (target === undefined) return 'true';
  const bit = target.bits?.find((each) => each.name === bitName);
  const bits = bit === undefined ? undefined : parseBits(bit.at);
  const raw = luaValue(name, visible);
  const value = bits === undefined ? raw : luaBits(raw, bits.from, bits.count);
  const names = enumNames(bit === undefined ? target.enum : bit.enum, protocol.enums);
  const any = [is ?? not ?? []]
    .flat()
    .map((each) => (typeof each === 'string' ? Number(names?.rawOf(each) ?? Number.NaN) : Number(each)))
    .filter((each) => !Number.isNaN(each))
    .map((each) => `${value} == ${each}`)
    .join(' or ');
  const wanted = any === '' ? 'false' : `(${any})`;
  return `${raw} ~= nil and ${is === undefined ? 'not ' : ''}${wanted}`;
}

/** A text as Lua writes it. */
export const luaText = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/g, (char) => [...new TextEncoder().encode(char)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join(''))}"`;
