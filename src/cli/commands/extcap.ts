import { LINKTYPE_USER0 } from '../../capture/index.ts';
import { isJsonObject } from '../../contract/wire/index.ts';
import { HeartwireError } from '../../errors.ts';
import { bridgeApi } from '../bridge-http.ts';
import { readerOptions } from '../bridge-keys.ts';
import type { BridgeArgs } from '../bridge-options.ts';
import type { CliIo, Command, ExitCode } from '../command.ts';
import { errorText } from '../error-text.ts';
import { packageVersion } from '../version.ts';
import { command as exportCommand } from './export.ts';

/** The one interface: which device it is, people choose in its settings. */
const INTERFACE = 'heartwire';

interface ExtcapArgs extends BridgeArgs {
  readonly device: string | undefined;
  readonly messages: string | undefined;
  readonly 'key-file': readonly string[] | undefined;
  readonly 'extcap-interfaces': boolean;
  readonly 'extcap-interface': string | undefined;
  readonly 'extcap-dlts': boolean;
  readonly 'extcap-config': boolean;
  readonly 'extcap-reload-option': string | undefined;
  readonly capture: boolean;
  readonly fifo: string | undefined;
}

const word = { type: 'string', requiresArg: true } as const;
const flag = { type: 'boolean', default: false } as const;

/** Speaks Wireshark's extcap protocol; without a word of it, prints the script that Wireshark starts. */
export const command: Command<ExtcapArgs> = {
  usage: 'extcap',
  describe: 'Print a script that brings live devices of a running bridge into Wireshark',
  place: 175,
  task: 'record',
  raw: true,
  examples: [
    [
      'heartwire extcap > ~/.config/wireshark/extcap/heartwire',
      'then chmod +x; Help > About > Folders names it',
    ],
    ['tshark -i heartwire -o extcap.heartwire.device:psu-1', 'a device of the bridge of this machine'],
  ],
  options: (yargs) =>
    readerOptions(yargs)
      .option('device', { ...word, describe: 'The device whose frames are captured' })
      .option('messages', { ...word, describe: 'messages.yaml instead of what the bridge declares' })
      .option('extcap-interfaces', { ...flag, describe: 'Wireshark asks what there is to capture' })
      .option('extcap-version', { type: 'string', describe: 'Which Wireshark asks' })
      .option('extcap-interface', { ...word, describe: 'What Wireshark means' })
      .option('extcap-dlts', { ...flag, describe: 'Wireshark asks for the link type' })
      .option('extcap-config', { ...flag, describe: 'Wireshark asks what can be set' })
      .option('extcap-reload-option', { ...word, describe: 'Wireshark asks for the choices of a setting' })
      .option('extcap-capture-filter', { type: 'string', describe: 'Not used: filter what is shown' })
      .option('capture', { ...flag, describe: 'Wireshark begins to capture' })
      .option('fifo', { ...word, describe: 'The pipe of Wireshark into which frames go' }),
  async run(args, io) {
    if (args['extcap-interfaces']) {
      io.out(`extcap {version=${packageVersion()}}{display=Heartwire}\n`);
      io.out(`interface {value=${INTERFACE}}{display=A device of a Heartwire bridge}\n`);
      return 0;
    }
    if (args['extcap-interface'] === undefined) return printScript(io);
    if (args['extcap-interface'] !== INTERFACE)
      return wrongUsage(`There is no interface "${args['extcap-interface']}", only ${INTERFACE}.`, io);
    if (args['extcap-dlts']) {
      io.out(`dlt {number=${LINKTYPE_USER0}}{name=USER0}{display=Heartwire frames}\n`);
      return 0;
    }
    if (args['extcap-config'] || args['extcap-reload-option'] !== undefined) {
      if (args['extcap-reload-option'] === undefined) io.out(SETTINGS);
      for (const device of await devicesOf(args, io))
        io.out(`value {arg=0}{value=${device}}{display=${device}}\n`);
      return 0;
    }
    return args.capture ? capture(args, io) : wrongUsage('Wireshark asked for nothing.', io);
  },
};

const SETTINGS = `${[
  ['--device', 'Device', 'selector', '{required=true}{reload=true}{placeholder=Load devices}'],
  ['--url', 'Bridge', 'string', '{tooltip=HEARTWIRE_URL, or the bridge of this machine, where it is empty}'],
  ['--token-file', 'File of the token', 'fileselect', '{mustexist=true}'],
  ['--key-file', 'File of a key', 'fileselect', '{mustexist=true}{tooltip=For what the bridge encrypts}'],
  [
    '--messages',
    'messages.yaml',
    'fileselect',
    '{mustexist=true}{tooltip=Instead of what the bridge declares}',
  ],
]
  .map(
    ([call, display, type, more], number) =>
      `arg {number=${number}}{call=${call}}{display=${display}}{type=${type}}${more}`,
  )
  .join('\n')}\n`;

/** The ids of the devices of a bridge; none where it does not answer, which people see once they capture. */
async function devicesOf(args: ExtcapArgs, io: CliIo): Promise<readonly string[]> {
  try {
    const { devices } = await (await bridgeApi(args, io)).get('/api/devices');
    return (Array.isArray(devices) ? devices : []).flatMap((each) =>
      isJsonObject(each) && typeof each.device === 'string' ? [each.device] : [],
    );
  } catch (error) {
    if (!(error instanceof HeartwireError)) throw error;
    io.err(errorText(error));
    return [];
  }
}

async function capture(args: ExtcapArgs, io: CliIo): Promise<ExitCode> {
  const { device, fifo, messages, url, origin } = args;
  if (fifo === undefined || device === undefined)
    return wrongUsage(
      `--capture needs ${fifo === undefined ? '--fifo' : 'a --device: choose one in the settings of the interface'}.`,
      io,
    );
  return exportCommand.run(
    {
      trace: undefined,
      to: 'pcapng',
      output: fifo,
      values: false,
      follow: true,
      device,
      messages,
      url,
      origin,
      'token-file': args['token-file'],
      'key-file': args['key-file'],
    },
    io,
  );
}

function wrongUsage(problem: string, io: CliIo): ExitCode {
  io.err(errorText(new HeartwireError('bad_argument', problem)));
  return 2;
}

/** Wireshark has neither the folder nor the PATH of a shell: all names are whole ones. */
function printScript({ out, self = ['heartwire'] }: CliIo): ExitCode {
  const words = self.map((each) => `'${each.replaceAll("'", `'\\''`)}'`).join(' ');
  out(`#!/bin/sh
# Wireshark starts this to capture from a running bridge; \`heartwire extcap\` printed it.
exec ${words} extcap "$@"
`);
  return 0;
}
