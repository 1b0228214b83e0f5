import {
  type BitDeclaration,
  bcdSize,
  type FieldDeclaration,
  type NumberType,
  parseEpoch,
  parseOffset,
} from '../protocol/index.ts';

/** Functions of Lua for numbers that Wireshark does not read by itself. */
export const LUA_NUMBERS = `
-- A whole number whose bytes lie at these places, the most significant one first.
local function whole(buf, at, places, from, to)
  local value = 0
  for index = from or 1, to or #places do value = value * 256 + buf(at + places[index], 1):uint() end
  return value
end

local function ieee(sign, exponent, fraction, bits, bias)
  local value
  if exponent == 2 * bias + 1 then value = fraction == 0 and math.huge or 0 / 0
  elseif exponent == 0 then value = fraction * 2 ^ (1 - bias - bits)
  else value = (1 + fraction / 2 ^ bits) * 2 ^ (exponent - bias) end
  return sign == 1 and -value or value
end

local function float(buf, at, places)
  local bits, bias = 23, 127
  if #places == 2 then bits, bias = 10, 15 elseif #places == 8 then bits, bias = 52, 1023 end
  local head = whole(buf, at, places, 1, math.min(#places, 4))
  local low = bits % 32
  if #places == 8 then low = 20 end
  local fraction = head % 2 ^ low
  if #places == 8 then fraction = fraction * 2 ^ 32 + whole(buf, at, places, 5, 8) end
  return ieee(math.floor(head / 2 ^ (#places == 2 and 15 or 31)), math.floor(head / 2 ^ low) % (2 * bias + 2), fraction, bits, bias)
end

local function twos(value, bits)
  return value >= 2 ^ (bits - 1) and value - 2 ^ bits or value
end

local function magnitude(value, bits)
  return value >= 2 ^ (bits - 1) and 2 ^ (bits - 1) - value or value
end

-- The nibbles of some bytes, the most significant one first.
local function nibbles(buf, at, count, little)
  local text = ""
  for index = 0, count - 1 do
    text = text .. string.format("%02x", buf(at + (little and count - 1 - index or index), 1):uint())
  end
  return text
end

-- A varint, and how many bytes it has.
local function varint(buf, at, stop)
  local value, place = 0, 1
  for index = 0, 9 do
    need(at, index + 1, stop)
    local byte = buf(at + index, 1):uint()
    value = value + byte % 128 * place
    if byte < 128 then return value, index + 1 end
    place = place * 128
  end
  error({ short = true })
end
`;

/** Whether Wireshark has no way of its own to read the number. */
export const isReadByHand = ({ mixed, kind, bytes }: NumberType, { sign }: FieldDeclaration): boolean =>
  mixed !== undefined || sign !== undefined || (kind === 'float' && bytes === 2);

/** The number at `at`, in Lua. */
export function luaNumber(
  { kind, bytes, signed, little, mixed }: NumberType,
  sign?: FieldDeclaration['sign'],
): string {
  const usual = Array.from({ length: bytes }, (_, index) => (little ? bytes - 1 - index : index));
  const places = `{ ${(mixed?.places ?? usual).join(', ')} }`;
  if (kind === 'float') return `float(buf, at, ${places})`;
  const value = `whole(buf, at, ${places})`;
  if (sign === 'magnitude') return `magnitude(${value}, ${8 * bytes})`;
  return signed ? `twos(${value}, ${8 * bytes})` : value;
}

/** The digits at `at`, as they are shown. */
export function luaDigits(field: FieldDeclaration, order: 'big' | 'little', bytes: number): string {
  const nibbles = `nibbles(buf, at, ${bytes}, ${(field.byteOrder ?? order) === 'little'})`;
  if (field.type !== 'bcd') return nibbles;
  const { digits } = bcdSize(field);
  return field.sign === undefined ? `string.sub(${nibbles}, ${-digits})` : nibbles;
}

/** The moment that a count means, in Lua; undefined where seconds cannot say it. */
export function luaTime(time: NonNullable<FieldDeclaration['time']>, count: string): string | undefined {
  const epoch = parseEpoch(time.epoch ?? 'unix');
  // Leap seconds are in no table of Lua.
  if (epoch === undefined || epoch.leaps) return undefined;
  const factor = { s: '1', ms: '1e-3', us: '1e-6', ns: '1e-9', min: '60', h: '3600', d: '86400' }[
    time.unit ?? 's'
  ];
  const offset = parseOffset(time.zone ?? 'Z') ?? 0;
  const zone = offset === 0 ? 'Z' : (time.zone ?? '');
  return `os.date("!%Y-%m-%dT%H:%M:%S${zone}", math.floor(${count} * ${factor}) + ${epoch.ms / 1_000})`;
}

/** The bits as a value: with their sign and scale. */
export function luaBitValue(
  { signed, scale = 1, offset = 0 }: BitDeclaration,
  bits: string,
  count: number,
): string {
  const value = signed === true ? `twos(${bits}, ${count})` : bits;
  return scale === 1 && offset === 0 ? value : `${value} * ${scale} + ${offset}`;
}
