import { resolve } from 'node:path';
import { formatProblem } from '../config/problem.ts';
import { readMessages } from '../config/read.ts';
import { HeartwireError } from '../errors.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import type { CliIo } from './command.ts';

/**
 * What a `messages.yaml` declares; undefined where none is named. Its problems are printed.
 *
 * @throws HeartwireError `config_invalid`, `config_unreadable`
 */
export async function messagesOption(
  file: string | undefined,
  io: CliIo,
): Promise<DeclaredProtocol | undefined> {
  if (file === undefined) return undefined;
  const { protocol, problems } = await readMessages(resolve(io.cwd, file), file);
  for (const problem of problems) io.err(`${formatProblem(problem)}\n`);
  if (protocol !== undefined) return protocol;
  throw new HeartwireError('config_invalid', `${file} declares no messages that could be used.`);
}
