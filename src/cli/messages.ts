import { HeartwireError } from '../errors.ts';
import { builtinDeclaration, DeclaredProtocol, withBuiltin } from '../protocol/index.ts';
import { printableLines } from '../system/index.ts';
import type { CliIo } from './command.ts';

/**
 * The messages of a file or a pack (`pack:NAME`), or the built-in ones where none is named; the built-in ones stand in front of others that
 * travel in the same frames. @throws HeartwireError `config_invalid`, `config_unreadable`, `pack_unknown`
 */
export async function protocolOf(file: string | undefined, io: CliIo): Promise<DeclaredProtocol> {
  if (file === undefined) return new DeclaredProtocol(builtinDeclaration());
  return new DeclaredProtocol(withBuiltin((await declaredIn(file, io)).declaration));
}

/** As `declaredIn`; undefined where no file is named. */
export async function messagesOption(
  file: string | undefined,
  io: CliIo,
): Promise<DeclaredProtocol | undefined> {
  return file === undefined ? undefined : await declaredIn(file, io);
}

/**
 * The messages of a file or a pack, and no others. Prints its problems on standard error.
 *
 * @throws HeartwireError `config_invalid`, `config_unreadable`, `pack_unknown`
 */
export async function declaredIn(file: string, io: CliIo): Promise<DeclaredProtocol> {
  // The reader of configurations takes longer to load than everything else that decoding needs.
  const { formatProblem, readNamedMessages } = await import('../config/index.ts');
  const { protocol, problems } = await readNamedMessages(file, io.cwd);
  for (const problem of problems) io.err(printableLines(`${formatProblem(problem)}\n`));
  if (protocol !== undefined) return protocol;
  throw new HeartwireError('config_invalid', `${file} cannot be used`, { fix: 'Fix what is listed above.' });
}
