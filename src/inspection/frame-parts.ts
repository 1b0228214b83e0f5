import { type FrameLocation, type FramingDeclaration, framingType } from '../protocol/index.ts';
import type { PlacedField } from './inspected.ts';

/** Where everything stands in a frame; undefined where that cannot be said. `kind`: its framing, of several. */
export function locateFrame(
  wire: Uint8Array,
  payload: Uint8Array,
  framing: FramingDeclaration,
  kind?: string,
): FrameLocation | undefined {
  const single =
    framing.type === 'several' ? framing.kinds.find(({ name }) => name === kind)?.framing : framing;
  return single && framingType(single).locate(single, wire, payload);
}

/** What surrounds a payload, in the order of the wire; what lies within the payload has names of its own there. */
export function surroundings({ starts, parts }: FrameLocation, wire: Uint8Array): readonly PlacedField[] {
  const from = starts[0] ?? 0;
  const to = starts.at(-1) ?? wire.length;
  return parts
    .flatMap(({ name, start, end }) => {
      const piece = (first: number, last: number): PlacedField => ({
        name,
        start: Math.max(0, first),
        end: Math.min(wire.length, last),
        framing: true,
        depth: 0,
      });
      return [piece(start, Math.min(end, from)), piece(Math.max(start, to), end)];
    })
    .filter(({ start, end }) => end > start)
    .sort((one, other) => one.start - other.start);
}
