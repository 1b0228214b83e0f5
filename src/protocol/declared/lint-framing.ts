import type { MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import type { Findings, Path } from './finding.ts';

/** What a framing asks of the messages, and a message of its framing. */
export function lintCrcExtra(
  { crcExtra, id }: MessageDeclaration,
  { framing }: ProtocolDeclaration,
  path: Path,
  findings: Findings,
): void {
  if (crcExtra === undefined) return;
  if (framing.checksum === undefined) {
    findings.add(
      'config_no_effect',
      [...path, 'crc_extra'],
      'The frames of this message have no checksum that could cover it.',
      'Give the framing a `checksum`, or remove `crc_extra`.',
    );
  } else if (framing.id === undefined || id === undefined) {
    findings.add(
      'config_no_effect',
      [...path, 'crc_extra'],
      'Without an id nothing shows which message it belongs to.',
      'Declare `protocol.id` and the id of the message, or use `extra` of the checksum.',
    );
  }
}

export function lintExtraById({ framing }: ProtocolDeclaration, findings: Findings): void {
  if (framing.checksum?.extraById === undefined || framing.id !== undefined) return;
  findings.add(
    'config_no_effect',
    ['protocol', 'framing', 'checksum', 'extra_by_id'],
    'These messages carry no id.',
    'Declare `protocol.id`, or use `extra` for one constant.',
  );
}
