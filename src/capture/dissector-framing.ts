import { ChecksumField } from '../protocol/framing/checksum-field.ts';
import type { FramingDeclaration } from '../protocol/framing/declaration.ts';
import { startWord } from '../protocol/framing/delimiter.ts';
import { lengthType, NO_BYTES } from '../protocol/framing/layout.ts';

/**
 * The body of a Lua function that finds the payload of a frame, `buf`: it returns what the payload lies in, where it
 * begins and where it ends, or nothing where this is no such frame.
 */
export function luaUnwrap(framing: FramingDeclaration): readonly string[] {
  switch (framing.type) {
    case 'length':
    case 'sync': {
      const sync = framing.type === 'sync' ? framing.sync : NO_BYTES;
      const { at = sync.length, length } = framing;
      const payloadAt = at === sync.length ? at + lengthType(length).width : sync.length;
      return whole(sync, payloadAt, tailBytes(framing));
    }
    case 'fixed': {
      const { sync = NO_BYTES, length } = framing;
      return [`if buf:len() ~= ${length} then return end`, ...whole(sync, sync.length, tailBytes(framing))];
    }
    case 'gap':
      return whole(NO_BYTES, 0, checksumBytes(framing.checksum));
    case 'slip':
      return [...unescaped(SLIP), ...sealed(checksumBytes(framing.checksum))];
    case 'cobs':
      return [...unescaped(COBS), ...sealed(checksumBytes(framing.checksum))];
    case 'delimiter':
      return [...unescaped(delimited(framing)), ...sealed(checksumBytes(framing.checksum))];
  }
}

function checksumBytes(checksum: ConstructorParameters<typeof ChecksumField>[0] | undefined): number {
  return checksum === undefined ? 0 : new ChecksumField(checksum).bytes;
}

function tailBytes({
  checksum,
  trailer,
}: Extract<FramingDeclaration, { type: 'fixed' | 'sync' | 'length' }>) {
  return checksumBytes(checksum) + (trailer?.length ?? 0);
}

const starts = (bytes: Uint8Array, at: string): string[] =>
  [...bytes].map((byte, index) => `buf(${at} + ${index}, 1):uint() == ${byte}`);

/** The payload lies in the frame as it is. */
function whole(sync: Uint8Array, payloadAt: number, tail: number): string[] {
  const wrong = sync.length === 0 ? '' : ` or not (${starts(sync, '0').join(' and ')})`;
  return [
    `if buf:len() <= ${payloadAt + tail}${wrong} then return end`,
    `return buf, ${payloadAt}, buf:len() - ${tail}`,
  ];
}

/** The payload is put together from what the escapes stand for, in `out`; a checksum stands behind it. */
const unescaped = (body: readonly string[]): string[] => [
  'local out = {}',
  'local function put(byte) out[#out + 1] = string.format("%02x", byte) end',
  ...body,
];

const sealed = (tail: number): string[] => [
  `if #out <= ${tail} then return end`,
  `return ByteArray.new(table.concat(out)):tvb("Frame without escapes"), 0, #out - ${tail}`,
];

const SLIP = [
  'local at = 0',
  'while at < buf:len() do',
  '  local byte = buf(at, 1):uint()',
  '  if byte == 0xdb then',
  '    at = at + 1',
  '    if at == buf:len() then return end',
  '    put(buf(at, 1):uint() == 0xdc and 0xc0 or 0xdb)',
  '  elseif byte ~= 0xc0 then',
  '    put(byte)',
  '  end',
  '  at = at + 1',
  'end',
];

const COBS = [
  'local at, stop = 0, buf:len()',
  'while at < stop and buf(at, 1):uint() == 0 do at = at + 1 end',
  'while stop > at and buf(stop - 1, 1):uint() == 0 do stop = stop - 1 end',
  'while at < stop do',
  '  local code = buf(at, 1):uint()',
  '  if code == 0 or at + code > stop then return end',
  '  for index = at + 1, at + code - 1 do put(buf(index, 1):uint()) end',
  '  at = at + code',
  '  if code < 255 and at < stop then put(0) end',
  'end',
];

function delimited(framing: Extract<FramingDeclaration, { type: 'delimiter' }>): string[] {
  const { delimiter, escape: escaping } = framing;
  const start = startWord(framing);
  const ends = `stop >= at + ${delimiter.length} and ${starts(delimiter, `stop - ${delimiter.length}`).join(' and ')}`;
  const begins = `stop >= at + ${delimiter.length} and ${starts(delimiter, 'at').join(' and ')}`;
  const word =
    start.length === 0
      ? []
      : [
          `if at + ${start.length} > stop or not (${starts(start, 'at').join(' and ')}) then return end`,
          `at = at + ${start.length}`,
        ];
  const content =
    escaping === undefined
      ? ['  put(byte)']
      : [
          `  if byte == ${escaping.byte} then`,
          '    at = at + 1',
          '    if at == stop then return end',
          `    byte = xor(buf(at, 1):uint(), ${escaping.xor ?? 0})`,
          '  end',
          '  put(byte)',
        ];
  return [
    'local at, stop = 0, buf:len()',
    `if ${ends} then stop = stop - ${delimiter.length} end`,
    `while ${begins} do at = at + ${delimiter.length} end`,
    ...word,
    'while at < stop do',
    '  local byte = buf(at, 1):uint()',
    ...content,
    '  at = at + 1',
    'end',
  ];
}
