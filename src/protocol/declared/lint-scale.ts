import { compileField } from './compile-fields.ts';
import { splitReference } from './condition.ts';
import type { Condition, FieldDeclaration } from './declaration.ts';
import type { Path } from './finding.ts';
import { lintCondition, type Surroundings } from './lint-references.ts';
import { parseNumberType } from './number-type.ts';
import { sizingScope } from './sizing.ts';

interface Behind extends Surroundings {
  /** Fields of the same structure behind this one. */
  readonly behind: readonly FieldDeclaration[];
}

/** Checks the fields from which a number takes its scale and its sign. */
export function lintReferredNumber(field: FieldDeclaration, path: Path, around: Behind): void {
  if (field.negative !== undefined) lintSign(field.negative, [...path, 'negative'], around);
  if (typeof field.scale !== 'object') return;
  const { protocol, earlier, behind, findings } = around;
  const here = [...path, 'scale', 'field'];
  const name = field.scale.field;
  const place = behind.findIndex((each) => each.name === name);
  const target = earlier.get(name) ?? behind[place];
  if (target === undefined) {
    const known = [
      ...earlier.keys(),
      ...behind.flatMap((each) => (each.name === undefined ? [] : [each.name])),
    ];
    findings.add(
      'config_bad_value',
      here,
      `There is no field \`${name}\`.`,
      `Name an earlier field, or one behind this one in the same structure: ${known.slice(0, 12).join(', ')}.`,
    );
    return;
  }
  const type = parseNumberType(target.type, protocol.byteOrder);
  const { scale, offset, enum: names, bits, sign, negative, time } = target;
  const plain = [scale, offset, names, bits, sign, negative, time].every((each) => each === undefined);
  if (type === undefined || type.kind !== 'int' || type.bytes > 6 || !plain) {
    findings.add(
      'config_bad_value',
      here,
      `\`${name}\` is no plain whole number.`,
      'Name a field without scale, enum or bits.',
    );
    return;
  }
  if (!earlier.has(name)) lintDistance(behind.slice(0, place), target, here, 'scale', around);
}

/** The sign of a number stands in front of it, or behind it in a number of the same structure. */
function lintSign(negative: Condition, path: Path, around: Behind): void {
  const { earlier, behind } = around;
  const [name] = splitReference(negative.field);
  const place = behind.findIndex((each) => each.name === name);
  const target = behind[place];
  if (earlier.has(name) || target === undefined || target.type === 'text')
    return lintCondition(negative, path, around);
  lintCondition(negative, path, { ...around, earlier: new Map([...earlier, [name, target]]) });
  lintDistance(behind.slice(0, place), target, [...path, 'field'], 'sign', around);
}

function lintDistance(
  between: readonly FieldDeclaration[],
  target: FieldDeclaration,
  path: Path,
  what: 'scale' | 'sign',
  around: Behind,
): void {
  const loose =
    [...between, target].find(({ when, optional }) => when !== undefined || optional === true) ??
    between.find((each) => !isFixed(each, around));
  if (loose === undefined) return;
  around.findings.add(
    'config_bad_value',
    path,
    `Where \`${target.name}\` stands depends on \`${loose.name ?? loose.type}\`.`,
    `Behind a field, its ${what} is found only at a fixed distance; put it in front.`,
  );
}

function isFixed(field: FieldDeclaration, { protocol }: Surroundings): boolean {
  const { min, max } = compileField(field, sizingScope(protocol));
  return min === max;
}
