import { z } from 'zod';
import {
  type ByteOrder,
  checkFraming,
  FRAMING_KEYS,
  FRAMING_TYPES,
  type FramingDeclaration,
  type FramingType,
} from '../../protocol/index.ts';
import { explainIssues } from '../explain-issues.ts';
import { badType, choiceField } from '../field.ts';
import type { Finding, Path } from '../problem.ts';
import { declareKeys, shapesOf } from './keys.ts';

/** The keys of a framing of each type. */
export const shapeOfFraming = <T extends FramingType>(type: T) =>
  z.strictObject({ type: z.literal(type), ...shapesOf(FRAMING_KEYS[type]) });

const [firstShape, ...moreShapes] = FRAMING_TYPES.map(shapeOfFraming);

/** `protocol.framing`, for the JSON Schema; `readFraming` says what is wrong in better words. */
export const framingShape = z
  .discriminatedUnion('type', [firstShape ?? shapeOfFraming('length'), ...moreShapes])
  .meta({ description: 'How frames are told apart.' });

/** The one key that all framings have. */
const framingTypeField = choiceField(FRAMING_TYPES, { description: 'How frames are told apart.' });

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
    ...declareKeys(FRAMING_KEYS[type], parsed.data, byteOrder),
  } as unknown as FramingDeclaration;
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

function typeOf(value: unknown): FramingType | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  return FRAMING_TYPES.find((type) => type === value.type);
}
