import { type DelimiterFraming, delimitersOf, startWord } from './delimiter-marks.ts';
import { checksumBytes, sealed, starts, unescaped } from './lua.ts';

/** The body of a Lua function that finds the payload between the marks of a frame. */
export function luaDelimited(framing: DelimiterFraming): string[] {
  return [
    ...unescaped(delimited(framing)),
    ...sealed(behindBytes(framing) > 0 ? 0 : checksumBytes(framing.checksum)),
  ];
}

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
