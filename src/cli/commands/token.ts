import { hashToken, makeToken } from '../../access/index.ts';
import { readDate } from '../../config/index.ts';
import { ROLES, type Role } from '../../contract/index.ts';
import { patternProblem } from '../../contract/wire/index.ts';
import { HeartwireError } from '../../errors.ts';
import { systemClock } from '../../system/index.ts';
import type { Command } from '../command.ts';
import { errorText } from '../error-text.ts';

interface TokenArgs {
  readonly name: string;
  readonly role: Role;
  readonly topics: readonly string[];
  readonly expires: string | undefined;
  readonly json: boolean;
}

/** Makes an access token: prints it once, and the lines with its hash for `devices.yaml`. */
export const command: Command<TokenArgs> = {
  usage: 'token',
  describe: 'Make an access token: print it once, and the lines with its hash for devices.yaml',
  place: 220,
  task: 'operate',
  examples: [
    ['heartwire token --name panel --topics "devices/#"', 'may read all devices, and do nothing'],
    ['heartwire token --name ops --role admin', 'may do everything'],
    ['heartwire token --name plc > plc.token 2> plc.yaml', 'the token into one file, its lines into another'],
  ],
  options: (yargs) =>
    yargs
      .option('name', { type: 'string', requiresArg: true, default: 'client', describe: 'Whose it is' })
      .option('role', {
        choices: ROLES,
        requiresArg: true,
        default: 'read' as const,
        describe: 'What it may do; each may what those before it may',
      })
      .option('topics', {
        type: 'string',
        array: true,
        requiresArg: true,
        default: ['#'],
        describe: 'Patterns of the topics that it may read',
      })
      .option('expires', {
        type: 'string',
        requiresArg: true,
        describe: 'Its last day is before this one: 2027-01-31',
      })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' }),
  async run({ name, role, topics, expires, json }, io) {
    const problem = problemOf(name, topics, expires);
    if (problem !== undefined) {
      io.err(errorText(new HeartwireError('bad_argument', problem.message, problem)));
      return 2;
    }
    const made = makeToken();
    const hash = `sha256:${hashToken(made)}`;
    const entry = { name, hash, roles: role, topics, ...(expires === undefined ? {} : { expires }) };
    if (json) {
      io.out(`${JSON.stringify({ token: made, entry })}\n`);
      return 0;
    }
    // The token alone is the result, so that it can go into a file without being shown.
    io.out(`${made}\n`);
    io.err(
      [
        '',
        '# The token is shown once. In devices.yaml; where access: stands there already, add the entry to its tokens:',
        'access:',
        '  tokens:',
        `    - name: ${name}`,
        `      hash: ${hash}`,
        `      roles: ${role}`,
        `      topics: [${topics.map((each) => JSON.stringify(each)).join(', ')}]`,
        ...(expires === undefined ? [] : [`      expires: "${expires}"`]),
        '',
      ].join('\n'),
    );
    return 0;
  },
};

function problemOf(
  name: string,
  topics: readonly string[],
  expires: string | undefined,
): { readonly message: string; readonly seen: string; readonly fix: string } | undefined {
  if (!/^[A-Za-z0-9._@-]{1,64}$/.test(name)) {
    const fix = 'Use 1 to 64 letters, digits, dots, underscores, hyphens or @.';
    return { message: 'This is no name of a token.', seen: name, fix };
  }
  const wrong = topics.find((each) => patternProblem(each) !== undefined);
  if (wrong !== undefined) {
    const fix = 'Patterns look like devices/psu-1/# or #; quote them, because a shell takes # for a comment.';
    return { message: `Not a pattern: ${patternProblem(wrong)}.`, seen: wrong, fix };
  }
  if (expires !== undefined && !isDay(expires)) {
    return { message: 'This is no date.', seen: expires, fix: 'Write for example 2027-01-31.' };
  }
  if (expires !== undefined && Date.parse(expires) <= systemClock.now().wallMs) {
    return {
      message: 'Such a token would have come to its end already.',
      seen: expires,
      fix: 'Write a day to come.',
    };
  }
  return undefined;
}

/** A day that exists, as YYYY-MM-DD. */
const isDay = (text: string): boolean => text.length === 10 && readDate(text) !== undefined;
