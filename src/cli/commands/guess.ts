import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { HeartwireError } from '../../errors.ts';
import { chunksOf } from '../../guess/index.ts';
import { printableLines } from '../../system/index.ts';
import type { CliIo, Command } from '../command.ts';
import { isStdin, LARGEST_INPUT, readBytes, readStdin, refuseInput, writeOutput } from '../files.ts';
import { guessAll } from '../guessing.ts';
import { wholeNumber } from '../option-values.ts';
import { guessReport } from '../ui/guess-report.ts';

interface GuessArgs {
  readonly file: string;
  readonly from: 'device' | 'host';
  readonly port: number | undefined;
  readonly dialled: boolean;
  readonly out: string | undefined;
}

/** Says what the bytes of an unknown device show, and writes it down. */
export const command: Command<GuessArgs> = {
  usage: 'guess <file>',
  describe: 'Find out how a device talks: packs that fit, framing, checksum and fields, with evidence',
  place: 85,
  task: 'look',
  takesHyphen: true,
  examples: [
    ['heartwire guess unknown.trace --out messages.yaml', 'what a recording shows, as declared messages'],
    ['heartwire guess lo.pcap --port 9089', 'a capture of devices that dialled in'],
    ['xxd -p dump.bin | heartwire guess -', 'hex text; raw bytes will do as well'],
  ],
  options: (yargs) =>
    yargs
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe: 'A trace, a capture, hex text or raw bytes, also .gz; - for standard input',
      })
      .option('from', {
        choices: ['device', 'host'] as const,
        default: 'device' as const,
        describe: 'Whose bytes are looked at',
      })
      .option('port', {
        coerce: wholeNumber('port', 1, 65_535),
        requiresArg: true,
        describe: 'TCP port of the server in a capture; the likeliest where it is left out',
      })
      .option('dialled', { type: 'boolean', default: false, describe: 'That server is the device, not we' })
      .option('out', {
        type: 'string',
        alias: 'o',
        requiresArg: true,
        describe: 'The messages.yaml to write',
      }),
  async run({ file, from, port, dialled, out }, io) {
    const bytes = await inputBytes(String(file), io);
    const name = isStdin(file) ? 'standard input' : file;
    const { readInput } = await import('../../inspection/index.ts');
    const { events, head, warnings, format } = readInput(bytes, name, { port, dialled });
    for (const warning of warnings) io.err(`heartwire: ${warning}\n`);
    const { line, transport } = head.meta;
    const chunks = chunksOf(events, from);
    const isStream =
      line === 'stream' || (line === undefined && (transport === 'tcp' || format === 'capture'));
    const found = await guessAll(chunks, {
      line: isStream ? 'stream' : 'serial',
      cwd: io.cwd,
      source: name.replace(/[^\x20-\x7e]/g, '?'),
    });
    if (found.bytes.length === 0) {
      throw new HeartwireError('bad_argument', `${name} holds no bytes from the ${from}.`, {
        seen: name,
        fix: from === 'device' ? 'Try --from host, or --port for a capture.' : 'Try --from device.',
      });
    }
    io.err(printableLines(guessReport(found, name)));
    if (found.text === undefined) {
      io.err(
        'heartwire: nothing was found that holds. More bytes help: some minutes, with silences between.\n',
      );
      return found.packs.length > 0 ? 0 : 1;
    }
    if (out === undefined) io.out(found.text);
    else {
      await refuseInput(io, isStdin(file) ? [] : [file], out);
      await writeOutput(io, out, found.text);
      io.err(`Wrote ${out}. Next: \`${io.program} check ${out}\`, then give its fields their names.\n`);
    }
    return 0;
  },
};

async function inputBytes(file: string, io: CliIo): Promise<Uint8Array> {
  if (isStdin(file)) return readStdin(io);
  const bytes = await readBytes(resolve(io.cwd, file), file);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return new Uint8Array(gunzipSync(bytes, { maxOutputLength: LARGEST_INPUT }));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HeartwireError('bad_argument', `${JSON.stringify(file)} could not be unpacked: ${why}`, {
      seen: file,
      fix: 'Unpack it first, or take a part of it.',
      cause,
    });
  }
}
