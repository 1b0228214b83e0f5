import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  type Imported,
  importCapture,
  importHex,
  importRaw,
  importTimedLines,
  isHexLine,
} from '../../capture/index.ts';
import { HeartwireError } from '../../errors.ts';
import { traceName } from '../../links/index.ts';
import { readRegular } from '../../system/index.ts';
import { formatEvent, formatMeta, TRACE_MAGIC, TraceParser } from '../../trace/index.ts';
import type { Command } from '../command.ts';
import { refuseInput, writeOutput } from '../files.ts';
import { wholeNumber } from '../option-values.ts';

const FORMATS = ['auto', 'capture', 'hex', 'raw'] as const;

interface ImportArgs {
  readonly file: string;
  readonly from: (typeof FORMATS)[number];
  readonly port: number | undefined;
  readonly dialled: boolean;
  readonly times: boolean;
  readonly device: string | undefined;
  readonly meta: string | undefined;
  readonly output: string | undefined;
}

/** Makes a trace of what other programs captured. */
export const command: Command<ImportArgs> = {
  usage: 'import <file>',
  describe: 'Make a trace of a capture (pcapng, pcap), of a hex dump, or of a log of raw bytes',
  place: 160,
  task: 'record',
  examples: [
    ['heartwire import lo.pcap --port 9089 -o tracker-9.trace', 'devices that dialled in at port 9089'],
    [
      'heartwire import lo.pcap --port 9089 --dialled --meta "role=client appid=... imei=..."',
      'a device that was dialled',
    ],
    ['xxd dump.bin | heartwire import /dev/stdin --from hex', 'a hex dump'],
  ],
  options: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'The capture, also .gz' })
      .option('from', {
        choices: FORMATS,
        default: 'auto' as const,
        describe: 'What it is; raw: as gpsd logs',
      })
      .option('port', {
        coerce: wholeNumber('port', 1, 65_535),
        requiresArg: true,
        describe: 'TCP port of the server in the capture',
      })
      .option('dialled', { type: 'boolean', default: false, describe: 'The server is the device, not we' })
      .option('times', {
        type: 'boolean',
        default: false,
        describe: 'Each line of a raw log begins with its time',
      })
      .option('device', { type: 'string', requiresArg: true, describe: 'Name of the device' })
      .option('meta', { type: 'string', requiresArg: true, describe: 'More words for the #meta line' })
      .option('output', { type: 'string', alias: 'o', requiresArg: true, describe: 'The file of the trace' }),
  async run(args, io) {
    if (args.meta !== undefined) checkMeta(args.meta);
    if (args.output !== undefined) await refuseInput(io, [args.file], args.output);
    const imported = await read(args, io.cwd);
    for (const warning of imported.warnings) io.err(`heartwire: ${warning}\n`);
    const text = traceText(imported, args);
    if (args.output === undefined) io.out(text);
    else {
      await writeOutput(io, args.output, text);
      const connections = new Set(imported.events.map(({ connection }) => connection)).size;
      const one = connections > 1 ? ` of ${connections} connections, all taken for one device` : '';
      io.err(`${args.output}: ${imported.events.length} lines${one}\n`);
    }
    return 0;
  },
};

/** @throws HeartwireError `bad_argument` where a trace with these words could not be read */
function checkMeta(words: string): void {
  const parser = new TraceParser('--meta', {
    head: () => undefined,
    event: () => undefined,
    warning: () => undefined,
  });
  try {
    parser.push(new TextEncoder().encode(`${TRACE_MAGIC}\n#start 1970-01-01T00:00:00Z\n#meta ${words}\n`));
    parser.finish();
  } catch (cause) {
    if (!(cause instanceof HeartwireError)) throw cause;
    throw new HeartwireError(
      'bad_argument',
      `--meta cannot be read: ${cause.message.replace(/^--meta:\d+:\d+: /, '')}`,
      {
        seen: words,
        fix: cause.fix ?? 'Write key=value; docs/reference/traces.md lists the keys.',
        cause,
      },
    );
  }
}

/** What Node can hold in one buffer is more; a capture of it would not fit beside its own reading. */
const LARGEST_CAPTURE = 2 ** 31;

async function read({ file, from, port, dialled, times }: ImportArgs, cwd: string): Promise<Imported> {
  let bytes: Buffer;
  try {
    bytes = await readRegular(resolve(cwd, file), LARGEST_CAPTURE);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new HeartwireError('trace_unreadable', `${file} could not be read: ${detail}.`, {
      seen: file,
      fix: 'Check the path and its permissions.',
      cause,
    });
  }
  const kind = from !== 'auto' ? from : times ? 'raw' : guess(bytes);
  if (times && kind !== 'raw') {
    throw new HeartwireError(
      'bad_argument',
      `--times is for raw logs; the times of ${kind} are found anyway.`,
      {
        fix: 'Leave it out, or add --from raw.',
      },
    );
  }
  switch (kind) {
    case 'capture':
      return importCapture(bytes, file, { port, dialled });
    case 'hex':
      return importHex(textOf(bytes), file);
    case 'raw':
      return times ? importTimedLines(bytes, file) : importRaw(bytes, file);
  }
}

function guess(bytes: Buffer): 'capture' | 'hex' | 'raw' {
  const magic = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0;
  if ([0x0a0d0d0a, 0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1].includes(magic)) return 'capture';
  const [line = ''] = textOf(bytes.subarray(0, 4_096)).split('\n');
  return isHexLine(line) ? 'hex' : 'raw';
}

/** Logs of serial terminals are UTF-8, or in the code page of a Chinese Windows. */
function textOf(bytes: Uint8Array): string {
  const utf8 = new TextDecoder('utf-8').decode(bytes, { stream: true });
  return utf8.includes('\ufffd') ? new TextDecoder('gb18030').decode(bytes) : utf8;
}

function traceText({ startMs, events, meta }: Imported, args: ImportArgs): string {
  const given: Record<string, string> = {
    device: args.device ?? traceName(args.file).replace(/\.(?:pcapng|pcap|cap)$/, ''),
  };
  if (args.port !== undefined) {
    given.transport = 'tcp';
    given.role = args.dialled ? 'client' : 'server';
    given.dial = args.dialled ? 'out' : 'in';
  } else if (meta === '') {
    // Bytes without a connection: their sender is taken to be the side that registers.
    given.role = 'server';
    given.dial = 'in';
  }
  const named = new Set((args.meta ?? '').split(/\s+/).map((word) => word.split('=')[0]));
  const own = meta === '' ? given : args.device === undefined ? {} : { device: args.device };
  const kept = Object.fromEntries(Object.entries(own).filter(([key]) => !named.has(key)));
  const words = [meta, formatMeta(kept), args.meta ?? ''].filter((part) => part !== '').join(' ');
  const lines = events.map((event) => formatEvent(event)).join('');
  const start = new Date(startMs).toISOString();
  return `#heartwire-trace 1\n#start ${start}\n${words === '' ? '' : `#meta ${words}\n`}${lines}`;
}
