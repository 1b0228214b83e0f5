import { parseBits } from './bit-range.ts';
import type { MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import type { Findings, Path } from './finding.ts';
import { parseNumberType } from './number-type.ts';

/** Checks the places of ids that are texts, bits, or several. */
export function lintSelector(
  { selector = [], byteOrder, maxFrame }: ProtocolDeclaration,
  findings: Findings,
): void {
  for (const [index, { type, at, bits, length, until }] of selector.entries()) {
    const here: Path = ['protocol', 'id', ...(selector.length > 1 ? [index] : [])];
    const number = parseNumberType(type, byteOrder);
    if (type === 'text') {
      if ((length === undefined) === (until === undefined) || bits !== undefined) {
        findings.add(
          'config_bad_value',
          here,
          'An id of text has a length, or goes up to what ends it.',
          'Write { type: text, length: 5 } or { type: text, until: "," }.',
        );
      }
    } else if (number === undefined || number.kind === 'float' || number.bytes > 6) {
      findings.add(
        'config_bad_value',
        here,
        'An id is text, or a whole number of at most 48 bits.',
        'Write for example u8, { type: u8, bits: 4..7 } or { type: text, until: "," }.',
      );
    } else if (bits !== undefined) {
      const range = parseBits(bits);
      if (range === undefined || range.from + range.count > 8 * number.bytes) {
        findings.add('config_bad_value', here, 'The number has no such bits.', 'Write for example 4..7.');
      }
    }
    if (!Number.isInteger(at) || at < 0 || at > maxFrame) {
      findings.add(
        'config_bad_value',
        [...here, 'at'],
        'This is no offset in the payload.',
        'Count the bytes in front of the id.',
      );
    }
  }
}

/** Checks the ids of one message. `known` has those of the messages in front of it. */
export function lintSelects(
  { selects, name }: MessageDeclaration,
  { selector = [], byteOrder }: ProtocolDeclaration,
  known: Map<string, string>,
  path: Path,
  findings: Findings,
): void {
  const here = [...path, 'id'];
  if (selects === undefined || selects.length === 0) {
    findings.add('config_missing_key', path, 'The message has no id.', 'Add `id:`.');
    return;
  }
  if (selects.length > selector.length) {
    findings.add('config_bad_value', here, `An id has ${selector.length} parts here.`, 'Remove the others.');
    return;
  }
  for (const [index, value] of selects.entries()) {
    const part = selector[index];
    if (part === undefined) continue;
    const range = part.bits === undefined ? undefined : parseBits(part.bits);
    const number = parseNumberType(part.type, byteOrder);
    const bits = range?.count ?? 8 * (number?.bytes ?? 1);
    const fits =
      part.type === 'text'
        ? typeof value === 'string' && value.length > 0 && (part.length ?? value.length) === value.length
        : typeof value === 'number' &&
          Number.isInteger(value) &&
          value < 2 ** bits &&
          value >= -(2 ** (bits - 1));
    if (fits && (range === undefined || Number(value) >= 0)) continue;
    findings.add(
      'config_bad_value',
      here,
      `\`${value}\` cannot stand there.`,
      part.type === 'text'
        ? `Write a text${part.length === undefined ? '' : ` of ${part.length} characters`}, in quotes where it is a number.`
        : `Write a whole number of ${bits} bits.`,
    );
    return;
  }
  for (let count = 1; count <= selects.length; count++) {
    const other = known.get(JSON.stringify(selects.slice(0, count)));
    if (other === undefined) continue;
    findings.add(
      'config_duplicate_id',
      here,
      `The message \`${other}\` in front of it takes all with this id.`,
      'Give each message an id of its own, those of more parts first.',
    );
    return;
  }
  known.set(JSON.stringify(selects), name);
}
