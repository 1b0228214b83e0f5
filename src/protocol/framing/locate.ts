import type { FrameLayout } from './layout.ts';

/** A part of a frame, from `start` up to `end`. */
export interface FramePart {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Where everything stands in one frame on the wire. */
export interface FrameLocation {
  /** Of each byte of the payload, where it begins on the wire; one more entry says where the last one ends. */
  readonly starts: readonly number[];
  /** What surrounds the payload; what of a part lies within the payload belongs to that. */
  readonly parts: readonly FramePart[];
}

/** Bytes in front of a payload that are tried at most: prompts, rests of line ends, noise, start words. */
const MOST_IN_FRONT = 128;

export const part = (name: string, start: number, end: number): FramePart => ({ name, start, end });

/** A payload that stands as it is from here on: each byte right behind the one before. */
export function plainStarts(
  from: number,
  { length }: Uint8Array,
  wire: Uint8Array,
): readonly number[] | undefined {
  if (from < 0 || from + length > wire.length) return undefined;
  return Array.from({ length: length + 1 }, (_, index) => from + index);
}

/** The byte of the payload that stands at a place of the wire, and how many bytes it takes there; -1: none does. */
export type ByteReader = (at: number) => readonly [byte: number, bytes: number];

/** The first place, from `least` on, from which the wire reads as the payload. */
export function firstFit(
  wire: Uint8Array,
  payload: Uint8Array,
  least: number,
  readerFrom: (from: number) => ByteReader,
): readonly number[] | undefined {
  const last = Math.min(wire.length - 1, least + MOST_IN_FRONT);
  for (let from = least; from <= last; from++) {
    const starts = readsAs(wire, payload, from, readerFrom(from));
    if (starts !== undefined) return starts;
  }
  return undefined;
}

function readsAs(
  wire: Uint8Array,
  payload: Uint8Array,
  from: number,
  read: ByteReader,
): readonly number[] | undefined {
  const starts: number[] = [];
  let at = from;
  for (const wanted of payload) {
    const [byte, bytes] = read(at);
    if (byte !== wanted) return undefined;
    starts.push(at);
    at += bytes;
  }
  if (at > wire.length) return undefined;
  starts.push(at);
  return starts;
}

/** Behind the first start word; 0 where there is none. */
export function behindStart(wire: Uint8Array, start: Uint8Array): number {
  if (start.length === 0) return 0;
  const last = Math.min(wire.length - start.length, MOST_IN_FRONT);
  for (let at = 0; at <= last; at++) {
    if (start.every((byte, index) => wire[at + index] === byte)) return at + start.length;
  }
  return 0;
}

/** A payload between marks, with a checksum behind it or without. */
export function markedLocation(
  wire: Uint8Array,
  starts: readonly number[] | undefined,
  { checked, endBytes }: { readonly checked: boolean; readonly endBytes: number },
): FrameLocation | undefined {
  const [start = 0] = starts ?? [];
  const end = starts?.at(-1) ?? 0;
  const mark = Math.max(end, wire.length - endBytes);
  return (
    starts && {
      starts,
      parts: [
        part('start', 0, start),
        ...(checked ? [part('checksum', end, mark)] : []),
        part('end', checked ? mark : end, wire.length),
      ],
    }
  );
}

/** A payload in a frame with a layout: behind it stand its checksum and its trailer only. */
export function layoutLocation(
  layout: FrameLayout | undefined,
  wire: Uint8Array,
  payload: Uint8Array,
): FrameLocation | undefined {
  if (layout === undefined) return undefined;
  const { preamble, sync, length, again, payloadAt, checksum, tailBytes } = layout;
  const starts = plainStarts(wire.length - tailBytes - payload.length, payload, wire);
  if (starts === undefined) return undefined;
  const end = wire.length - tailBytes;
  const front = Math.max(0, end - payload.length - payloadAt);
  const width = length?.width ?? 0;
  const sums = end + (checksum?.bytes ?? 0);
  const fixed = Array.from({ length: sync.length }, (_, at) => at).filter((at) => !sync.isFree(at));
  const lengths = length === undefined ? [] : again < 0 ? [length.at] : [length.at, again];
  return {
    starts,
    parts: [
      ...(preamble.length > 0 ? [part('preamble', 0, front)] : []),
      ...runs(fixed).map(([from, to]) => part('sync', front + from, front + to)),
      ...lengths.map((at) => part('length', front + at, front + at + width)),
      part('checksum', end, sums),
      part('end', sums, wire.length),
    ],
  };
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
