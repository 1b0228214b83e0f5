import type { MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import type { Findings, Path } from './finding.ts';
import type { MessageCodec } from './message-codec.ts';

/** What a framing asks of the messages, and a message of its framing. */
export function lintCrcExtra(
  { crcExtra, id, framing: named }: MessageDeclaration,
  { framing }: ProtocolDeclaration,
  path: Path,
  findings: Findings,
): void {
  if (named !== undefined) {
    const message = 'There is one framing only, without a name.';
    findings.add(
      'config_no_effect',
      [...path, 'framing'],
      message,
      'Remove it, or declare `protocol.framings`.',
    );
  }
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

/** Where the id alone says how long a frame is, every message has an id and one size for each side that sends it. */
export function lintSizes(
  { framing, id }: ProtocolDeclaration,
  messages: readonly MessageCodec[],
  findings: Findings,
): void {
  if (framing.type !== 'id') return;
  if (id === undefined) {
    const message = 'Without an id nothing shows how long a frame is.';
    findings.add('config_missing_key', ['protocol'], message, 'Declare `protocol.id`.');
    return;
  }
  if (framing.lengths !== undefined) return;
  const sizes = new Map<string, number>();
  for (const [index, codec] of messages.entries()) {
    for (const form of codec.forms) {
      const path = ['messages', index];
      if (form.minLength !== form.maxLength) {
        findings.add(
          'config_conflict',
          path,
          `\`${codec.name}\` has no fixed size, and the framing knows frames by their id alone.`,
          'Give all its fields a fixed length, or the framing a table of `lengths`.',
        );
        break;
      }
      for (const from of ['device', 'host'] as const) {
        if (!codec.mayComeFrom(form, from)) continue;
        const key = `${codec.id} ${from}`;
        const known = sizes.get(key) ?? form.minLength;
        sizes.set(key, known);
        if (known === form.minLength) continue;
        findings.add(
          'config_conflict',
          path,
          `Messages of id ${codec.id} from the ${from} have ${known} bytes, and ${form.minLength}.`,
          'Let those of one id be as long as each other, say with `from` who sends each, or use another framing.',
        );
        return;
      }
    }
  }
}
