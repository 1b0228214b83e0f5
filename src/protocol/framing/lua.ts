import { ChecksumField } from './checksum-field.ts';
import type { FrameLayout } from './layout.ts';

/** Bytes of a checksum on the wire; 0 where there is none. */
export function checksumBytes(checksum: ConstructorParameters<typeof ChecksumField>[0] | undefined): number {
  return checksum === undefined ? 0 : new ChecksumField(checksum).bytes;
}

/** A condition in Lua: these bytes stand at `at` of `buf`; a negative one may be any. */
export const starts = (bytes: Iterable<number>, at: string): string =>
  [...bytes]
    .flatMap((byte, index) => (byte < 0 ? [] : [`buf(${at} + ${index}, 1):uint() == ${byte}`]))
    .join(' and ');

/** The payload lies in the frame as it is. */
export function luaLayout(layout: FrameLayout | undefined): string[] {
  if (layout === undefined) return ['return'];
  const { preamble, sync, payloadAt, tailBytes, length, behindVarint, minBytes, maxBytes } = layout;
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
    `return buf, at + ${payloadAt}, buf:len() - ${tailBytes}`,
  ];
}

/** The payload is put together from what the escapes stand for, in `out`; a checksum stands behind it. */
export const unescaped = (body: readonly string[]): string[] => [
  'local out = {}',
  'local function put(byte) out[#out + 1] = string.format("%02x", byte) end',
  ...body,
];

/** The end of the same: the payload is all that was put together, but for so many bytes. */
export const sealed = (tail: number): string[] => [
  `if #out <= ${tail} then return end`,
  `return ByteArray.new(table.concat(out)):tvb("Frame without escapes"), 0, #out - ${tail}`,
];
