import { type DeclaredProtocol, type FieldTrace, Reading } from '../protocol/index.ts';
import { locateFrame, surroundings } from './frame-parts.ts';
import type { InspectedFrame, PlacedField } from './inspected.ts';

/** Every field of a frame with its bytes on the wire, and what surrounds its payload, in their order. */
export function fieldsOf(frame: InspectedFrame, protocol: DeclaredProtocol): readonly PlacedField[] {
  const { bytes, payload, framing } = frame;
  const declared = protocol.declaration.framing;
  const place = locateFrame(bytes, payload, declared, framing);
  if (place === undefined) return [];
  const parts = surroundings(place, bytes);
  const start = place.starts[0] ?? 0;
  const before = parts.filter((each) => each.end <= start);
  const behind = parts.filter((each) => each.end > start);
  return [...before, ...traceOf(frame, protocol).map((each) => placed(each, place.starts)), ...behind];
}

function traceOf(
  { payload, framing, meaning }: InspectedFrame,
  protocol: DeclaredProtocol,
): readonly FieldTrace[] {
  if (meaning.name !== 'declared' && meaning.name !== 'invalid') return [];
  const part = framing === undefined ? undefined : protocol.part(framing);
  const codec = (part ?? protocol).message(meaning.message);
  const form = codec?.forms.find(({ kind }) => kind === meaning.kind);
  return codec === undefined || form === undefined ? [] : codec.inspect(form, new Reading(), payload).trace;
}

function placed(field: FieldTrace, starts: readonly number[]): PlacedField {
  const last = starts.length - 1;
  const from = Math.min(field.offset, last);
  const to = Math.min(field.offset + field.bytes, last);
  const { field: name, depth, value, raw, unit, note } = field;
  return {
    name,
    start: starts[from] ?? 0,
    end: to > from ? (starts[to] ?? 0) : (starts[from] ?? 0),
    framing: false,
    depth,
    value,
    raw,
    unit,
    note,
  };
}
