import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HeartwireError } from '../../errors.ts';
import {
  formatHostPort,
  listPorts,
  parseBaud,
  parseLinkAddress,
  parseListenAddress,
} from '../../links/index.ts';
import type { CliIo, Command } from '../command.ts';
import { Questions } from '../ui/prompt.ts';
import { stableLink } from './ports.ts';

interface InitArgs {
  readonly file: string;
  readonly force: boolean;
}

/** A serial port as it is offered. */
export interface OfferedPort {
  readonly path: string;
  readonly link: string;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DEFAULT_BAUD = '115200';

/** Writes a commented `devices.yaml` of what is there. */
export const command: Command<InitArgs> = {
  usage: 'init [file]',
  describe: 'Write a commented devices.yaml, asking on a terminal which ports and addresses to use',
  place: 30,
  raw: true,
  examples: [
    ['heartwire init', 'asks, and writes devices.yaml into this folder'],
    ['heartwire init bench.yaml < /dev/null', 'asks nothing: every port that is found, and one listener'],
  ],
  options: (yargs) =>
    yargs
      .positional('file', { type: 'string', default: 'devices.yaml', describe: 'The file to write' })
      .option('force', { type: 'boolean', default: false, describe: 'Overwrite a file that is there' }),
  async run({ file, force }, io) {
    const found = await listPorts();
    const ports = found.map((port) => ({ path: port.path, link: stableLink(port, found) }));
    const config = io.terminal && io.stdin !== undefined ? await askFor(ports, io) : byDefault(ports);
    try {
      await writeFile(resolve(io.cwd, file), initText(config), { flag: force ? 'w' : 'wx' });
    } catch (cause) {
      throw notWritten(file, cause);
    }
    io.err(`Wrote ${file}. Next: \`${io.program} check ${file}\`, then \`${io.program} run ${file}\`.\n`);
    return 0;
  },
};

/** What stands in the file where nothing is asked. */
export function byDefault(ports: readonly OfferedPort[]): NewConfig {
  const devices = ports.map(({ link }, index) => ({ id: `serial-${index + 1}`, link, baud: DEFAULT_BAUD }));
  return { devices, listenAt: DEFAULT_LISTEN_AT };
}

/** Asks which of the ports are wanted, which addresses, and with which identity we register. */
export async function askFor(ports: readonly OfferedPort[], io: CliIo): Promise<NewConfig> {
  await using questions = new Questions(io);
  const devices: NewDevice[] = [];
  io.err(
    ports.length === 0
      ? 'No serial port is here.\n'
      : `Serial ports: ${ports.map(({ path }) => path).join(', ')}\n`,
  );
  for (const { path, link } of ports) {
    if (!(await questions.yes(`Use ${path} (${link})?`, true))) continue;
    const baud = await questions.ask('  Its speed', DEFAULT_BAUD, (text) => {
      const parsed = parseBaud(text);
      return parsed.ok ? undefined : `${parsed.problem} ${parsed.fix}`;
    });
    devices.push({ link, baud, ...(await askDevice(questions, devices, `serial-${devices.length + 1}`)) });
  }
  for (;;) {
    const address = await questions.ask(
      'A device to dial over TCP, host:port; empty for no more',
      '',
      (text) => {
        const parsed = parseLinkAddress(`tcp:${text}`);
        return parsed.ok ? undefined : `${parsed.problem} ${parsed.fix}`;
      },
    );
    if (address === '') break;
    devices.push({
      link: `tcp:${address}`,
      ...(await askDevice(questions, devices, `device-${devices.length + 1}`)),
    });
  }
  const listenAt = await questions.ask(
    'Where devices may dial in, host:port; - for nowhere',
    DEFAULT_LISTEN_AT,
    (text) => {
      if (text === '-') return undefined;
      const parsed = parseListenAddress(`tcp-listen:${text}`);
      return parsed.ok ? undefined : `${parsed.problem} ${parsed.fix}`;
    },
  );
  return listenAt === '-' ? { devices } : { devices, listenAt };
}

async function askDevice(
  questions: Questions,
  others: readonly NewDevice[],
  fallback: string,
): Promise<Pick<NewDevice, 'id' | 'register'>> {
  const id = await questions.ask('  Its id', fallback, (text) => {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(text))
      return 'Letters, digits, dots, dashes and underscores, at most 64.';
    return others.some((other) => other.id === text) ? 'Another device has this id.' : undefined;
  });
  if (!(await questions.yes('  Do we register with it (appid and IMEI)?', false))) return { id };
  const appid = await questions.ask('  appid, a UUID; empty where you do not know it', '', (text) =>
    UUID.test(text) ? undefined : 'Write it as 3f2504e0-4f89-41d3-9a0c-0305e82c3301.',
  );
  if (appid === '') return unregistered(questions, id);
  const imei = await questions.ask('  IMEI, 15 digits; empty where you do not know it', '', (text) =>
    /^\d{15}$/.test(text) ? undefined : 'Write 15 digits.',
  );
  return imei === '' ? unregistered(questions, id) : { id, register: { appid, imei } };
}

/** Without both, the file would be wrong from the start. */
function unregistered(questions: Questions, id: string): Pick<NewDevice, 'id'> {
  questions.say(
    `Then ${id} is written without: put \`register:\` in place of \`session: none\` once you know both.`,
  );
  return { id };
}

function notWritten(file: string, cause: unknown): HeartwireError {
  const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
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

/** A device that is to stand in the file. */
interface NewDevice {
  readonly id: string;
  /** As `link:` takes it. */
  readonly link: string;
  /** Serial lines. */
  readonly baud?: string;
  /** What we register as; absent: the device knows neither register nor heartbeat. */
  readonly register?: { readonly appid: string; readonly imei: string };
}

interface NewConfig {
  readonly devices: readonly NewDevice[];
  /** `host:port`; absent: no device dials in. */
  readonly listenAt?: string;
}

const HEAD = `# yaml-language-server: $schema=./node_modules/heartwire/schemas/devices.schema.json
#
# Check it with \`heartwire check\`, run it with \`heartwire run\`; docs/reference/devices-yaml.md has every key.

# Page, API and feed. Only this machine can reach 127.0.0.1; other names and pages must be listed.
server: { host: 127.0.0.1, port: 8080 }

# What counts for every device that says nothing else.
defaults:
  heartbeat: { interval: 3s, missed: 3 }

# messages: messages.yaml     # what the devices say beside register, heartbeat and datetime
# files: { dir: files }       # where files go that devices send in chunks
`;

const EXAMPLES = `  # A device that is dialled over TCP and that we register with:
  # - id: rack-7
  #   link: tcp:10.0.0.7:9089
  #   register: { appid: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, imei: "490154203237518" }
  # A device on a serial line that only answers:
  # - id: meter-1
  #   link: /dev/ttyUSB0
  #   baud: 9600-8N1
  #   session: none
  #   messages: meter.yaml
  #   poll: [{ message: read_power, every: 1s }]
`;

/** The text of a commented `devices.yaml`. */
export function initText({ devices, listenAt }: NewConfig): string {
  const entries = devices.map(deviceText).join('');
  // A key with nothing but comments behind it counts as absent.
  const listeners =
    listenAt === undefined
      ? '# listeners:\n#   - link: tcp-listen:127.0.0.1:9089\n'
      : `# Where devices dial in. Identity is not authentication: listen only on networks that you trust.\nlisteners:\n  - link: tcp-listen:${listenAt}\n    unknown: accept            # or refuse: only devices that a \`match\` above names\n`;
  return `${HEAD}\ndevices:\n${entries}${EXAMPLES}\n${listeners}`;
}

function deviceText({ id, link, baud, register }: NewDevice): string {
  const life =
    register === undefined
      ? '    session: none              # it knows neither register nor heartbeat; `register:` instead where it does\n'
      : `    register: { appid: ${JSON.stringify(register.appid)}, imei: ${JSON.stringify(register.imei)} }\n`;
  const speed = baud === undefined ? '' : `    baud: ${baud}\n`;
  return `  - id: ${JSON.stringify(id)}\n    link: ${JSON.stringify(link)}\n${speed}${life}`;
}

/** Where devices dial in by default. */
const DEFAULT_LISTEN_AT = formatHostPort('127.0.0.1', 9089);
