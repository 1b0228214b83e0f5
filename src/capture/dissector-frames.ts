import {
  ChecksumField,
  delimitersOf,
  type FrameLayout,
  type FramingDeclaration,
  makeFraming,
  startWord,
} from '../protocol/index.ts';

/**
 * The body of a Lua function that finds the payload of a frame, `buf`: it returns what the payload lies in, where it
 * begins and where it ends, or nothing where this is no such frame.
 */
export function luaUnwrap(framing: FramingDeclaration): readonly string[] {
  switch (framing.type) {
    case 'length':
    case 'sync':
    case 'fixed':
    case 'id': {
      const { layout } = makeFraming(framing);
      return layout === undefined ? ['return'] : whole(layout);
    }
    case 'gap': {
      const tail = checksumBytes(framing.checksum);
      return [`if buf:len() <= ${tail} then return end`, `return buf, 0, buf:len() - ${tail}`];
    }
    case 'slip':
      return [...unescaped(SLIP), ...sealed(checksumBytes(framing.checksum))];
    case 'cobs':
      return [...unescaped(COBS), ...sealed(checksumBytes(framing.checksum))];
    case 'several':
      return ['return'];
    case 'delimiter':
      return [
        ...unescaped(delimited(framing)),
        ...sealed(behindBytes(framing) > 0 ? 0 : checksumBytes(framing.checksum)),
      ];
  }
}

function checksumBytes(checksum: ConstructorParameters<typeof ChecksumField>[0] | undefined): number {
  return checksum === undefined ? 0 : new ChecksumField(checksum).bytes;
}

const starts = (bytes: Iterable<number>, at: string): string =>
  [...bytes]
    .flatMap((byte, index) => (byte < 0 ? [] : [`buf(${at} + ${index}, 1):uint() == ${byte}`]))
    .join(' and ');

/** The payload lies in the frame as it is. */
function whole({
  preamble,
  sync,
  payloadAt,
  tailBytes,
  length,
  behindVarint,
  added,
  minBytes,
  maxBytes,
}: FrameLayout): string[] {
  const [filler] = preamble;
  const words = sync.words.map((word) => `(${starts(word, 'from')})`).join(' or ');
  return [
    'local from = 0',
    ...(filler === undefined
      ? []
      : [`while from < buf:len() and buf(from, 1):uint() == ${filler} do from = from + 1 end`]),
    `if buf:len() - from < ${minBytes} then return end`,
    ...(minBytes === maxBytes ? [`if buf:len() - from ~= ${minBytes} then return end`] : []),
    ...(words === '' ? [] : [`if not (${words}) then return end`]),
    'local at = from',
    ...(behindVarint
      ? [
          `while at + ${length?.at ?? 0} < buf:len() and buf(at + ${length?.at ?? 0}, 1):uint() >= 128 do at = at + 1 end`,
        ]
      : []),
    `if buf:len() <= at + ${payloadAt + tailBytes} then return end`,
    ...(added === undefined
      ? [`return buf, at + ${payloadAt}, buf:len() - ${tailBytes}`]
      : takenOff(added.byte, added.from, payloadAt, tailBytes)),
  ];
}

/** The payload is put together without what is added to its bytes from `from` on. */
const takenOff = (byte: number, from: number, payloadAt: number, tailBytes: number): string[] => [
  'local out = {}',
  `for index = at + ${payloadAt}, buf:len() - ${tailBytes + 1} do`,
  '  local byte = buf(index, 1):uint()',
  `  if index >= at + ${from} then byte = (byte - ${byte}) % 256 end`,
  '  out[#out + 1] = string.format("%02x", byte)',
  'end',
  `return ByteArray.new(table.concat(out)):tvb("Frame with ${byte} taken off"), 0, #out`,
];

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

type DelimiterFraming = Extract<FramingDeclaration, { type: 'delimiter' }>;

/** Bytes of a checksum, and what follows it, behind the delimiter. */
function behindBytes({ checksum, trailer }: DelimiterFraming): number {
  return checksum?.place === 'behind' ? checksumBytes(checksum) + (trailer?.length ?? 0) : 0;
}

function delimited(framing: DelimiterFraming): string[] {
  const { escape: escaping, encoding = 'raw', prompt, preamble, send } = framing;
  const start = startWord(framing);
  const ends = [...delimitersOf(framing), ...(send?.delimiter === undefined ? [] : [send.delimiter])];
  const [filler] = preamble ?? [];
  const cut = ends.map(
    (end, index) =>
      `${index === 0 ? 'if' : 'elseif'} stop >= at + ${end.length} and ${starts(end, `stop - ${end.length}`)} then stop = stop - ${end.length}`,
  );
  const begins = [...ends, ...(prompt === undefined ? [] : [prompt])].map(
    (mark) => `while stop >= at + ${mark.length} and ${starts(mark, 'at')} do at = at + ${mark.length} end`,
  );
  const word =
    start.length === 0
      ? []
      : [
          `if at + ${start.length} > stop or not (${starts(start, 'at')}) then return end`,
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
    `local at, stop = 0, buf:len() - ${behindBytes(framing)}`,
    ...cut,
    'end',
    ...begins,
    ...(filler === undefined
      ? []
      : [`while at < stop and buf(at, 1):uint() == ${filler} do at = at + 1 end`]),
    ...word,
    ...(encoding === 'raw'
      ? ['while at < stop do', '  local byte = buf(at, 1):uint()', ...content, '  at = at + 1', 'end']
      : hexContent(encoding === 'nibble_hex')),
  ];
}

/** Two digits are a byte; the first one alone with `nibble`. */
const hexContent = (nibble: boolean): string[] => [
  ...(nibble
    ? [
        'local first = at < stop and tonumber(buf(at, 1):string(), 16)',
        'if not first then return end',
        'put(first)',
        'at = at + 1',
      ]
    : []),
  'while at + 1 < stop do',
  '  local byte = tonumber(buf(at, 2):string(), 16)',
  '  if byte == nil then return end',
  '  put(byte)',
  '  at = at + 2',
  'end',
];
