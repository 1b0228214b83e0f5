import type { FieldDeclaration, MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import { holdsOf, isNamedType } from './field-types.ts';
import type { Findings, Path } from './finding.ts';
import { lintMargin } from './lint-limits.ts';
import { parseNumberType } from './number-type.ts';

/** Checks what of the state is said to show that a message was carried out. */
export function lintConfirms(
  { fields = [], confirms = {} }: MessageDeclaration,
  protocol: ProtocolDeclaration,
  path: Path,
  findings: Findings,
): void {
  for (const [own, shown] of Object.entries(confirms)) {
    const here = [...path, 'confirms', own];
    if (fieldIn(fields, own.split('.')) === undefined) {
      findings.add(
        'config_bad_value',
        here,
        `This message has no field \`${own}\`.`,
        'Write a field of this message, or one of its bits as `field.bit`, in front of the colon.',
      );
    }
    const { field: target, within } = typeof shown === 'object' ? shown : { field: String(shown) };
    const [message = '', ...inner] = target.split('.');
    const declared = protocol.messages.find(({ name }) => name === message);
    const found = declared && shownField(declared, inner);
    if (found === undefined) {
      findings.add(
        'config_bad_value',
        typeof shown === 'object' ? [...here, 'field'] : here,
        `There is no field \`${target}\`.`,
        'Write the message and its field, for example telemetry.setpoint.',
      );
    } else if (within !== undefined) {
      lintWithin(found, within, protocol, [...here, 'within'], findings);
    }
  }
}

function lintWithin(
  found: FieldDeclaration | 'bit',
  within: number | string,
  { byteOrder }: ProtocolDeclaration,
  path: Path,
  findings: Findings,
): void {
  const number =
    found !== 'bit' &&
    found.enum === undefined &&
    found.bits === undefined &&
    holdsOf(found.type) === 'number' &&
    (isNamedType(found.type) || parseNumberType(found.type, byteOrder) !== undefined);
  if (number) {
    lintMargin(within, found.unit, path, findings);
    return;
  }
  findings.add(
    'config_bad_value',
    path,
    'Only numbers can come near each other, and this field is none.',
    'Remove `within`, and write the field alone.',
  );
}

/** The field of a message, or of its reply, that the state shows; `bit` where it is one of a field's bits. */
function shownField(
  { fields = [], reply }: MessageDeclaration,
  path: readonly string[],
): FieldDeclaration | 'bit' | undefined {
  return fieldIn([...fields, ...(typeof reply === 'object' ? reply.fields : [])], path);
}

function fieldIn(
  fields: readonly FieldDeclaration[],
  [name, ...inner]: readonly string[],
): FieldDeclaration | 'bit' | undefined {
  const field = fields.find((each) => each.name === name);
  if (field === undefined || inner.length === 0) return field;
  const [bit] = inner;
  const isBit = inner.length === 1 && (field.bits ?? []).some((each) => each.name === bit);
  return isBit ? 'bit' : fieldIn(field.fields ?? [], inner);
}
