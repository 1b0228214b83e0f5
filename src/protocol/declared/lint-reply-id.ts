import type { MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import type { Findings, Path } from './finding.ts';
import { replyIdOf } from './message-id.ts';

/** The reply to a message has its id, or one that no other message has. */
export function lintReplyId(
  message: MessageDeclaration,
  protocol: ProtocolDeclaration,
  ids: Map<number, string>,
  own: number,
  path: Path,
  findings: Findings,
): void {
  const { reply = 'none', name } = message;
  const replied = reply === 'none' ? own : replyIdOf(message, protocol);
  if (replied === undefined || replied === own) return;
  const taken = ids.get(replied);
  if (taken !== undefined && taken !== name) {
    findings.add(
      'config_duplicate_id',
      [...path, 'reply'],
      `Its reply would have the id ${replied}, which \`${taken}\` has.`,
      'Give the reply an id of its own: `reply: { id: 0x90, fields: [...] }`.',
    );
  }
  ids.set(replied, name);
}
