import type { FieldDeclaration } from './declaration.ts';
import type { Findings, Path } from './finding.ts';
import { encodeText } from './text-code.ts';
import { bytesOfHex } from './value.ts';

/** Checks text or bytes that are always the same. */
export function lintConstant(field: FieldDeclaration, path: Path, findings: Findings): void {
  const { type, length, max, content } = field;
  if (length !== undefined && typeof length !== 'number') {
    findings.add(
      'config_no_effect',
      [...path, 'length'],
      'A constant has the length that it has.',
      'Remove it.',
    );
  }
  for (const [key, given] of Object.entries({ max, content })) {
    if (given === undefined) continue;
    findings.add(
      'config_no_effect',
      [...path, key],
      `\`${key}\` has no meaning beside \`value\`.`,
      'Remove it.',
    );
  }
  const bytes = type === 'text' ? textBytes(field, path, findings) : hexBytes(field, path, findings);
  if (bytes === undefined || typeof length !== 'number') return;
  if (type === 'text' ? bytes.length <= length : bytes.length === length) return;
  findings.add(
    'config_conflict',
    [...path, 'length'],
    `The constant has ${bytes.length} bytes.`,
    type === 'text' ? `Write at least ${bytes.length}, or remove it.` : 'Remove it.',
  );
}

/** Of the text alone, without what fills it up or ends it. */
function textBytes(
  { value, encoding = 'utf8' }: FieldDeclaration,
  path: Path,
  findings: Findings,
): Uint8Array | undefined {
  const here = [...path, 'value'];
  if (typeof value === 'number') {
    findings.add(
      'config_unquoted',
      here,
      'The constant is a text, and without quotes YAML reads a number.',
      'Put it in quotes.',
    );
    return undefined;
  }
  const bytes = encodeText(encoding, value ?? '');
  if (bytes === undefined) {
    findings.add(
      'config_bad_value',
      here,
      `Text in ${encoding} cannot be this.`,
      'Declare another `encoding:`, or write the bytes with `type: bytes`.',
    );
  } else if (bytes.length === 0) {
    findings.add('config_bad_value', here, 'There is no text.', 'Write some, or remove the field.');
  }
  return bytes;
}

function hexBytes({ value }: FieldDeclaration, path: Path, findings: Findings): Uint8Array | undefined {
  const bytes = bytesOfHex(String(value));
  if (bytes !== undefined && bytes.length > 0) return bytes;
  findings.add(
    'config_bad_value',
    [...path, 'value'],
    'These are no bytes.',
    'Write them as hex digits in quotes: "0xdd03".',
  );
  return undefined;
}
