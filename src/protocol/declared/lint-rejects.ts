import type { MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import type { Findings, Path } from './finding.ts';
import { hasField } from './has-field.ts';

/** A message that refuses requests comes from the device, of its own accord, and names requests that it can refuse. */
export function lintRejects(
  { rejects, from = 'any', reply = 'none', fields = [] }: MessageDeclaration,
  protocol: ProtocolDeclaration,
  path: Path,
  findings: Findings,
): void {
  if (rejects === undefined) return;
  const here = [...path, 'rejects'];
  if (from !== 'device' || reply !== 'none') {
    findings.add(
      'config_conflict',
      here,
      'Only a message that the device sends, and that nothing answers, can refuse a request.',
      'Write `from: device`, and leave out `reply:`.',
    );
  }
  for (const [index, name] of (rejects.request === 'any' ? [] : rejects.request).entries()) {
    const declared = protocol.messages.find((each) => each.name === name);
    if (declared !== undefined && (declared.reply ?? 'none') !== 'none' && declared.from !== 'device')
      continue;
    findings.add(
      'config_bad_value',
      [...here, 'request', index],
      declared === undefined
        ? `There is no message \`${name}\`.`
        : `\`${name}\` is no request that the device answers.`,
      'Name messages from the host with a `reply:`, or write `any`.',
    );
  }
  if (rejects.code === undefined || hasField(fields, rejects.code.split('.'))) return;
  findings.add(
    'config_bad_value',
    [...here, 'code'],
    `This message has no field \`${rejects.code}\`.`,
    'Name a field of this message.',
  );
}
