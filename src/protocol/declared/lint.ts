import type { FramingKind } from '../framing/declaration.ts';
import type { FieldDeclaration, MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import { fieldsWithin } from './field-references.ts';
import { type DeclarationFinding, Findings, lintName, type Path } from './finding.ts';
import { kindOf, partOf } from './framing-parts.ts';
import { lintAddress } from './lint-address.ts';
import { lintAssemble } from './lint-assemble.ts';
import { lintConfirms } from './lint-confirms.ts';
import { lintEnum } from './lint-enums.ts';
import { lintCrcExtra, lintExtraById, lintSizes } from './lint-framing.ts';
import { lintMessage } from './lint-message.ts';
import { lintRejects } from './lint-rejects.ts';
import { lintReplyId } from './lint-reply-id.ts';
import { lintSelector, lintSelects } from './lint-selector.ts';
import { lintSession } from './lint-session.ts';
import { MessageCodec } from './message-codec.ts';
import { wrapId } from './message-id.ts';
import { parseNumberType } from './number-type.ts';

/** Names with a meaning of their own wherever messages are named. */
const RESERVED = new Set(['unknown', 'invalid', 'declared']);
/** The command that the bridge carries out itself, whatever the device speaks. */
const NOTE = 'note';
/** Structures in structures, at most. */
const DEEPEST = 16;
const MOST_MESSAGES = 4_096;
const MOST_FIELDS = 50_000;

/** Everything that is wrong or doubtful with a declaration, in its order. */
export function lintProtocol(declaration: ProtocolDeclaration): readonly DeclarationFinding[] {
  const { framing } = declaration;
  if (framing.type === 'several') return lintSeveral(declaration, framing.kinds);
  const findings = new Findings();
  lintHead(declaration, findings);
  if (findings.errors > 0) return findings.all;
  if (!isModest(declaration, findings)) return findings.all;
  const names = new Map<string, number>();
  const ids = new Map<number, string>();
  const selected = new Map<string, string>();
  for (const [index, message] of declaration.messages.entries()) {
    const path = ['messages', index];
    if (lintName(message.name, [...path, 'name'], 'The message', findings)) {
      if (RESERVED.has(message.name) || (message.name === NOTE && message.from !== 'device')) {
        findings.add(
          'config_bad_value',
          [...path, 'name'],
          message.name === NOTE
            ? 'A command of this name writes a note into the trace, so the message could not be sent.'
            : 'This name stands for what is no declared message.',
          'Give the message another name.',
        );
      }
      if (names.has(message.name)) {
        findings.add(
          'config_duplicate_id',
          [...path, 'name'],
          `messages[${names.get(message.name)}] has the same name.`,
          'Give each message a name of its own.',
        );
      }
      names.set(message.name, index);
    }
    if (message.assemble !== undefined) {
      lintAssemble(message, declaration, path, findings);
      continue;
    }
    if (declaration.selector === undefined) lintId(message, declaration, ids, path, findings);
    else lintSelects(message, declaration, selected, path, findings);
    lintMessage(message, declaration, path, findings);
    lintCrcExtra(message, declaration, path, findings);
  }
  lintExtraById(declaration, findings);
  if (findings.errors === 0 && declaration.framing.type === 'id') {
    const codecs = declaration.messages.map((each) => new MessageCodec(each, declaration));
    lintSizes(declaration, codecs, findings);
  }
  if (findings.errors === 0) lintSession(declaration, findings);
  return findings.all;
}

/** Looks at the messages of each of several framings by themselves. */
function lintSeveral(
  declaration: ProtocolDeclaration,
  kinds: readonly FramingKind[],
): readonly DeclarationFinding[] {
  const findings = new Findings();
  const names = kinds.map(({ name }) => name);
  const indices = new Map<string, number[]>();
  const seen = new Map<string, number>();
  for (const [index, message] of declaration.messages.entries()) {
    const kind = kindOf(declaration, message) ?? '';
    indices.set(kind, [...(indices.get(kind) ?? []), index]);
    if (!names.includes(kind)) {
      const text = `There is no framing \`${kind}\`.`;
      findings.add(
        'config_bad_value',
        ['messages', index, 'framing'],
        text,
        `There are ${names.join(', ')}.`,
      );
    }
    const other = seen.get(message.name);
    if (other !== undefined && kindOf(declaration, declaration.messages[other] ?? message) !== kind) {
      const text = `messages[${other}] has the same name.`;
      findings.add(
        'config_duplicate_id',
        ['messages', index, 'name'],
        text,
        'Give each message a name of its own.',
      );
    }
    seen.set(message.name, index);
    lintConfirms(message, declaration, ['messages', index], findings);
    lintRejects(message, declaration, ['messages', index], findings);
  }
  const parts = kinds.flatMap((kind, place) =>
    lintProtocol(partOf(declaration, kind)).flatMap((finding): DeclarationFinding[] => {
      const [first, index, ...rest] = finding.path;
      if (first === 'messages' && typeof index === 'number') {
        // A message of another framing may be meant.
        if (rest[0] === 'confirms' || rest[0] === 'rejects') return [];
        return [{ ...finding, path: [first, indices.get(kind.name)?.[index] ?? index, ...rest] }];
      }
      if (first === 'protocol') {
        const below = finding.path.slice(1).filter((each) => each !== 'framing');
        return [{ ...finding, path: ['protocol', 'framings', place, ...below] }];
      }
      return place === 0 ? [finding] : [];
    }),
  );
  return [...findings.all, ...parts];
}

function lintHead(declaration: ProtocolDeclaration, findings: Findings): void {
  const { id, error, byteOrder, enums, errors, maxFrame } = declaration;
  const idType = id === undefined ? undefined : parseNumberType(id.type, byteOrder);
  if (id !== undefined && (idType === undefined || idType.kind === 'float' || idType.bytes > 6)) {
    findings.add(
      'config_bad_value',
      ['protocol', 'id'],
      'An id is a whole number of at most 48 bits.',
      'Write for example u8, or { type: u16be, at: 2 }.',
    );
  }
  if (id !== undefined && (!Number.isInteger(id.at) || id.at < 0 || id.at > maxFrame)) {
    findings.add(
      'config_bad_value',
      ['protocol', 'id', 'at'],
      'This is no offset in the payload.',
      'Count the bytes in front of the id.',
    );
  }
  lintSelector(declaration, findings);
  lintAddress(declaration, findings);
  const errorType = error === undefined ? undefined : parseNumberType(error, byteOrder);
  if (error !== undefined && (errorType === undefined || errorType.kind === 'float' || errorType.bytes > 4)) {
    findings.add(
      'config_bad_value',
      ['protocol', 'error'],
      'An error code is a whole number of at most 32 bits.',
      'Write i8, u8, or none.',
    );
  }
  for (const [name, values] of Object.entries(enums)) {
    lintName(name, ['enums', name], 'The enum', findings);
    lintEnum(values, ['enums', name], findings);
  }
  if (Object.keys(errors).length > 0) lintEnum(errors, ['errors'], findings);
}

/** Whether there are so few messages and fields, nested so little, that all of them can be looked at. */
function isModest({ messages }: ProtocolDeclaration, findings: Findings): boolean {
  let count = 0;
  let deepest = 0;
  const visit = (fields: readonly FieldDeclaration[] | undefined, depth: number): void => {
    deepest = Math.max(deepest, depth);
    if (deepest > DEEPEST) return;
    for (const field of fields ?? []) {
      if (count++ > MOST_FIELDS) return;
      visit(fieldsWithin(field), depth + 1);
    }
  };
  for (const [index, { fields, reply }] of messages.slice(0, MOST_MESSAGES).entries()) {
    visit(fields, 0);
    if (typeof reply === 'object') visit(reply.fields, 0);
    if (deepest <= DEEPEST) continue;
    const message = `Structures are nested more than ${DEEPEST} deep, or within themselves.`;
    findings.add('config_too_large', ['messages', index], message, 'Make the message flatter.');
    return false;
  }
  if (messages.length <= MOST_MESSAGES && count <= MOST_FIELDS) return true;
  const message = `There are more than ${MOST_MESSAGES} messages or ${MOST_FIELDS} fields.`;
  findings.add('config_too_large', ['messages'], message, 'Split the file.');
  return false;
}

function lintId(
  message: MessageDeclaration,
  protocol: ProtocolDeclaration,
  ids: Map<number, string>,
  path: Path,
  findings: Findings,
): void {
  const { id, selects, name } = message;
  const { id: place, byteOrder } = protocol;
  const type = place === undefined ? undefined : parseNumberType(place.type, byteOrder);
  if (type === undefined) {
    if (id !== undefined || selects !== undefined) {
      findings.add(
        'config_no_effect',
        [...path, 'id'],
        'The protocol has no message ids.',
        'Add `id:` to `protocol:`, or remove this one.',
      );
    }
    return;
  }
  if (selects !== undefined) {
    findings.add(
      'config_bad_value',
      [...path, 'id'],
      'The ids of this protocol are whole numbers.',
      'Write a whole number, or say in `protocol.id` what the id is.',
    );
    return;
  }
  if (id === undefined) {
    findings.add(
      'config_missing_key',
      path,
      'The message has no id.',
      'Add `id:`; or, where the protocol has none, leave `id` out of `protocol:`.',
    );
    return;
  }
  const limit = 2 ** (type.bytes * 8);
  if (!Number.isInteger(id) || id >= limit || id < -limit / 2) {
    findings.add(
      'config_bad_value',
      [...path, 'id'],
      `An id has ${type.bytes * 8} bits here.`,
      `Write a whole number from ${type.signed ? -limit / 2 : 0} to ${limit - 1}.`,
    );
    return;
  }
  const wrapped = wrapId(id, type);
  const other = ids.get(wrapped);
  if (other !== undefined) {
    findings.add(
      'config_duplicate_id',
      [...path, 'id'],
      `The message \`${other}\` has the same id.`,
      'Give each message an id of its own.',
    );
  }
  ids.set(wrapped, name);
  lintReplyId(message, protocol, ids, wrapped, path, findings);
}
