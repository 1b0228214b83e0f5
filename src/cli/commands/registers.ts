import { resolve } from 'node:path';
import { formatProblem, isKeyed, loadMessages, readText, readYaml } from '../../config/index.ts';
import { HeartwireError } from '../../errors.ts';
import { MODBUS_PROTOCOLS, type ModbusProtocol } from '../../protocol/index.ts';
import type { CliIo, Command, ExitCode } from '../command.ts';
import { csvOfMap, mapOfCsv } from '../register-csv.ts';

interface RegistersArgs {
  readonly file: string;
  readonly protocol: ModbusProtocol;
}

/** Turns a table of registers into a register map, and a register map into a table. */
export const command: Command<RegistersArgs> = {
  usage: 'registers <file>',
  describe: 'Turn a table of Modbus registers (CSV) into a register map, or a map into a table',
  place: 130,
  task: 'describe',
  examples: [
    [
      'heartwire registers meter.csv > meter.yaml',
      'a register map of a table, with what is wrong in it by row',
    ],
    ['heartwire registers meter.yaml > meter.csv', 'the table of a map, for a spreadsheet'],
  ],
  options: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'A .csv, or a register map' })
      .option('protocol', {
        choices: MODBUS_PROTOCOLS,
        default: 'modbus-rtu' as const,
        describe: 'What the map of a table says',
      }),
  async run({ file, protocol }, io) {
    const text = await readText(resolve(io.cwd, file), file, 'docs/reference/register-maps.md');
    return /\.(?:csv|tsv|txt)$/i.test(file) ? imported(text, file, protocol, io) : exported(text, file, io);
  },
};

function imported(text: string, file: string, protocol: string, io: CliIo): ExitCode {
  const { yaml, firstLine } = mapOfCsv(text, protocol);
  const { problems } = loadMessages(yaml, file);
  // The first row has the names of the columns.
  for (const problem of problems) {
    const line = Math.max(1, problem.line - firstLine + 2);
    io.err(`${formatProblem({ ...problem, line, column: 1 })}\n`);
  }
  io.out(yaml);
  return problems.some(({ severity }) => severity === 'error') ? 2 : 0;
}

function exported(text: string, file: string, io: CliIo): ExitCode {
  const { problems } = loadMessages(text, file);
  for (const problem of problems) io.err(`${formatProblem(problem)}\n`);
  const { value } = readYaml(text, { numericKeys: true });
  const registers = isKeyed(value) && Array.isArray(value.registers) ? value.registers.filter(isKeyed) : [];
  if (registers.length === 0) {
    throw new HeartwireError('bad_argument', `${file} has no registers.`, {
      seen: file,
      fix: 'Name a register map, or a table that ends in .csv.',
    });
  }
  io.out(csvOfMap(registers));
  return problems.some(({ severity }) => severity === 'error') ? 2 : 0;
}
