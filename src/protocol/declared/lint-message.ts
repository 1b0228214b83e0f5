import { addressForm } from './address-field.ts';
import { compileField } from './compile-fields.ts';
import type { FieldDeclaration, MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import type { Findings, Path } from './finding.ts';
import { lintSplit, within } from './lint-columns.ts';
import { lintConfirms } from './lint-confirms.ts';
import { lintEnum } from './lint-enums.ts';
import { lintFields } from './lint-fields.ts';
import { lintRejects } from './lint-rejects.ts';
import { MessageCodec } from './message-codec.ts';
import { parseNumberType } from './number-type.ts';
import { partBytes } from './selector.ts';
import { sizingScope } from './sizing.ts';
import { isSplit } from './split.ts';

/** What is wrong or doubtful with one message by itself, beside its name and its id. */
export function lintMessage(
  message: MessageDeclaration,
  protocol: ProtocolDeclaration,
  path: Path,
  findings: Findings,
): void {
  const before = findings.errors;
  const { fields = [], reply = 'none', from = 'any', everyMs, pollMs, errors } = message;
  const surroundings = {
    protocol,
    findings,
    earlier: new Map<string, FieldDeclaration>(),
    coverable: new Set(protocol.id === undefined && protocol.selector === undefined ? [] : ['id']),
    restPossible: true,
  };
  lintSplit(message, fields, path, findings, true);
  lintFields(fields, [...path, 'fields'], within(message, surroundings));
  if (typeof reply === 'object') {
    lintSplit(reply, reply.fields, [...path, 'reply'], findings, true);
    lintFields(reply.fields, [...path, 'reply', 'fields'], within(reply, surroundings));
    if (isSplit(reply) && protocol.error !== undefined) {
      findings.add(
        'config_conflict',
        [...path, 'reply'],
        'Replies of this protocol carry an error code, which no text can have.',
        'Write `error: none` in `protocol:`.',
      );
    }
  }
  if (reply === 'status' && protocol.error === undefined) {
    findings.add(
      'config_conflict',
      [...path, 'reply'],
      'Replies of this protocol carry no error code.',
      'Add `error: i8` to `protocol:`, or declare the fields of the reply.',
    );
  }
  if (everyMs !== undefined && from === 'host') {
    findings.add(
      'config_no_effect',
      [...path, 'every'],
      'Only what the device sends can stay away.',
      'Remove it.',
      'warning',
    );
  }
  if (pollMs !== undefined && from === 'device') {
    findings.add(
      'config_no_effect',
      [...path, 'poll'],
      'Only what we send can be asked.',
      'Remove it, or write `from: host`.',
      'warning',
    );
  }
  if (errors !== undefined) lintEnum(errors, [...path, 'errors'], findings);
  lintConfirms(message, protocol, path, findings);
  lintRejects(message, protocol, path, findings);
  if (findings.errors > before) return;
  lintPlaces(message, protocol, path, findings);
  const lacksId =
    protocol.selector === undefined
      ? protocol.id !== undefined && message.id === undefined
      : message.selects === undefined;
  if (findings.errors > before || lacksId) return;
  lintLengths(message, protocol, path, findings);
}

/** Fields in front of the address and of the id end exactly where these begin. */
function lintPlaces(
  message: MessageDeclaration,
  protocol: ProtocolDeclaration,
  path: Path,
  findings: Findings,
): void {
  const { id, address, byteOrder } = protocol;
  const before = findings.errors;
  const size = (address && addressForm(address, byteOrder)?.bytes) ?? 0;
  const bytes = id === undefined ? 0 : (parseNumberType(id.type, byteOrder)?.bytes ?? 0);
  const idFirst = id !== undefined && address !== undefined && id.at < address.at;
  if (id !== undefined)
    lintPlace('id', id.at, address && !idFirst ? size : 0, message, protocol, path, findings);
  let front = 0;
  for (const part of protocol.selector ?? []) {
    if (findings.errors > before) return;
    if (part.bits !== undefined) continue;
    lintPlace('id', part.at, front, message, protocol, path, findings);
    front += partBytes(part, protocol);
  }
  if (address === undefined || findings.errors > before) return;
  lintPlace('address', address.at, idFirst ? bytes : 0, message, protocol, path, findings);
}

/** `earlier`: bytes of the other one, which stands in front of it. */
function lintPlace(
  what: 'id' | 'address',
  at: number,
  earlier: number,
  message: MessageDeclaration,
  protocol: ProtocolDeclaration,
  path: Path,
  findings: Findings,
): void {
  if (at === earlier) return;
  const { fields = [], reply } = message;
  const lists: readonly (readonly [readonly FieldDeclaration[], Path])[] = [
    [fields, [...path, 'fields']],
    ...(typeof reply === 'object' ? [[reply.fields, [...path, 'reply', 'fields']] as const] : []),
  ];
  for (const [list, place] of lists) {
    let offset = earlier;
    for (const [index, field] of list.entries()) {
      if (offset >= at) break;
      const codec = compileField(field, sizingScope(protocol));
      if (codec.min !== codec.max || field.when !== undefined) {
        findings.add(
          'config_conflict',
          [...place, index],
          `In front of the ${what} stand only fields of a fixed length.`,
          `Move it behind the ${what}.`,
        );
        return;
      }
      offset += codec.min;
    }
    if (offset === at) continue;
    findings.add(
      'config_conflict',
      place,
      `The ${what} begins at byte ${at}, and the fields in front of it end at byte ${offset}.`,
      `Declare exactly the bytes in front of the ${what}, reserved ones too.`,
    );
  }
}

function lintLengths(
  message: MessageDeclaration,
  protocol: ProtocolDeclaration,
  path: Path,
  findings: Findings,
): void {
  const [main, reply] = new MessageCodec(message, protocol).forms;
  for (const form of [main, reply]) {
    if (form === undefined || form.minLength <= protocol.maxFrame) continue;
    findings.add(
      'config_too_large',
      [...path, form === main ? 'fields' : 'reply'],
      `The message has at least ${form.minLength} bytes, and a frame at most ${protocol.maxFrame}.`,
      'Raise `max_frame`, or make the message shorter.',
    );
  }
  if (
    reply === undefined ||
    reply.id !== main.id ||
    main.minLength > reply.maxLength ||
    reply.minLength > main.maxLength
  )
    return;
  if (beginDifferently(main.fields, reply.fields)) return;
  const known = (message.from ?? 'any') !== 'any';
  findings.add(
    'config_conflict',
    [...path, 'reply'],
    `A request of ${span(main)} and a reply of ${span(reply)} cannot be told apart by their length${known ? ', only by who sent them' : ''}.`,
    known
      ? 'Nothing need be done where the sender is known; on a line that echoes, it is not.'
      : 'Say `from: host` or `from: device`, or give the two different lengths.',
    known ? 'warning' : 'error',
  );
}

/** Whether the first fields are constants that differ, so that no payload is both. */
function beginDifferently([a]: readonly FieldDeclaration[], [b]: readonly FieldDeclaration[]): boolean {
  if (a?.value === undefined || b?.value === undefined || a.when !== undefined || b.when !== undefined)
    return false;
  return a.type === b.type && a.value !== b.value;
}

const span = ({
  minLength,
  maxLength,
}: {
  readonly minLength: number;
  readonly maxLength: number;
}): string => (minLength === maxLength ? `${minLength} bytes` : `${minLength} to ${maxLength} bytes`);
