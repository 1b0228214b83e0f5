import { HeartwireError } from '../../errors.ts';
import type { CheckBudget } from '../check-budget.ts';
import type { FramingKind, SeveralFramings, Side, SingleFraming } from './declaration.ts';
import { delimitedEnvelope } from './delimiter.ts';
import { delimitersOf, startWord } from './delimiter-marks.ts';
import { makeMatcher } from './frame-matcher.ts';
import type { Framing, PayloadJudge } from './framing.ts';
import { type FrameKind, type LineKind, SeveralDecoder } from './several-decoder.ts';

/** Frames of several kinds on one line, each with the framing of its own. */
export function makeSeveralFramings(
  { kinds }: SeveralFramings,
  side: Side,
  make: (framing: SingleFraming, side: Side) => Framing,
): Framing {
  const framings = new Map(kinds.map(({ name, framing }) => [name, make(framing, side)]));
  const [first] = framings.keys();
  const declared = kinds.map((kind) => asReceived(kind, side));
  return {
    describe: [...framings].map(([name, { describe }]) => `${name} (${describe})`).join(' or '),
    needsSilence: true,
    varies: true,
    maxPayload: Math.max(...[...framings.values()].map(({ maxPayload }) => maxPayload)),
    makeDecoder: (sink, { line, judge }) =>
      new SeveralDecoder(
        {
          line,
          lines: lineKind(declared),
          makeKinds: (budget) => frameKinds(declared, framings, judge, budget),
        },
        sink,
      ),
    encode(payload, kind = first) {
      const framing = framings.get(kind ?? '');
      if (framing !== undefined) return framing.encode(payload);
      throw new HeartwireError('bad_argument', `There is no framing ${JSON.stringify(kind)}`, {
        fix: `There are ${[...framings.keys()].join(', ')}.`,
      });
    },
  };
}

/** With the marks of what this side reads. */
function asReceived(kind: FramingKind, side: Side): FramingKind {
  const { framing } = kind;
  if (framing.type !== 'delimiter' || framing.send === undefined || side === 'host') return kind;
  const { delimiter = framing.delimiter, start = framing.start } = framing.send;
  return { ...kind, framing: { ...framing, delimiter, start } };
}

function frameKinds(
  kinds: readonly FramingKind[],
  framings: ReadonlyMap<string, Framing>,
  judge: PayloadJudge | undefined,
  budget: CheckBudget,
): readonly FrameKind[] {
  return kinds.flatMap(({ name, framing }) => {
    const matcher = makeMatcher(framing, framings.get(name)?.layout, judge?.of?.(name), budget);
    return matcher === undefined ? [] : [{ name, matcher }];
  });
}

/** Whether nothing marks the beginning of a frame: it is a line between the frames of other kinds. */
export function isUnmarked({ framing }: FramingKind): boolean {
  return framing.type === 'delimiter' && startWord(framing).length === 0;
}

function lineKind(kinds: readonly FramingKind[]): LineKind | undefined {
  const kind = kinds.find(isUnmarked);
  if (kind?.framing.type !== 'delimiter') return undefined;
  const { framing, name, resumes = false } = kind;
  const [delimiter = new Uint8Array(0)] = delimitersOf(framing);
  const { envelope, maxBytes, sealed } = delimitedEnvelope(framing);
  return {
    name,
    delimiter,
    maxBytes,
    resumes,
    skipsFirst: framing.first !== 'take' && sealed.checksum === undefined,
    open(bytes, start, end, next) {
      if (envelope.open(bytes, start, end, next) !== 'payload') return undefined;
      return [envelope.bytes, envelope.start, envelope.end];
    },
  };
}
