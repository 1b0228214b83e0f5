import { access, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { HeartwireError } from '../../errors.ts';
import { listPorts, parseBaud, parseLinkAddress, parseListenAddress } from '../../links/index.ts';
import { printable } from '../../system/index.ts';
import type { CliIo, Command } from '../command.ts';
import { isProven } from '../guessing.ts';
import { type Heard, hear } from '../listen-in.ts';
import { DEFAULT_LISTEN_AT, initText, type NewConfig, type NewDevice } from '../new-devices.ts';
import { wholeNumber } from '../option-values.ts';
import { Cancelled, type Prompter, terminalPrompter } from '../ui/prompter.ts';
import { stableLink } from './ports.ts';

interface InitArgs {
  readonly file: string;
  readonly link: readonly string[] | undefined;
  readonly id: readonly string[] | undefined;
  readonly baud: string | undefined;
  readonly messages: string | undefined;
  readonly listen: string | undefined;
  readonly seconds: number;
  readonly yes: boolean;
  readonly force: boolean;
}

/** A serial port as it is offered. */
export interface OfferedPort {
  readonly path: string;
  readonly link: string;
}

/** A file that is to be written beside `devices.yaml`. */
interface SideFile {
  readonly name: string;
  readonly text: string;
}

/** What is to be written. */
interface Plan {
  readonly config: NewConfig;
  readonly files: readonly SideFile[];
}

type Hearing = (link: string, baud: string | undefined) => Promise<Heard>;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DEFAULT_BAUD = '115200';

/** Finds out what is there, and writes a commented `devices.yaml` of it. */
export const command: Command<InitArgs> = {
  usage: 'init [file]',
  describe: 'Write a devices.yaml: find ports, listen to what comes, propose speed, pack or messages',
  place: 30,
  task: 'connect',
  raw: true,
  examples: [
    ['heartwire init', 'asks on a terminal, and writes devices.yaml into this folder'],
    [
      'heartwire init --link tcp:10.0.0.7:4001 --id meter-1 --yes',
      'listens to a device, and takes what fits best',
    ],
    ['heartwire init bench.yaml --link /dev/ttyUSB0 --baud auto --seconds 5 --yes', 'tries the usual speeds'],
    ['heartwire init --yes --seconds 0', 'listens to nothing: every port that is found, and one listener'],
  ],
  options: (yargs) =>
    yargs
      .positional('file', { type: 'string', default: 'devices.yaml', describe: 'The file to write' })
      .option('link', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe:
          'A device, as `link:` takes it: /dev/ttyUSB0, tcp:10.0.0.7:4001; may be given several times',
      })
      .option('id', { type: 'string', array: true, requiresArg: true, describe: 'Its id; one for each link' })
      .option('baud', {
        type: 'string',
        requiresArg: true,
        describe: 'Speed of the serial ports, as 9600-8N1; auto (the default) tries the usual ones',
      })
      .option('messages', {
        type: 'string',
        requiresArg: true,
        describe: 'What they say: pack:NAME or a file; else what fits best is taken',
      })
      .option('listen', {
        type: 'string',
        requiresArg: true,
        describe: 'Where devices dial in, host:port; none for nowhere',
      })
      .option('seconds', {
        coerce: wholeNumber('seconds', 0, 600),
        default: 3,
        requiresArg: true,
        describe: 'How long a device is listened to, at each speed; 0 listens to none',
      })
      .option('yes', {
        type: 'boolean',
        alias: 'y',
        default: false,
        describe: 'Ask nothing: take what is proposed',
      })
      .option('force', { type: 'boolean', default: false, describe: 'Overwrite files that are there' }),
  run,
};

async function run(args: InitArgs, io: CliIo): Promise<0 | 1 | 2> {
  const links = args.link ?? [];
  checkArgs(args);
  const asks = !args.yes && links.length === 0 && io.tty !== undefined && io.stdin !== undefined;
  if (!asks && !args.yes && links.length === 0 && args.listen === undefined) {
    throw new HeartwireError(
      'bad_argument',
      'There is no terminal to ask on, and nothing says what to write.',
      {
        fix: 'Name devices with --link, and --listen for those that dial in; or --yes for every port that is found.',
      },
    );
  }
  const stopped = new AbortController();
  const forget = io.onSignal('SIGINT', () => stopped.abort());
  const hearing: Hearing = (link, baud) =>
    hear(link, baud, { forMs: args.seconds * 1_000, cwd: io.cwd, signal: stopped.signal });
  try {
    const prompter = asks ? await terminalPrompter(io) : undefined;
    const plan =
      prompter === undefined
        ? await byFlags(args, io, hearing)
        : await askFor(await offeredPorts(), prompter, { ...args, hearing });
    if (stopped.signal.aborted) throw new Cancelled('cancelled');
    await write(plan, args, io, prompter);
    io.err(`Next: \`${io.program} check ${args.file}\`, then \`${io.program} run ${args.file}\`.\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
    io.err('heartwire: nothing was written.\n');
    return 1;
  } finally {
    forget();
  }
}

/** @throws HeartwireError `bad_argument` */
function checkArgs({ link = [], id = [], baud, listen }: InitArgs): void {
  const refuse = (problem: string, fix: string, seen: string): never => {
    throw new HeartwireError('bad_argument', problem, { seen, fix });
  };
  for (const each of link) {
    const parsed = parseLinkAddress(each);
    if (!parsed.ok) refuse(parsed.problem, parsed.fix, each);
  }
  for (const each of id) if (!ID.test(each)) refuse(`"${each}" is no id.`, ID_FIX, each);
  if (new Set(id).size < id.length)
    refuse('An id is given twice.', 'Give each device its own.', id.join(' '));
  if (id.length > link.length)
    refuse('There are more --id than --link.', 'Give one id for each link.', id.join(' '));
  const parsed = baud === undefined || baud === 'auto' ? undefined : parseBaud(baud);
  if (parsed?.ok === false) refuse(parsed.problem, parsed.fix, baud ?? '');
  if (listen === undefined || listen === 'none') return;
  const at = parseListenAddress(`tcp-listen:${listen}`);
  if (!at.ok) refuse(at.problem, at.fix, listen);
}

const ID = /^[A-Za-z0-9._-]{1,64}$/;
const ID_FIX = 'Letters, digits, dots, dashes and underscores, at most 64.';

async function offeredPorts(): Promise<readonly OfferedPort[]> {
  const found = await listPorts();
  return found.map((port) => ({ path: port.path, link: stableLink(port, found) }));
}

const isSerial = (link: string): boolean => {
  const parsed = parseLinkAddress(link);
  return parsed.ok && parsed.value.scheme === 'serial';
};

/** What is written where nothing is asked. */
async function byFlags(args: InitArgs, io: CliIo, hearing: Hearing): Promise<Plan> {
  const named = args.link ?? (await offeredPorts()).map(({ link }) => link);
  const ids = args.id ?? [];
  const devices: NewDevice[] = [];
  const files: SideFile[] = [];
  for (const [index, link] of named.entries()) {
    const id = ids[index] ?? `${isSerial(link) ? 'serial' : 'device'}-${index + 1}`;
    const baud = args.baud === 'auto' ? undefined : args.baud;
    if (args.seconds === 0) {
      devices.push({
        id,
        link,
        baud: isSerial(link) ? (baud ?? DEFAULT_BAUD) : undefined,
        messages: args.messages,
      });
      continue;
    }
    io.err(`Listening to ${printable(link)} ...\n`);
    const heard = await hearing(link, baud);
    io.err(printable(`  ${inWords(heard)}`).concat('\n'));
    const proposal = args.messages === undefined ? proposalOf(heard, id) : { messages: args.messages };
    if (proposal.file !== undefined) files.push(proposal.file);
    devices.push({
      id,
      link,
      baud: isSerial(link) ? (heard.baud ?? DEFAULT_BAUD) : undefined,
      messages: proposal.messages,
      seen: inWords(heard),
    });
  }
  const listenAt =
    args.listen === 'none'
      ? undefined
      : (args.listen ?? (args.link === undefined ? DEFAULT_LISTEN_AT : undefined));
  return { config: { devices, listenAt }, files };
}

/** What fits best: a pack that is proven, else what was guessed, else nothing. */
function proposalOf(
  { guessed }: Heard,
  id: string,
): { readonly messages?: string | undefined; readonly file?: SideFile | undefined } {
  const [pack] = guessed?.packs ?? [];
  if (pack !== undefined && isProven(pack)) return { messages: `pack:${pack.name}` };
  if (guessed?.text === undefined) return {};
  const name = `${id}.yaml`;
  return { messages: name, file: { name, text: guessed.text } };
}

/** What was received, in one sentence. */
function inWords({ baud, listened, guessed, tried }: Heard): string {
  if (listened.end !== undefined && listened.bytes === 0) return `No bytes: ${listened.end.detail}`;
  if (guessed === undefined) return 'No bytes came: it may only answer when it is asked.';
  const speed =
    baud === undefined
      ? ''
      : tried.length > 1
        ? ` at ${baud}, the best of ${tried.length} speeds`
        : ` at ${baud}`;
  const [pack] = guessed.packs;
  const [kind] = guessed.guess.kinds;
  const what =
    pack !== undefined && isProven(pack)
      ? `pack:${pack.name} fits (${pack.explained} of ${pack.total} bytes)`
      : kind === undefined
        ? 'nothing that holds was found in them'
        : `${kind.evidence.slice(0, 2).join('; ')}`;
  return `${listened.bytes} bytes${speed}: ${what}`;
}

/** What people say about devices, ports and addresses. */
export async function askFor(
  ports: readonly OfferedPort[],
  prompter: Prompter,
  { seconds, hearing }: { readonly seconds: number; readonly hearing: Hearing },
): Promise<Plan> {
  const links: string[] = [];
  if (ports.length === 0) prompter.note('Serial ports', 'None is here.');
  else {
    const choices = ports.map(({ path, link }) => ({
      value: link,
      label: path,
      hint: link === path ? undefined : link,
    }));
    links.push(...(await prompter.several('Which serial ports? Space chooses, Enter goes on.', choices)));
  }
  for (;;) {
    const address = await prompter.text('A device to dial over TCP; leave it empty for no more', {
      hint: '10.0.0.7:4001',
      problem: (text) => (text.trim() === '' ? undefined : problemOf(parseLinkAddress(`tcp:${text.trim()}`))),
    });
    if (address === '') break;
    links.push(`tcp:${address}`);
  }
  const devices: NewDevice[] = [];
  const files: SideFile[] = [];
  for (const link of links) {
    const { device, file } = await askDevice(link, devices, prompter, { seconds, hearing });
    devices.push(device);
    if (file !== undefined) files.push(file);
  }
  const listenAt = await prompter.text('Where may devices dial in? - for nowhere', {
    preset: DEFAULT_LISTEN_AT,
    problem: (text) =>
      text.trim() === '-' ? undefined : problemOf(parseListenAddress(`tcp-listen:${text.trim()}`)),
  });
  return { config: { devices, listenAt: listenAt === '-' ? undefined : listenAt }, files };
}

const problemOf = (
  parsed: { readonly ok: true } | { readonly ok: false; readonly problem: string; readonly fix: string },
): string | undefined => (parsed.ok ? undefined : `${parsed.problem} ${parsed.fix}`);

async function askDevice(
  link: string,
  others: readonly NewDevice[],
  prompter: Prompter,
  { seconds, hearing }: { readonly seconds: number; readonly hearing: Hearing },
): Promise<{ readonly device: NewDevice; readonly file?: SideFile | undefined }> {
  const serial = isSerial(link);
  const given = serial
    ? await prompter.text(`Speed of ${link}; auto tries the usual ones`, {
        preset: 'auto',
        problem: (text) => (text.trim() === 'auto' ? undefined : problemOf(parseBaud(text.trim()))),
      })
    : undefined;
  const baud = given === 'auto' ? undefined : given;
  const heard =
    seconds === 0
      ? undefined
      : await prompter.during(`Listening to ${link}`, hearing(link, baud), (done) =>
          printable(inWords(done)),
        );
  const id = await prompter.text('Its id', {
    preset: `${serial ? 'serial' : 'device'}-${others.length + 1}`,
    problem: (text) => {
      if (!ID.test(text.trim())) return ID_FIX;
      return others.some((other) => other.id === text.trim()) ? 'Another device has this id.' : undefined;
    },
  });
  const proposal = heard === undefined ? {} : proposalOf(heard, id);
  const what = await prompter.select('What does it say?', [
    ...(proposal.messages === undefined
      ? []
      : [
          {
            value: 'proposal' as const,
            label: proposal.messages,
            hint: proposal.file === undefined ? 'a pack that fits' : 'a new file of what was found',
          },
        ]),
    { value: 'none' as const, label: 'I write messages.yaml later', hint: 'its frames are shown as bytes' },
    {
      value: 'register' as const,
      label: 'Register and heartbeat',
      hint: 'with an appid and an IMEI that you know',
    },
  ]);
  const device = {
    id,
    link,
    baud: serial ? (heard?.baud ?? baud ?? DEFAULT_BAUD) : undefined,
    seen: heard === undefined ? undefined : inWords(heard),
  };
  if (what === 'register') return { device: { ...device, register: await askRegister(prompter) } };
  return what === 'proposal'
    ? { device: { ...device, messages: proposal.messages }, file: proposal.file }
    : { device };
}

async function askRegister(prompter: Prompter): Promise<NonNullable<NewDevice['register']>> {
  const appid = await prompter.text('appid, a UUID', {
    hint: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    problem: (text) => (UUID.test(text) ? undefined : 'Write it as 3f2504e0-4f89-41d3-9a0c-0305e82c3301.'),
  });
  const imei = await prompter.text('IMEI, 15 digits', {
    hint: '490154203237518',
    problem: (text) => (/^\d{15}$/.test(text) ? undefined : 'Write 15 digits.'),
  });
  return { appid, imei };
}

/** Writes all files; asks before one that is there is overwritten, and refuses it where nothing may be asked. */
async function write(
  { config, files }: Plan,
  args: InitArgs,
  io: CliIo,
  prompter: Prompter | undefined,
): Promise<void> {
  const main = resolve(io.cwd, args.file);
  const all = [
    ...files.map(({ name, text }) => ({
      path: join(dirname(main), name),
      shown: join(dirname(args.file), name),
      text,
    })),
    { path: main, shown: args.file, text: initText(config) },
  ];
  let force = args.force;
  for (const { path, shown } of force ? [] : all) {
    if (!(await isThere(path))) continue;
    if (prompter === undefined) throw notWritten(shown, 'there');
    if (!(await prompter.confirm(`${shown} is there already. Overwrite it?`, false)))
      throw new Cancelled('kept');
    force = true;
  }
  for (const { path, shown, text } of all) {
    try {
      await writeFile(path, text, { flag: force ? 'w' : 'wx' });
    } catch (cause) {
      throw notWritten(shown, cause);
    }
    io.err(`Wrote ${printable(shown)}.\n`);
  }
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

function notWritten(file: string, cause: unknown): HeartwireError {
  const exists = cause === 'there' || (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST');
  return new HeartwireError(
    'file_not_written',
    exists
      ? `${file} is there already`
      : `${file} could not be written: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      seen: file,
      fix: exists
        ? 'Name another file, or overwrite it with --force.'
        : 'Check the folder and its permissions.',
      cause,
    },
  );
}
