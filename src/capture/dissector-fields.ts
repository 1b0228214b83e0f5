import {
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
  splitReference,
  takesRest,
  unitOf,
} from '../protocol/index.ts';
import {
  ENCODINGS,
  luaBits,
  luaCondition,
  luaEnum,
  luaSign,
  luaText,
  luaValue,
  type Referable,
  type Visible,
} from './dissector-lua.ts';
import { isReadByHand, luaBitValue, luaDigits, luaNumber, luaTime } from './dissector-numbers.ts';
import { fixedBytes, leastBytes, type Peek, peekAhead } from './dissector-places.ts';
import { luaCases, luaColumns, luaMeasured, luaOptional, luaTlv, luaUntil } from './dissector-structures.ts';

/** What surrounds a field. */
interface Around {
  readonly protocol: ProtocolDeclaration;
  readonly visible: Visible;
  /** Bytes behind it that it must leave, where it takes all the rest. */
  readonly tail: number;
  /** A later field of the same structure, as a field of so many bytes at `at` finds it. */
  readonly ahead?: ((name: string, bytes: number) => Peek | undefined) | undefined;
}

/** Whole numbers up to here are exact in the numbers of Lua. */
const MOST_EXACT_BITS = 53;

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
      const ahead: Around['ahead'] = (name, bytes) => peekAhead(fields, index, name, bytes, protocol);
      const inner = field.optional === true ? around.tail + behind : tail;
      const own = this.#one(field, key, { protocol, visible, tail: inner, ahead });
      const lines = field.optional === true ? luaOptional(inner, own) : own;
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
    if (type !== undefined) return this.#number(field, type, path, around);
    switch (field.type) {
      case 'bcd':
      case 'bcd_time':
      case 'byte_time':
        return this.#digits(field, path, around);
      case 'varint':
        return this.#varint(field, path, around);
      case 'text':
      case 'number':
      case 'hex_number':
      case 'time':
        return this.#text(field, path, around);
      case 'bytes':
      case 'reserved':
        this.#field(path, `ProtoField.bytes(${luaText(`heartwire.${path}`)}, ${label(path)})`);
        return this.#span(field, `tree:add(f[${luaText(path)}], buf(at, n))`, around);
      case 'struct':
        return measured(field, around, (inner) =>
          isSplit(field)
            ? this.split(field.fields ?? [], field, path, inner)
            : this.#each(field.fields ?? [], path, inner).flat(),
        );
      case 'switch':
        return measured(field, around, (inner) => this.#switch(field, path, inner));
      case 'tlv':
        return this.#tlv(field, path, around);
      case 'array':
        return field.length === undefined
          ? this.#array(field, path, around)
          : measured(field, around, (inner) => this.#array({ ...field, count: 'rest' }, path, inner));
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
    const separator = [...(form.separator ?? [])];
    const columns = form.keyValue === undefined && form.columns === undefined && separator.length > 0;
    const plain = columns ? fields.filter((_, index) => fields.slice(0, index + 1).every(isColumn)) : [];
    const names = plain.flatMap((field, index) => {
      const name = `${path}.${field.name ?? `field_${index + 1}`}`;
      return field.hemisphere === undefined ? [name] : [name, `${name}_sign`];
    });
    return luaColumns(names.map(text), separator, { tail, rest: text(`${path}.text`) });
  }

  #number(field: FieldDeclaration, type: NumberType, path: string, around: Around): string[] {
    const { protocol } = around;
    const { bytes, kind, signed, little } = type;
    const byHand = isReadByHand(type, field);
    const width = byHand
      ? 'double'
      : kind === 'float'
        ? bytes === 4
          ? 'float'
          : 'double'
        : `${signed ? '' : 'u'}int${bytes === 3 ? 24 : bytes <= 2 || bytes === 4 ? bytes * 8 : 64}`;
    const names = typeof field.enum === 'string' ? protocol.enums[field.enum] : field.enum;
    const named = names !== undefined && kind === 'int' && bytes <= 4 && !byHand;
    const more = named ? `, base.DEC, ${luaEnum(names)}` : '';
    this.#field(path, `ProtoField.${width}(${luaText(`heartwire.${path}`)}, ${label(path)}${more})`);
    const range = `buf(at, ${bytes})`;
    const key = `v[${luaText(path)}]`;
    const own =
      kind === 'float'
        ? `${little ? 'le_' : ''}float()`
        : `${little ? 'le_' : ''}${signed ? '' : 'u'}int${bytes > 4 ? '64' : ''}()${bytes > 4 ? ':tonumber()' : ''}`;
    const read = byHand ? luaNumber(type, field.sign) : `${range}:${own}`;
    const lines = [`need(at, ${bytes}, stop)`, `${key} = ${read}`];
    const item = byHand
      ? `tree:add(f[${luaText(path)}], ${range}, ${key})`
      : `tree:add${little ? '_le' : ''}(f[${luaText(path)}], ${range})`;
    lines.push(...this.#meant(field, key, item, bytes, around));
    if (kind === 'int') lines.push(...this.#bits(field, path, type, protocol));
    return [...lines, `at = at + ${bytes}`];
  }

  /** Lines that show an item with its value in its scale and unit, or with the time that it means. */
  #meant(field: FieldDeclaration, raw: string, item: string, bytes: number, around: Around): string[] {
    const { scale = 1, offset = 0, unit, time, negative } = field;
    if (time !== undefined) {
      const moment = luaTime(time, raw);
      return [moment === undefined ? item : `${item}:append_text(" = " .. ${moment})`];
    }
    const lines: string[] = [];
    let factor = `${scale}`;
    if (typeof scale === 'object') {
      const ahead = around.ahead?.(scale.field, bytes);
      if (ahead !== undefined) lines.push(ahead.need);
      const said = ahead?.read ?? `(${luaValue(scale.field, around.visible)} or 0)`;
      factor = scale.as === 'factor' ? `${said} * ${scale.times ?? 1}` : `10 ^ ${said} * ${scale.times ?? 1}`;
    }
    if (scale === 1 && offset === 0 && unit === undefined && negative === undefined) return [item];
    const signAhead = negative && around.ahead?.(splitReference(negative.field)[0], bytes);
    if (signAhead !== undefined) lines.push(signAhead.need);
    const sign = luaSign(negative, around.protocol, around.visible, signAhead);
    const value = `string.format("%.10g", ${sign}${raw} * ${factor} + ${offset})`;
    return [
      ...lines,
      `${item}:append_text(" = " .. ${value}${unit === undefined ? '' : ` .. ${luaText(` ${unit}`)}`})`,
    ];
  }

  #bits(field: FieldDeclaration, path: string, type: NumberType, { enums }: ProtocolDeclaration): string[] {
    const range = `buf(at, ${type.bytes})`;
    return (field.bits ?? []).flatMap((bit) => {
      const { name, at, enum: declared, unit } = bit;
      const { from = 0, count = 1 } = parseBits(at) ?? {};
      const key = `${path}.${name}`;
      const names = typeof declared === 'string' ? enums[declared] : declared;
      const usual =
        names !== undefined || (bit.signed !== true && bit.scale === undefined && unit === undefined);
      // Beyond 2^53 the numbers of Lua have no single bits.
      const bits = luaBits(luaNumber(type), from, count);
      if (from + count > MOST_EXACT_BITS) return [];
      if (usual && count <= 32) {
        const more = names === undefined ? '' : `, base.DEC, ${luaEnum(names)}`;
        this.#field(key, `ProtoField.uint32(${luaText(`heartwire.${key}`)}, ${label(key)}${more})`);
        return [`tree:add(f[${luaText(key)}], ${range}, ${bits})`];
      }
      this.#field(key, `ProtoField.double(${luaText(`heartwire.${key}`)}, ${label(key)})`);
      const item = `tree:add(f[${luaText(key)}], ${range}, ${luaBitValue(bit, bits, count)})`;
      return [unit === undefined ? item : `${item}:append_text(${luaText(` ${unit}`)})`];
    });
  }

  /** Digits in nibbles: as text, with the number that they are. */
  #digits(field: FieldDeclaration, path: string, around: Around): string[] {
    const bytes = fixedBytes(field, around.protocol);
    this.#field(path, `ProtoField.string(${luaText(`heartwire.${path}`)}, ${label(path)})`);
    const item = `tree:add(f[${luaText(path)}], buf(at, ${bytes}), digits)`;
    const meant = field.type === 'bcd' && field.as !== 'text' && field.sign === undefined;
    const shown = meant ? this.#meant(field, '(tonumber(digits) or 0)', item, bytes, around) : [item];
    return [
      'do',
      `  need(at, ${bytes}, stop)`,
      `  local digits = ${luaDigits(field, around.protocol.byteOrder, bytes)}`,
      ...shown.map((line) => `  ${line}`),
      `  at = at + ${bytes}`,
      'end',
    ];
  }

  #varint(field: FieldDeclaration, path: string, around: Around): string[] {
    this.#field(path, `ProtoField.double(${luaText(`heartwire.${path}`)}, ${label(path)})`);
    const key = `v[${luaText(path)}]`;
    const zigzag = field.sign === 'zigzag';
    return [
      'do',
      '  local count',
      `  ${key}, count = varint(buf, at, stop)`,
      ...(zigzag ? [`  ${key} = ${key} % 2 == 0 and ${key} / 2 or -(${key} + 1) / 2`] : []),
      ...this.#meant(field, key, `tree:add(f[${luaText(path)}], buf(at, count), ${key})`, 0, around).map(
        (line) => `  ${line}`,
      ),
      '  at = at + count',
      'end',
    ];
  }

  #text(field: FieldDeclaration, path: string, around: Around): string[] {
    this.#field(path, `ProtoField.string(${luaText(`heartwire.${path}`)}, ${label(path)})`);
    const { encoding = field.type === 'text' ? 'utf8' : 'ascii', terminator, length, value } = field;
    const right = (field.align ?? (isNumberText(field) ? 'right' : 'left')) === 'right';
    const pad = field.pad ?? (right ? 32 : 0);
    const unit = unitOf(encoding);
    // The unit of UTF-16 whose other byte is zero.
    const unitIs = (byte: number): string => {
      if (unit === 1) return `buf(at + n, 1):uint() == ${byte}`;
      return `buf(at + n, 2):${encoding === 'utf16le' ? 'le_' : ''}uint() == ${byte}`;
    };
    // Not `buf(at, n):string(encoding)`: that cuts what takes more bytes in UTF-8 than here.
    const show = `tree:add_packet_field(f[${luaText(path)}], buf(at, n), ${ENCODINGS[encoding]})`;
    if (value === undefined && terminator !== undefined && typeof length !== 'number') {
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
    const filled = field.pad !== undefined || (field.content === undefined && field.type !== 'time');
    if (value !== undefined || typeof length !== 'number' || right || !filled) {
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

  #switch(
    { on = '', cases = {}, else: otherwise = [] }: FieldDeclaration,
    path: string,
    around: Around,
  ): string[] {
    const target = around.visible.get(on)?.declaration;
    const names = enumNames(target?.enum, around.protocol.enums);
    const selected = Object.entries(cases).map(([value, fields]) => ({
      holds: `${luaValue(on, around.visible)} == ${names?.rawOf(value) ?? parseWhole(value) ?? -1}`,
      body: this.#each(fields, path, around).flat(),
    }));
    return luaCases(selected, this.#each(otherwise, path, around).flat());
  }

  #tlv(field: FieldDeclaration, path: string, around: Around): string[] {
    const { tag = 'u8', length = 'u8', tags = {} } = field;
    const type = parseNumberType(tag, around.protocol.byteOrder) ?? { bytes: 1, little: false };
    this.#field(path, `ProtoField.bytes(${luaText(`heartwire.${path}`)}, ${label(path)})`);
    const inner = { ...around, tail: 0 };
    const bodies = Object.entries(tags).map(([key, each]): [string, string[]] => [
      key,
      this.#one(each, `${path}.${each.name ?? key}`, inner),
    ]);
    return luaTlv(type, extent(length, inner), Object.fromEntries(bodies), {
      tail: around.tail,
      show: `tree:add(f[${luaText(path)}], buf(at, stop - at))`,
    });
  }

  #array(field: FieldDeclaration, path: string, around: Around): string[] {
    const element = field.of;
    if (element === undefined) return [];
    const body = this.#one({ ...element, name: field.name ?? 'element' }, path, {
      ...around,
      tail: 0,
      ahead: undefined,
    });
    const inner = body.map((line) => `    ${line}`);
    if (field.until !== undefined) return luaUntil(field.until, body);
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

function measured(
  { length }: FieldDeclaration,
  around: Around,
  body: (inner: Around) => readonly string[],
): string[] {
  if (length === undefined) return [...body(around)];
  return luaMeasured(extent(length, around), body({ ...around, tail: 0 }));
}
const isNumberText = ({ type }: FieldDeclaration): boolean => type === 'number' || type === 'hex_number';

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
  if (typeof of === 'object') {
    const { field, type = 'u8', adjust = 0 } = of;
    const plain =
      field === undefined
        ? extent(type, { protocol, visible, tail })
        : [`local n = ${luaValue(field, visible)} or 0`];
    return adjust === 0 ? plain : [...plain, `n = math.max(0, n + ${adjust})`];
  }
  const type = parseNumberType(of, protocol.byteOrder);
  const bytes = type?.bytes ?? 1;
  return [
    `need(at, ${bytes}, stop)`,
    `local n = buf(at, ${bytes}):${type?.little === true ? 'le_' : ''}uint()`,
    `at = at + ${bytes}`,
  ];
}
