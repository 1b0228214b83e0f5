import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Values } from '../../contract/index.ts';
import { isJsonObject, type JsonObject } from '../../contract/wire/index.ts';
import { chunkMessage, noChunks, uploadFile } from '../../devices/index.ts';
import { HeartwireError } from '../../errors.ts';
import { bytesOfHex, bytesValue, type MessageDeclaration } from '../../protocol/index.ts';
import { suggest, systemClock } from '../../system/index.ts';
import { BridgeCaller, type CallReply, outcomeOf } from '../bridge-connection.ts';
import { bridgeApi } from '../bridge-http.ts';
import { bridgeKeys, openPayloads, readerOptions } from '../bridge-keys.ts';
import { bridgeToken, bridgeUrl } from '../bridge-options.ts';
import type { CliIo, Command, ExitCode } from '../command.ts';
import { errorText } from '../error-text.ts';
import { parseAssignments } from '../field-values.ts';
import { readBytes } from '../files.ts';
import { legible } from '../legible.ts';
import { inWords, ProgressBar } from '../ui/progress.ts';

interface SendArgs {
  readonly device: string;
  readonly message: string | undefined;
  readonly fields: readonly string[];
  readonly hex: string | undefined;
  readonly file: string | undefined;
  readonly url: string | undefined;
  readonly origin: string | undefined;
  readonly 'token-file': string | undefined;
  readonly 'key-file': readonly string[] | undefined;
  readonly timeout: number;
  readonly json: boolean;
}

/** What the bridge is asked for what a device speaks, and to send bytes as they are. */
const DESCRIBE = '$messages';
const RAW = '$raw';

/** Sends a command to a device through a running bridge. */
export const command: Command<SendArgs> = {
  usage: 'send <device> [message] [fields..]',
  describe: 'Send a command to a device through a running bridge, and print its reply',
  place: 190,
  task: 'act',
  raw: true,
  examples: [
    ['heartwire send psu-1 datetime', 'asks for its time'],
    ['heartwire send psu-1 set_point target=21.5', 'a declared message; values in their units'],
    ['heartwire send psu-1 write data=0x0a0b list=[1,2] image=@logo.bin', 'bytes, lists and files'],
    ['heartwire send psu-1 --file firmware.bin', 'a whole file, in the chunks that are declared'],
    ['heartwire send psu-1 --hex 0000000101', 'bytes as they are'],
  ],
  options: (yargs) =>
    readerOptions(
      yargs
        .positional('device', { type: 'string', demandOption: true, describe: 'The id of the device' })
        .positional('message', { type: 'string', describe: 'A message that it understands' })
        .positional('fields', {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: 'field=value; bytes as 0x0a0b or @file, lists as [1,2]',
        })
        .option('hex', { type: 'string', requiresArg: true, describe: 'Send these bytes as they are' })
        .option('file', { type: 'string', requiresArg: true, describe: 'Send this file in chunks' })
        .conflicts('hex', ['message', 'file'])
        .conflicts('file', ['message'])
        .option('timeout', {
          type: 'number',
          requiresArg: true,
          default: 5_000,
          describe: 'How long the reply may take, in ms',
        })
        .option('json', { type: 'boolean', default: false, describe: 'Print JSON on a terminal too' }),
    ),
  run,
};

async function run(args: SendArgs, given: CliIo): Promise<ExitCode> {
  // The progress bar goes to standard error, and is the only order for a terminal.
  const io = legible(given, 'out');
  const { hex, file, message, timeout } = args;
  let url: string;
  let raw: Uint8Array | undefined;
  let token: string | undefined;
  let keys: readonly Uint8Array[];
  try {
    url = bridgeUrl(args.url, io);
    if (!(timeout >= 1 && timeout <= 600_000)) throw wrong('--timeout is 1 to 600000 ms', String(timeout));
    if (hex === undefined && file === undefined && message === undefined) {
      throw wrong('Nothing says what to send', args.device);
    }
    if (hex !== undefined) raw = hexBytes(hex);
    token = await bridgeToken(args['token-file'], io);
    keys = await bridgeKeys(args['key-file'], io);
  } catch (error) {
    if (!(error instanceof HeartwireError)) throw error;
    io.err(errorText(error));
    return 2;
  }
  const decode = openPayloads(keys, (text) => io.err(`heartwire: ${text}\n`));
  using caller = new BridgeCaller(url, systemClock, {
    origin: args.origin,
    token,
    decode,
    program: io.program,
  });
  try {
    const code =
      raw !== undefined
        ? printReply(await caller.call(args.device, RAW, { data: bytesValue(raw) }, timeout), RAW, args, io)
        : file !== undefined
          ? await sendWhole(file, caller, args, io)
          : await sendMessage(message ?? '', caller, args, io);
    if (code !== 0) await nameNearDevice(args, io);
    return code;
  } catch (error) {
    await nameNearDevice(args, io);
    throw error;
  }
}

/** Where there is no device of this id, and one that is near, says so. */
async function nameNearDevice(args: SendArgs, io: CliIo): Promise<void> {
  const api = await bridgeApi(args, io);
  // What went wrong is said elsewhere; without a list there is nothing to propose.
  const { devices } = await api.get('/api/devices').catch((): JsonObject => ({}));
  const ids = (Array.isArray(devices) ? devices : [])
    .map((each) => (isJsonObject(each) ? each.device : undefined))
    .filter((id) => typeof id === 'string');
  if (ids.includes(args.device)) return;
  const near = suggest(args.device, ids);
  if (near !== undefined) io.err(`heartwire: Did you mean ${near}?\n`);
}

async function sendMessage(
  message: string,
  caller: BridgeCaller,
  args: SendArgs,
  io: CliIo,
): Promise<ExitCode> {
  const { device, fields, timeout } = args;
  let values: Values = {};
  if (fields.length > 0) {
    const declared = (await declarations(caller, device)).find(({ name }) => name === message);
    // yargs makes numbers of words that look like some.
    values = await parseAssignments(fields.map(String), declared?.fields ?? [], (path) =>
      readBytes(resolve(io.cwd, path), path),
    );
  }
  return printReply(await caller.call(device, message, values, timeout), message, args, io);
}

async function sendWhole(path: string, caller: BridgeCaller, args: SendArgs, io: CliIo): Promise<ExitCode> {
  const { device, timeout, json } = args;
  const chunks = chunkMessage(await declarations(caller, device), 'host');
  if (chunks === undefined) throw noChunks(device);
  await using handle = await openFile(path, io);
  const { size } = await handle.stat();
  const clock = systemClock;
  const startedAt = clock.now().monoMs;
  const bar = new ProgressBar(io, basename(path), startedAt);
  try {
    const progress = await uploadFile({
      source: {
        size,
        async read(offset, length) {
          const buffer = new Uint8Array(length);
          const { bytesRead } = await handle.read(buffer, 0, length, offset);
          if (bytesRead < length) throw wrong('The file became shorter while it was sent', path);
          return buffer;
        },
      },
      chunks,
      // By it a device distinguishes a new file from the rest of an old one.
      transfer: Math.floor(Math.random() * 0x1_0000),
      clock,
      request: async (message, fields) => outcomeOf(await caller.call(device, message, fields, timeout)),
      progressed: (each) => bar.show(each, clock.now().monoMs),
    });
    const seconds = (clock.now().monoMs - startedAt) / 1_000;
    bar.end();
    const { repeated, resumed } = progress;
    io.out(
      json || !io.terminal
        ? `${JSON.stringify({ file: path, bytes: size, seconds: Number(seconds.toFixed(3)), repeated, resumed })}\n`
        : `${basename(path)}: ${inWords(size)} sent in ${seconds.toFixed(1)} s${resumed === 0 ? '' : `, over ${resumed} breaks`}\n`,
    );
    return 0;
  } catch (error) {
    bar.end();
    throw error;
  }
}

/** @throws HeartwireError `bad_argument` where there is no file of a known size */
async function openFile(path: string, io: CliIo): Promise<FileHandle> {
  const absolute = resolve(io.cwd, path);
  try {
    // Before it is opened: a pipe would be waited for.
    if (!(await stat(absolute)).isFile()) throw new Error('it is no file');
    return await open(absolute, 'r');
  } catch (cause) {
    throw wrong(`${path} cannot be sent: ${cause instanceof Error ? cause.message : String(cause)}`, path);
  }
}

async function declarations(caller: BridgeCaller, device: string): Promise<readonly MessageDeclaration[]> {
  const reply = await caller.call(device, DESCRIBE, {}, 5_000);
  if (!reply.ok) throw refusal(reply);
  // The bridge says what it has checked itself.
  return reply.result.messages as unknown as readonly MessageDeclaration[];
}

function printReply(reply: CallReply, message: string, { json }: SendArgs, io: CliIo): ExitCode {
  if (!reply.ok) {
    if (!json && io.terminal) throw refusal(reply);
    io.out(`${JSON.stringify({ code: reply.code, message: reply.message })}\n`);
    return 1;
  }
  const { result } = reply;
  io.out(json || !io.terminal ? `${JSON.stringify(result)}\n` : `${inText(message, result)}\n`);
  return (result.error ?? 0) === 0 ? 0 : 1;
}

function inText(message: string, result: JsonObject): string {
  const { error, error_name: name, round_trip_ms: ms, observed, fields, sent_bytes: sent } = result;
  if (sent !== undefined) return `${String(sent)} bytes sent`;
  const named = name === undefined ? '' : ` (${String(name)})`;
  const what =
    error === undefined ? 'sent, nothing answers it' : error === 0 ? 'ok' : `error ${String(error)}${named}`;
  const seen = observed === undefined ? '' : observed === true ? ', observed' : ', not observed in time';
  const lines = Object.entries(typeof fields === 'object' && fields !== null ? fields : {});
  return [
    `${message}: ${what}${seen} (${String(ms)} ms)`,
    ...lines.map(
      ([field, value]) => `  ${field} = ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    ),
  ].join('\n');
}

function refusal(reply: Extract<CallReply, { ok: false }>): HeartwireError {
  return new HeartwireError('bridge_refused', `${reply.code}: ${reply.message}`);
}

function hexBytes(text: string): Uint8Array {
  const digits = text.replace(/[\s:]/g, '').replace(/^0x/, '');
  const bytes = bytesOfHex(`0x${digits}`);
  if (bytes === undefined || bytes.length === 0) throw wrong('--hex takes pairs of hex digits', text);
  return bytes;
}

const wrong = (message: string, seen: string): HeartwireError =>
  new HeartwireError('bad_argument', message, { seen, fix: 'heartwire send --help has examples.' });
