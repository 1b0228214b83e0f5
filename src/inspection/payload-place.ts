import {
  type FramingDeclaration,
  isStandardFraming,
  makeFraming,
  PREFIX_BYTES,
  type SingleFraming,
} from '../protocol/index.ts';

/** Where the bytes of a payload stand in its frame. */
export interface PayloadPlace {
  /** Of each byte of the payload, where it begins on the wire; one more entry says where the last one ends. */
  readonly starts: readonly number[];
}

const SLIP = {
  escape: 0xdb,
  of: new Map([
    [0xdc, 0xc0],
    [0xdd, 0xdb],
  ]),
};

/** Bytes in front of a payload that are tried at most: prompts, rests of line ends, noise, start words. */
const MOST_IN_FRONT = 128;

/**
 * Where a payload stands in the frame in which it came; undefined where that cannot be said. Looks at each byte of the
 * frame `MOST_IN_FRONT` times at most.
 */
export function placePayload(
  wire: Uint8Array,
  payload: Uint8Array,
  framing: FramingDeclaration,
  kind?: string,
): PayloadPlace | undefined {
  const single =
    framing.type === 'several' ? framing.kinds.find(({ name }) => name === kind)?.framing : framing;
  return single && placeIn(wire, payload, single);
}

function placeIn(wire: Uint8Array, payload: Uint8Array, framing: SingleFraming): PayloadPlace | undefined {
  if (isStandardFraming(framing)) return run(PREFIX_BYTES, payload, wire);
  switch (framing.type) {
    case 'slip':
      return firstFit(wire, payload, 0, (at) => {
        const byte = wire[at] ?? -1;
        if (byte !== SLIP.escape) return [byte, 1];
        return [SLIP.of.get(wire[at + 1] ?? -1) ?? -1, 2];
      });
    case 'cobs':
      return cobsPlace(wire, payload);
    case 'delimiter':
      return delimitedPlace(wire, payload, framing);
    case 'gap':
      return run(0, payload, wire);
    case 'length':
    case 'sync':
    case 'fixed':
    case 'id': {
      const { layout } = makeFraming(framing);
      if (layout === undefined) return run(0, payload, wire);
      // Behind the payload stand its checksum and its trailer only.
      return run(wire.length - layout.tailBytes - payload.length, payload, wire);
    }
  }
}

/** Each byte stands right behind the one before. */
function run(from: number, { length }: Uint8Array, wire: Uint8Array): PayloadPlace | undefined {
  if (from < 0 || from + length > wire.length) return undefined;
  return { starts: Array.from({ length: length + 1 }, (_, index) => from + index) };
}

type Reader = (at: number) => readonly [byte: number, bytes: number];

/** The first place from which the wire reads as the payload. */
function firstFit(
  wire: Uint8Array,
  payload: Uint8Array,
  least: number,
  read: Reader,
): PayloadPlace | undefined {
  const last = Math.min(wire.length - payload.length, least + MOST_IN_FRONT);
  for (let from = least; from <= last; from++) {
    const starts = readsAs(wire, payload, from, read);
    if (starts !== undefined) return { starts };
  }
  return undefined;
}

function readsAs(
  wire: Uint8Array,
  payload: Uint8Array,
  from: number,
  read: Reader,
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

function delimitedPlace(
  wire: Uint8Array,
  payload: Uint8Array,
  framing: Extract<SingleFraming, { type: 'delimiter' }>,
): PayloadPlace | undefined {
  const { escape: escaping, encoding = 'raw', start = new Uint8Array(0) } = framing;
  const least = start.length === 0 ? 0 : behindStart(wire, start);
  if (encoding !== 'raw') return hexPlace(wire, payload, least, encoding === 'nibble_hex');
  const plain: Reader = (at) => [wire[at] ?? -1, 1];
  if (escaping === undefined) return firstFit(wire, payload, least, plain);
  const { byte: mark, xor = 0 } = escaping;
  return firstFit(wire, payload, least, (at) =>
    wire[at] === mark ? [at + 1 < wire.length ? (wire[at + 1] ?? 0) ^ xor : -1, 2] : plain(at),
  );
}

/** Behind the first start word; 0 where there is none. */
function behindStart(wire: Uint8Array, start: Uint8Array): number {
  const last = Math.min(wire.length - start.length, MOST_IN_FRONT);
  for (let at = 0; at <= last; at++) {
    if (start.every((byte, index) => wire[at + index] === byte)) return at + start.length;
  }
  return 0;
}

function hexPlace(
  wire: Uint8Array,
  payload: Uint8Array,
  least: number,
  nibble: boolean,
): PayloadPlace | undefined {
  const digit = (at: number): number => Number.parseInt(String.fromCharCode(wire[at] ?? 0), 16);
  const last = Math.min(wire.length - 1, least + MOST_IN_FRONT);
  for (let from = least; from <= last; from++) {
    const found = readsAs(wire, payload, from, (at) =>
      nibble && at === from ? [digit(at), 1] : [16 * digit(at) + digit(at + 1), 2],
    );
    if (found !== undefined) return { starts: found };
  }
  return undefined;
}

/** A code byte says how many bytes of content follow it; where it is less than 255, a zero stands behind them. */
function cobsPlace(wire: Uint8Array, payload: Uint8Array): PayloadPlace | undefined {
  const starts: number[] = [];
  let at = 0;
  while (starts.length < payload.length) {
    const code = wire[at] ?? 0;
    if (code === 0 || at + code > wire.length) return undefined;
    for (let index = 1; index < code && starts.length < payload.length; index++) starts.push(at + index);
    at += code;
    // The zero that the next code byte stands for.
    if (code < 0xff && starts.length < payload.length) starts.push(at);
  }
  // A checksum may stand behind it.
  starts.push((starts.at(-1) ?? 0) + 1);
  const fits = payload.every((byte, index) => byte === 0 || wire[starts[index] ?? -1] === byte);
  return fits ? { starts } : undefined;
}
