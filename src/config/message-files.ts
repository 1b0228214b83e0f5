import type { HeartwireError } from '../errors.ts';
import {
  clashWithBuiltin,
  type DeclaredProtocol,
  isStandardFraming,
  prepareRequest,
} from '../protocol/index.ts';
import { capital } from './field.ts';
import type { Finding, Path, Problem } from './problem.ts';
import type { PollSettings, SessionSettings } from './session-settings.ts';
import { isKeyed } from './yaml-source.ts';

/** A file of declared messages that a configuration names, as far as it could be read. */
export interface MessageFile {
  readonly protocol?: DeclaredProtocol;
  readonly problems: readonly Problem[];
  /** Why it could not be read at all. */
  readonly unreadable?: HeartwireError;
}

/** By the names that stand in the configuration. */
export type MessageFiles = ReadonlyMap<string, MessageFile>;

/** The files of messages that a configuration, read as plain data, names, each once. */
export function namedMessageFiles(value: unknown): readonly string[] {
  const devices = isKeyed(value) && Array.isArray(value.devices) ? value.devices : [];
  const listeners = isKeyed(value) && Array.isArray(value.listeners) ? value.listeners : [];
  const named = [value, ...devices, ...listeners].map((each) => (isKeyed(each) ? each.messages : undefined));
  return [...new Set(named.filter((each): each is string => typeof each === 'string' && each !== ''))];
}

/** The messages behind a name; what is wrong with the file has then been added. */
export function messagesNamed(
  name: string | undefined,
  files: MessageFiles,
  path: Path,
  add: (finding: Finding) => void,
): DeclaredProtocol | undefined {
  if (name === undefined) return undefined;
  const file = files.get(name);
  if (file?.protocol !== undefined) return file.protocol;
  const errors = file?.problems.filter(({ severity }) => severity === 'error').length ?? 0;
  const here = [...path, 'messages'];
  const unknown = file?.unreadable?.code === 'pack_unknown' ? file.unreadable : undefined;
  if (unknown !== undefined) {
    const { code, message, fix = 'Name another one.' } = unknown;
    add({ code, path: here, message, fix });
    return undefined;
  }
  add({
    code: file === undefined || file.unreadable !== undefined ? 'config_unreadable' : 'config_invalid',
    path: here,
    message:
      errors > 0
        ? `${name} has ${errors} ${errors === 1 ? 'error' : 'errors'}.`
        : (file?.unreadable?.message ?? `${name} was not read.`),
    fix:
      errors > 0
        ? 'Fix what is listed for it.'
        : 'Name a file that can be read, beside this one or by its whole path.',
  });
  return undefined;
}

/** Whether a device can speak these messages in the life that it leads. */
export function checkMessagesFit(
  session: SessionSettings,
  messages: DeclaredProtocol | undefined,
  path: Path,
  add: (finding: Finding) => void,
): void {
  for (const [index, poll] of (session.bare?.polls ?? []).entries()) {
    const prepared = messages && prepareRequest(messages, poll.message, poll.fields);
    if (prepared?.ok === true) continue;
    add({
      code: 'config_bad_value',
      path: [...path, 'poll', index],
      unless: [[...path, 'messages'], ['messages']],
      message:
        prepared === undefined ? `${poll.message} is declared nowhere.` : `${capital(prepared.detail)}.`,
      fix:
        prepared === undefined
          ? 'Add `messages:` with the file that declares it.'
          : 'Poll with a message from the host, and with fields as it declares them.',
    });
  }
  if (messages !== undefined) checkGroups(session.bare?.polls ?? [], messages, path, add);
  if (messages === undefined || session.bare !== undefined || goesBesideRegister(messages)) return;
  const clash = sharesFrames(messages) ? clashWithBuiltin(messages.declaration.messages) : undefined;
  const bare = '`session: none` where the device knows neither register nor heartbeat';
  add({
    code: 'config_conflict',
    path: [...path, 'messages'],
    message:
      clash === undefined
        ? 'These messages have another framing, or other ids, than register and heartbeat.'
        : `\`${clash.message.name}\` has the id or the name of \`${clash.builtin}\`, which is built in.`,
    fix: clash === undefined ? `Add ${bare}.` : `Give it another id and name, or add ${bare}.`,
  });
}

/** Values that are not the same must not stand under one name, and must not take each other's place. */
function checkGroups(
  polls: readonly PollSettings[],
  protocol: DeclaredProtocol,
  path: Path,
  add: (finding: Finding) => void,
): void {
  const asked = polls.map(({ message, fields, as = message }) => {
    const prepared = prepareRequest(protocol, message, fields);
    const payload = prepared.ok ? String(prepared.request.payload) : undefined;
    return { message, group: as, payload };
  });
  for (const [index, { message, group, payload }] of asked.entries()) {
    const here = [...path, 'poll', index];
    if (group !== message && protocol.message(group) !== undefined) {
      add({
        code: 'config_conflict',
        path: [...here, 'as'],
        message: `\`${group}\` is a message, and its values stand under this name.`,
        fix: 'Choose a name that no message has.',
      });
    }
    const before = asked.slice(0, index).find((each) => each.group === group);
    if (before === undefined || payload === undefined || before.payload === undefined) continue;
    if (before.message !== message) {
      add({
        code: 'config_conflict',
        path: [...here, 'as'],
        message: `The values of \`${before.message}\` stand under \`${group}\` already.`,
        fix: 'Give each message a name of its own.',
      });
    } else if (before.payload !== payload) {
      add({
        severity: 'warning',
        code: 'config_unlikely',
        path: here,
        message: `\`${message}\` is polled with other fields before: its values would take the place of those, under \`${group}\`.`,
        fix: 'Give each of these polls a name of its own, for example `as: voltage`.',
      });
    }
  }
}

/** Of devices that are known by their register, all that they say must come in the same frames. */
export function checkDialIn(messages: DeclaredProtocol, add: (finding: Finding) => void): void {
  if (goesBesideRegister(messages)) return;
  add({
    severity: 'warning',
    code: 'config_no_effect',
    path: ['messages'],
    message:
      'Devices that dial in and register cannot speak these messages: they have another framing than register, other ids, or those of built-in messages.',
    fix: 'Name this file with the devices that have `session: none`.',
  });
}

/** Whether a device that registers and beats can speak these messages too. */
export const goesBesideRegister = (messages: DeclaredProtocol): boolean =>
  sharesFrames(messages) && clashWithBuiltin(messages.declaration.messages) === undefined;

/** Whether these messages come in the frames of register and heartbeat. */
const sharesFrames = (messages: DeclaredProtocol): boolean =>
  messages.hasBuiltinIds && isStandardFraming(messages.declaration.framing);

/** The longest declared payload, in bytes. */
export function longestOf(messages: DeclaredProtocol): number {
  return Math.max(0, ...messages.messages.flatMap(({ forms }) => forms.map(({ maxLength }) => maxLength)));
}
