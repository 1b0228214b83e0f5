import { resolve } from 'node:path';
import { formatProblem } from '../config/problem.ts';
import { readMessages } from '../config/read.ts';
import { HeartwireError } from '../errors.ts';
import { builtinDeclaration, withBuiltin } from '../protocol/declared/builtin.ts';
import { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import { printableLines } from '../system/printable.ts';
import type { CliIo } from './command.ts';

/**
 * The messages of a file, or the built-in ones where none is named; the built-in ones stand in front of others that
 * travel in the same frames. @throws HeartwireError `config_invalid`
 */
export async function protocolOf(file: string | undefined, io: CliIo): Promise<DeclaredProtocol> {
  if (file === undefined) return new DeclaredProtocol(builtinDeclaration());
  return new DeclaredProtocol(withBuiltin((await declaredIn(file, io)).declaration));
}

/** The messages of a file, and no others. Problems are told on standard error. @throws HeartwireError `config_invalid` */
export async function declaredIn(file: string, io: CliIo): Promise<DeclaredProtocol> {
  const { protocol, problems } = await readMessages(resolve(io.cwd, file), file);
  for (const problem of problems) io.err(printableLines(`${formatProblem(problem)}\n`));
  if (protocol !== undefined) return protocol;
  throw new HeartwireError('config_invalid', `${file} cannot be used`, {
    fix: 'Mend what is listed above.',
  });
}
