import { answered } from './answers.ts';
import { takesRest } from './compile-fields.ts';
import type { FieldDeclaration, MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import type { Findings, Path } from './finding.ts';
import { hasField } from './has-field.ts';
import { helloFields } from './hello.ts';
import { lintFields } from './lint-fields.ts';
import { parseNumberType } from './number-type.ts';
import { SequenceRule } from './sequence.ts';
import type { CopyDeclaration } from './session-declaration.ts';
import type { Values } from './value.ts';

type Sender = 'device' | 'host';

/** Looks up what a session and answers by rule name. */
class Names {
  readonly protocol: ProtocolDeclaration;
  readonly findings: Findings;

  constructor(protocol: ProtocolDeclaration, findings: Findings) {
    this.protocol = protocol;
    this.findings = findings;
  }

  /** The message of this name, if it comes from that side; complains where there is none. */
  message(name: string, sender: Sender | undefined, path: Path): MessageDeclaration | undefined {
    const found = this.protocol.messages.find((each) => each.name === name);
    const { from = 'any' } = found ?? {};
    if (found === undefined) {
      this.findings.add(
        'config_bad_value',
        path,
        `There is no message \`${name}\`.`,
        `There are ${this.protocol.messages.map((each) => each.name).join(', ') || 'none'}.`,
      );
    } else if (sender !== undefined && from !== 'any' && from !== sender) {
      this.findings.add(
        'config_conflict',
        path,
        `\`${name}\` comes from the ${from}, and here the ${sender} sends it.`,
        `Name a message with \`from: ${sender}\`.`,
      );
    }
    return found;
  }

  /** Complains of a field that a message lacks. */
  field(fields: readonly FieldDeclaration[], name: string, of: string, path: Path): void {
    if (hasField(fields, name.split('.'))) return;
    const known = fields.flatMap((each) => (each.name === undefined ? [] : [each.name]));
    this.findings.add(
      'config_bad_value',
      path,
      `${of} has no field \`${name}\`.`,
      known.length === 0 ? 'Declare it.' : `There are ${known.join(', ')}.`,
    );
  }

  /** What an answer repeats and sets. */
  filled(
    {
      copy = {},
      set = {},
    }: { readonly copy?: CopyDeclaration | undefined; readonly set?: Values | undefined },
    answer: { readonly name: string; readonly fields: readonly FieldDeclaration[] },
    to: MessageDeclaration | undefined,
    path: Path,
  ): void {
    for (const [own, source] of Object.entries(copy)) {
      this.field(answer.fields, own, answer.name, [...path, 'copy']);
      const isId = (source === 'id' || source === 'message_id') && this.protocol.id !== undefined;
      if (to === undefined || (isId && !hasField(to.fields ?? [], [source]))) continue;
      this.field(to.fields ?? [], source, `\`${to.name}\``, [...path, 'copy']);
    }
    for (const name of Object.keys(set)) this.field(answer.fields, name, answer.name, [...path, 'set']);
  }

  /** The fields of what answers: of a message, or of the own reply; undefined where there is none. */
  answer(
    name: string | undefined,
    to: MessageDeclaration | undefined,
    path: Path,
  ): { readonly name: string; readonly fields: readonly FieldDeclaration[] } | undefined {
    if (name !== undefined) {
      const found = this.message(name, undefined, path);
      return found && { name: `\`${name}\``, fields: found.fields ?? [] };
    }
    const reply = to?.reply ?? 'none';
    return reply === 'none' || to === undefined
      ? undefined
      : { name: `The reply to \`${to.name}\``, fields: typeof reply === 'object' ? reply.fields : [] };
  }
}

/** Checks what a protocol declares about sessions, answers by rule, and numbers. */
export function lintSession(protocol: ProtocolDeclaration, findings: Findings): void {
  const names = new Names(protocol, findings);
  lintLogin(protocol, names);
  lintHeartbeat(protocol, names);
  lintTime(protocol, names);
  for (const [index, message] of protocol.messages.entries()) {
    const { reply } = message;
    if (typeof reply !== 'object') continue;
    const answer = { name: `The reply to \`${message.name}\``, fields: reply.fields };
    names.filled(reply, answer, message, ['messages', index, 'reply']);
  }
  lintAnswers(protocol, names);
  lintHello(protocol, findings);
  lintSequence(protocol, findings);
}

function lintLogin({ session, hello, registration }: ProtocolDeclaration, names: Names): void {
  const logins = session?.login ?? [];
  for (const [index, login] of logins.entries()) {
    const path = ['protocol', 'session', 'login', ...(logins.length > 1 ? [index] : [])];
    const message = names.message(login.message, 'device', [...path, 'message']);
    if (message === undefined) continue;
    names.field(message.fields ?? [], login.identity, `\`${message.name}\``, [...path, 'identity']);
    const answer = names.answer(login.answer, message, [...path, 'answer']);
    const given = { copy: login.copy, set: { ...login.set, ...login.accept, ...login.refuse } };
    if (answer !== undefined) names.filled(given, answer, message, path);
    else if (login.answer === undefined && (login.accept ?? login.refuse ?? login.copy) !== undefined) {
      names.findings.add(
        'config_no_effect',
        path,
        `Nothing answers \`${login.message}\`, so there is nothing to fill in.`,
        'Add `answer:` with a message from the host, or declare a `reply:`.',
      );
    }
    const again = logins.findIndex((each) => each.message === login.message);
    if (again === index) continue;
    names.findings.add(
      'config_conflict',
      [...path, 'message'],
      `\`${login.message}\` is a login already.`,
      'Remove one of the two.',
    );
  }
  if (logins.length > 0 && (hello ?? registration) !== undefined) {
    names.findings.add(
      'config_conflict',
      ['protocol', 'session', 'login'],
      'The device says who it is in front of the first frame already.',
      'Remove `login`, or the other one.',
    );
  }
}

function lintHeartbeat({ session }: ProtocolDeclaration, names: Names): void {
  const beat = session?.heartbeat;
  if (beat === undefined) return;
  const path = ['protocol', 'session', 'heartbeat'];
  const { from = 'device' } = beat;
  const sender: Sender = from === 'host' ? 'host' : 'device';
  const message = names.message(beat.message, sender, [...path, 'message']);
  if (message === undefined) return;
  const answer = names.answer(beat.answer, message, [...path, 'answer']);
  if (answer !== undefined) names.filled(beat, answer, message, path);
  for (const name of Object.keys(beat.fields ?? {}))
    names.field(message.fields ?? [], name, `\`${message.name}\``, [...path, 'fields']);
  if (sender === 'device' || (message.reply ?? 'none') !== 'none') return;
  const acknowledged = names.protocol.answers?.some((rule) =>
    answered(rule, names.protocol).includes(message.name),
  );
  if (beat.answer !== undefined || acknowledged === true) return;
  names.findings.add(
    'config_no_effect',
    [...path, 'message'],
    `Nothing answers \`${message.name}\`: it shows of the device only what that sends by itself.`,
    'Declare a `reply:`, or a rule in `answers:` that says what answers it.',
    'warning',
  );
}

function lintTime({ session }: ProtocolDeclaration, names: Names): void {
  const time = session?.time;
  if (time === undefined) return;
  const path = ['protocol', 'session', 'time'];
  const message = names.message(time.message, 'device', [...path, 'message']);
  if (message === undefined) return;
  const answer = names.answer(time.answer, message, [...path, 'answer']);
  if (answer === undefined) {
    names.findings.add(
      'config_missing_key',
      path,
      `Nothing answers \`${time.message}\`.`,
      'Add `answer:` with a message from the host, or declare a `reply:`.',
    );
    return;
  }
  names.filled(time, answer, message, path);
  names.field(answer.fields, time.field, answer.name, [...path, 'field']);
}

function lintAnswers(protocol: ProtocolDeclaration, names: Names): void {
  const { answers = [], session } = protocol;
  const logins = new Set(session?.login?.map(({ message }) => message));
  for (const [index, rule] of answers.entries()) {
    const path = ['answers', index];
    const { to, with: name } = rule;
    if (to !== 'any')
      for (const [at, each] of to.entries()) names.message(each, undefined, [...path, 'to', at]);
    const targets = protocol.messages.filter((each) => answered(rule, protocol).includes(each.name));
    for (const target of targets) {
      if (to === 'any' && logins.has(target.name)) continue;
      const answer = names.answer(name, target, [...path, 'with']);
      if (answer === undefined) {
        if (name !== undefined) break;
        names.findings.add(
          'config_missing_key',
          path,
          `Nothing says what answers \`${target.name}\`.`,
          'Add `with:`, or declare a `reply:` of the message.',
        );
        continue;
      }
      names.filled(rule, answer, target, path);
      if (to !== 'any') lintBoth(target, rule.with, logins, path, names.findings);
    }
  }
  lintLoops(protocol, names.findings);
}

/** One message has one answer. */
function lintBoth(
  { name, reply = 'none' }: MessageDeclaration,
  answer: string | undefined,
  logins: ReadonlySet<string>,
  path: Path,
  findings: Findings,
): void {
  const other = logins.has(name)
    ? 'the login'
    : answer !== undefined && reply !== 'none'
      ? 'its own reply'
      : undefined;
  if (other === undefined) return;
  findings.add(
    'config_conflict',
    [...path, 'to'],
    `\`${name}\` is answered by ${other} already.`,
    'Leave it out of the rule.',
  );
}

/** An answer that is answered in turn would never end. */
function lintLoops(protocol: ProtocolDeclaration, findings: Findings): void {
  const next = new Map<string, string>();
  for (const rule of protocol.answers ?? []) {
    if (rule.with === undefined) continue;
    for (const name of answered(rule, protocol)) if (!next.has(name)) next.set(name, rule.with);
  }
  for (const [index, { with: first }] of (protocol.answers ?? []).entries()) {
    const seen = new Set<string>();
    let name = first;
    while (name !== undefined && !seen.has(name)) {
      seen.add(name);
      name = next.get(name);
    }
    if (name === undefined || name !== first) continue;
    findings.add(
      'config_conflict',
      ['answers', index, 'with'],
      `\`${first}\` is answered with ${seen.size === 1 ? 'itself' : 'what is answered with it'}: this would never end.`,
      'Let nothing answer an answer.',
    );
    return;
  }
}

function lintHello(protocol: ProtocolDeclaration, findings: Findings): void {
  const { hello, registration } = protocol;
  if (hello !== undefined && registration !== undefined) {
    findings.add(
      'config_conflict',
      ['protocol', 'registration'],
      'There are two things in front of the first frame.',
      'Remove `hello` or `registration`.',
    );
    return;
  }
  if (hello !== undefined) lintHelloFields(protocol, findings);
  if (registration === undefined) return;
  const { text, length, identity } = registration;
  const stars = text.split('*').length - 1;
  const path = ['protocol', 'registration'];
  if (stars > 1) {
    findings.add('config_bad_value', [...path, 'text'], 'There are two identities in it.', 'Write one `*`.');
  } else if (stars === 1 && text.endsWith('*') && length === undefined) {
    findings.add(
      'config_missing_key',
      path,
      'Nothing says where the identity ends.',
      'Add `length:` with its number of characters, or write what follows it, for example "*\\r\\n".',
    );
  }
  if ([...text].some((letter) => (letter.codePointAt(0) ?? 0) > 0xff))
    findings.add('config_bad_value', [...path, 'text'], 'One character of it is no byte.', 'Use ASCII.');
  if (stars === 1 && identity !== undefined) {
    findings.add(
      'config_no_effect',
      [...path, 'identity'],
      'The identity stands in the text, in the place of `*`.',
      'Remove it, or write the text without `*`.',
    );
  }
}

function lintHelloFields(protocol: ProtocolDeclaration, findings: Findings): void {
  const fields = helloFields(protocol);
  const path = ['protocol', 'hello'];
  const { id: _, error: __, ...plain } = protocol;
  lintFields(fields, [...path, 'fields'], {
    protocol: plain,
    findings,
    earlier: new Map(),
    coverable: new Set(),
    restPossible: true,
  });
  if (fields.some(takesRest)) {
    findings.add(
      'config_conflict',
      [...path, 'fields'],
      'It would never end: a field takes all the rest.',
      'Say how long it is.',
    );
  }
  const { identity = '' } = protocol.hello ?? {};
  if (hasField(fields, identity.split('.'))) return;
  findings.add(
    'config_bad_value',
    [...path, 'identity'],
    `There is no field \`${identity}\` in it.`,
    `There are ${fields.map(({ name }) => name).join(', ')}.`,
  );
}

function lintSequence(protocol: ProtocolDeclaration, findings: Findings): void {
  const { sequence, inFlight = 1, messages } = protocol;
  if (sequence === undefined) {
    if (inFlight > 1) {
      findings.add(
        'config_conflict',
        ['protocol', 'in_flight'],
        'Nothing tells the replies to several requests apart.',
        'Add `sequence:`, or remove it.',
      );
    }
    return;
  }
  const path = ['protocol', 'sequence'];
  const type = parseNumberType(sequence.type, protocol.byteOrder);
  if (type === undefined || type.kind === 'float' || type.signed || type.bytes > 4) {
    findings.add(
      'config_bad_value',
      [...path, 'type'],
      'This is no type of a number that is counted up.',
      'Write u8, u16, u24 or u32, with le or be.',
    );
    return;
  }
  if ((sequence.first ?? 0) >= 2 ** (8 * type.bytes))
    findings.add(
      'config_bad_value',
      [...path, 'first'],
      'The type does not reach it.',
      'Write a smaller one.',
    );
  const rule = SequenceRule.of(protocol);
  if (rule === undefined || messages.length === 0) return;
  const counted = messages.filter(({ fields = [] }) => rule.fieldOf(fields, 'message') !== undefined);
  if (counted.length === 0) {
    findings.add(
      'config_bad_value',
      [...path, 'at'],
      `No message has a field of ${sequence.type} at byte ${sequence.at}.`,
      `Declare it there, for example { name: sequence, type: ${sequence.type} }, without scale, enum or bits.`,
    );
    return;
  }
  for (const [index, { name, fields = [], reply, from }] of messages.entries()) {
    if (from === 'device' || typeof reply !== 'object') continue;
    const asked = rule.fieldOf(fields, 'message');
    const repeated = rule.fieldOf(reply.fields, 'reply') ?? Object.keys(reply.copy ?? {})[0];
    if ((asked === undefined) === (repeated === undefined)) continue;
    findings.add(
      'config_conflict',
      ['messages', index, 'reply'],
      `\`${name}\` ${asked === undefined ? 'has no number, and its reply has one' : 'has a number, and its reply repeats none'}.`,
      `Declare it at byte ${sequence.at} of both, or say with \`copy:\` where the reply repeats it.`,
    );
  }
}
