import { findChecksum } from '../crc/catalogue.ts';
import type { MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import type { Findings, Path } from './finding.ts';

/** Checks a group that is assembled from several messages. */
export function lintAssemble(
  message: MessageDeclaration,
  { messages }: ProtocolDeclaration,
  path: Path,
  findings: Findings,
): void {
  const { assemble, from, reply = 'none', id, selects } = message;
  if (assemble === undefined) return;
  const here = [...path, 'assemble'];
  const { parts, first, last, number, total, same = [], lists = [], checksum } = assemble;
  const bad = (at: Path, what: string, fix: string): void =>
    findings.add('config_bad_value', [...here, ...at], what, fix);
  if (from !== 'device' || reply !== 'none' || id !== undefined || selects !== undefined) {
    findings.add(
      'config_conflict',
      path,
      'A group is no message on the wire: it has no id and no reply, and comes from the device.',
      'Write `from: device`, and leave out `id:` and `reply:`.',
    );
  }
  if (parts.length === 0) bad(['parts'], 'The group has no parts.', 'Name messages of the device.');
  const declared = parts.flatMap((part, index) => {
    const found = messages.find(({ name }) => name === part);
    const fits = found !== undefined && found.assemble === undefined && (found.reply ?? 'none') === 'none';
    if (fits && found.from !== 'host' && found.rejects === undefined) return [found];
    bad(['parts', index], `\`${part}\` is no message that the device sends by itself.`, 'Name another one.');
    return [];
  });
  const others = messages.filter((each) => each !== message && each.assemble !== undefined);
  const taken = parts.findIndex((part) => others.some((each) => each.assemble?.parts.includes(part)));
  if (taken >= 0)
    bad(['parts', taken], 'Another group has this part as well.', 'Let each group have its own parts.');
  for (const [key, part] of Object.entries({ first, last })) {
    if (part !== undefined && !parts.includes(part))
      bad([key], `\`${part}\` is none of the parts.`, 'Name one of them.');
  }
  for (const [key, names] of Object.entries({ number: [number], total: [total], same, lists })) {
    for (const name of names) {
      const all =
        key === 'lists'
          ? declared.some((each) => hasField(each, name))
          : declared.every((each) => hasField(each, name));
      if (name === undefined || all) continue;
      bad([key], `Not all parts have a field \`${name}\`.`, 'Name a field of the parts.');
    }
  }
  if (first === undefined && number === undefined && checksum === undefined) {
    findings.add(
      'config_missing_key',
      here,
      'Nothing shows where a group begins, so that half of one could count.',
      'Add `first`, `number` or `checksum`.',
    );
  }
  if (last === undefined && total === undefined) {
    findings.add('config_missing_key', here, 'Nothing shows where a group ends.', 'Add `last` or `total`.');
  }
  if (checksum !== undefined && findChecksum(checksum.algorithm) === undefined) {
    bad(
      ['checksum', 'algorithm'],
      `There is no checksum \`${checksum.algorithm}\`.`,
      'Write for example sum-8.',
    );
  }
}

const hasField = ({ fields = [] }: MessageDeclaration, name: string | undefined): boolean =>
  fields.some((field) => field.name === name);
