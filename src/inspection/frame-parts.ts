import {
  type FramingDeclaration,
  isStandardFraming,
  makeFraming,
  type SingleFraming,
} from '../protocol/index.ts';
import type { ByteRange, PlacedField } from './inspected.ts';
import { placePayload } from './payload-place.ts';

/** What surrounds a payload, in the order of the wire; what lies within the payload has names of its own there. */
export function frameParts(
  wire: Uint8Array,
  payload: Uint8Array,
  framing: FramingDeclaration,
  kind?: string,
): readonly PlacedField[] {
  const place = placePayload(wire, payload, framing, kind);
  const single =
    framing.type === 'several' ? framing.kinds.find(({ name }) => name === kind)?.framing : framing;
  if (place === undefined || single === undefined) return [];
  const start = place.starts[0] ?? 0;
  const end = place.starts.at(-1) ?? wire.length;
  const named = (isStandardFraming(single) ? [part('length', 0, start)] : partsOf(single, wire, start, end))
    .flatMap((each) => clipped(each, start, end, wire.length))
    .filter(({ start: from, end: to }) => to > from);
  return [...named].sort((one, other) => one.start - other.start);
}

type Named = ByteRange & { readonly name: string };

const part = (name: string, start: number, end: number): Named => ({ name, start, end });

function partsOf(framing: SingleFraming, wire: Uint8Array, start: number, end: number): readonly Named[] {
  switch (framing.type) {
    case 'length':
    case 'sync':
    case 'fixed':
    case 'id':
      return layoutParts(framing, start, end, wire.length);
    case 'gap':
      return [part('checksum', end, wire.length)];
    case 'slip':
    case 'cobs':
      return [part('start', 0, start), ...tail(framing.checksum !== undefined, 1, end, wire.length)];
    case 'delimiter': {
      const behind = framing.checksum?.place === 'behind';
      const marks = endBytes(framing, wire);
      const first = behind ? part('end', end, Math.min(end + marks, wire.length)) : undefined;
      return [
        part('start', 0, start),
        ...(first === undefined
          ? tail(framing.checksum !== undefined, marks, end, wire.length)
          : [first, part('checksum', first.end, wire.length)]),
      ];
    }
  }
}

function tail(checked: boolean, marks: number, end: number, length: number): readonly Named[] {
  const mark = Math.max(end, length - marks);
  return [...(checked ? [part('checksum', end, mark)] : []), part('end', checked ? mark : end, length)];
}

/** Bytes of the delimiter that ends this frame. */
function endBytes(framing: Extract<SingleFraming, { type: 'delimiter' }>, wire: Uint8Array): number {
  const { delimiter } = framing;
  const words: readonly Uint8Array[] = delimiter instanceof Uint8Array ? [delimiter] : delimiter;
  const found = words.find((word) =>
    word.every((byte, index) => wire[wire.length - word.length + index] === byte),
  );
  return (found ?? words[0])?.length ?? 0;
}

function layoutParts(framing: SingleFraming, start: number, end: number, total: number): readonly Named[] {
  const { layout } = makeFraming(framing);
  if (layout === undefined) return [];
  const { preamble, sync, length, again, payloadAt, checksum } = layout;
  const front = Math.max(0, start - payloadAt);
  const width = length?.width ?? 0;
  const sums = checksum?.bytes ?? 0;
  const free = Array.from({ length: sync.length }, (_, at) => at).filter((at) => !sync.isFree(at));
  return [
    ...(preamble.length > 0 ? [part('preamble', 0, front)] : []),
    ...runs(free).map(([from, to]) => part('sync', front + from, front + to)),
    ...(length === undefined ? [] : [part('length', front + length.at, front + length.at + width)]),
    ...(length === undefined || again < 0 ? [] : [part('length', front + again, front + again + width)]),
    part('checksum', end, end + sums),
    part('end', end + sums, total),
  ];
}

/** Numbers that follow one another, as ranges. */
function runs(numbers: readonly number[]): readonly (readonly [from: number, to: number])[] {
  const found: [number, number][] = [];
  for (const each of numbers) {
    const last = found.at(-1);
    if (last !== undefined && last[1] === each) last[1] = each + 1;
    else found.push([each, each + 1]);
  }
  return found;
}

/** Without what lies in the payload, and beyond the frame. */
function clipped(
  { name, start, end }: Named,
  from: number,
  to: number,
  total: number,
): readonly PlacedField[] {
  const made = (first: number, last: number): PlacedField => ({
    name,
    start: Math.max(0, first),
    end: Math.min(total, last),
    framing: true,
    depth: 0,
  });
  return [made(start, Math.min(end, from)), made(Math.max(start, to), end)];
}
