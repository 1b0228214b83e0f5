import { z } from 'zod';
import {
  type ByteOrder,
  checkFraming,
  FRAMING_TYPES,
  FRAMINGS,
  type FramingDeclaration,
  type FramingKind,
  type FramingName,
} from '../../protocol/index.ts';
import { explainIssues } from '../explain-issues.ts';
import { badType, choiceField, flagField, textField } from '../field.ts';
import type { Finding, Path } from '../problem.ts';
import { isKeyed } from '../yaml-source.ts';
import { idField, placeOf } from './id-field.ts';
import { declareKeys, shapesOf } from './keys.ts';

/** The keys of a framing of each type. */
export const shapeOfFraming = <T extends FramingName>(type: T) =>
  z.strictObject({ type: z.literal(type), ...shapesOf(FRAMINGS[type].keys) });

const [firstShape, ...moreShapes] = FRAMING_TYPES.map(shapeOfFraming);

/** `protocol.framing`, for the JSON Schema; `readFraming` says what is wrong in better words. */
export const framingShape = z
  .discriminatedUnion('type', [firstShape ?? shapeOfFraming('length'), ...moreShapes])
  .meta({ description: 'How frames are delimited.' });

/** Keys of one of several framings, beside its own. */
const kindKeys = {
  name: textField('a name', 'nmea', {
    description: 'Its name, by which messages say that they come in its frames.',
    examples: ['nmea'],
  }),
  id: idField
    .optional()
    .meta({ description: 'Where the id of its messages stands; without it they have none.' }),
  error: textField('the type of the error code', 'i8', {
    description: 'Type of the error code behind the id of a reply; none where it is left out.',
    examples: ['i8'],
  }).optional(),
  resumes: flagField({
    description:
      'Frames of the other kinds may stand within a line of this one, which goes on behind them. Only for the last, without `start`.',
    default: false,
  }).optional(),
};

const KIND_KEYS = Object.keys(kindKeys);

const shapeOfKind = <T extends FramingName>(type: T) =>
  z.strictObject({ type: z.literal(type), ...kindKeys, ...shapesOf(FRAMINGS[type].keys) });

const [firstKind, ...moreKinds] = FRAMING_TYPES.map(shapeOfKind);

/** `protocol.framings`, for the JSON Schema. */
export const framingsShape = z
  .array(z.discriminatedUnion('type', [firstKind ?? shapeOfKind('length'), ...moreKinds]))
  .meta({
    description: 'Frames of several kinds on one line, tried in this order; a message names its own.',
  });

/** Reads `protocol.framings` as it stands in a `messages.yaml`. */
export function readFramings(value: unknown, byteOrder: ByteOrder, path: Path = []): ReadFraming {
  if (!Array.isArray(value)) {
    const fix = 'Write a list of framings, each with its `name:` and `type:`.';
    return { findings: [{ ...badType('a list', value, fix), path }] };
  }
  const findings: Finding[] = [];
  const kinds: FramingKind[] = [];
  for (const [index, entry] of value.entries()) {
    const here = [...path, index];
    const given: Readonly<Record<string, unknown>> = isKeyed(entry) ? entry : {};
    const own = Object.fromEntries(Object.entries(given).filter(([key]) => KIND_KEYS.includes(key)));
    const rest = Object.fromEntries(Object.entries(given).filter(([key]) => !KIND_KEYS.includes(key)));
    const shape = z.strictObject(kindKeys);
    const parsed = shape.safeParse(own, { reportInput: true });
    for (const finding of explainIssues(shape, parsed.error?.issues ?? [])) {
      findings.push({ ...finding, path: [...here, ...finding.path] });
    }
    const read = readFraming(isKeyed(entry) ? rest : entry, byteOrder, here);
    findings.push(...read.findings);
    if (!parsed.success || read.framing === undefined || read.framing.type === 'several') continue;
    const { name, id, error, resumes } = parsed.data;
    // What is no number is refused with the rest of the declaration.
    const place = id === undefined ? undefined : placeOf(id);
    kinds.push({
      name,
      framing: read.framing,
      ...(place === undefined ? {} : { id: place }),
      ...(error === undefined || error === 'none' ? {} : { error }),
      ...(resumes === undefined ? {} : { resumes }),
    });
  }
  if (findings.length > 0) return { findings };
  return checked({ type: 'several', kinds }, path);
}

/** The one key that all framings have. */
const framingTypeField = choiceField(FRAMING_TYPES, { description: 'How frames are delimited.' });

export interface ReadFraming {
  /** Absent where something is wrong. */
  readonly framing?: FramingDeclaration;
  /** Everything that is wrong, each with its path below `path`. */
  readonly findings: readonly Finding[];
}

/** Reads `protocol.framing` as it stands in a `messages.yaml`. `byteOrder` is that of the protocol. */
export function readFraming(value: unknown, byteOrder: ByteOrder, path: Path = []): ReadFraming {
  const type = typeOf(value);
  if (type === undefined) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      const fix = 'Write `type:` and its other keys below it, for example { type: slip }.';
      return { findings: [{ ...badType('a group of keys', value, fix), path }] };
    }
    const parsed = framingTypeField.safeParse('type' in value ? value.type : undefined);
    const findings = explainIssues(framingTypeField, parsed.error?.issues ?? []);
    return { findings: findings.map((finding) => ({ ...finding, path: [...path, 'type'] })) };
  }
  const shape = shapeOfFraming(type);
  const parsed = shape.safeParse(value, { reportInput: true });
  if (!parsed.success) {
    const findings = explainIssues(shape, parsed.error.issues);
    return { findings: findings.map((finding) => ({ ...finding, path: [...path, ...finding.path] })) };
  }
  // The keys are those of this type.
  const framing = {
    type,
    ...declareKeys(FRAMINGS[type].keys, parsed.data, byteOrder),
  } as unknown as FramingDeclaration;
  return checked(framing, path);
}

/** A framing, or what is wrong with it. */
function checked(framing: FramingDeclaration, path: Path): ReadFraming {
  const problems = checkFraming(framing);
  if (problems.length === 0) return { framing, findings: [] };
  return {
    findings: problems.map(({ path: below, message, fix }) => ({
      code: 'config_bad_value',
      path: [...path, ...below],
      message: `${message.charAt(0).toUpperCase()}${message.slice(1)}.`,
      fix,
    })),
  };
}

function typeOf(value: unknown): FramingName | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  return FRAMING_TYPES.find((type) => type === value.type);
}
