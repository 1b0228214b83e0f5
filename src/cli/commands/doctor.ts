import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  type BridgeConfig,
  type BusConfig,
  DEFAULT_SERVER,
  type DialledDeviceConfig,
  formatProblem,
  type LinesConfig,
  readConfig,
  type ServerConfig,
  type StaticToken,
} from '../../config/index.ts';
import type { TlsFiles } from '../../contract/index.ts';
import { coversPattern } from '../../contract/wire/index.ts';
import { addressLabel, listPorts } from '../../links/index.ts';
import { outOfDate, readTlsPair } from '../../system/index.ts';
import type { Command } from '../command.ts';
import {
  bad,
  examineAddress,
  examineDatagrams,
  examineFolder,
  examineListening,
  examineOpenFiles,
  examinePort,
  examineRoom,
  examineServer,
  examineTrace,
  type Finding,
  good,
  realPathOf,
} from '../examine.ts';
import { examineExpose } from '../examine-expose.ts';
import { examineOutput } from '../examine-outputs.ts';
import { DEFAULT_CONFIG_FILE } from './check.ts';

interface DoctorArgs {
  readonly file: string;
  readonly json: boolean;
}

/** Connections tried at once. */
const AT_ONCE = 32;
const LONGEST_WAIT_MS = 5_000;
/** Descriptors of the process itself, and of a few subscribers. */
const SPARE_FILES = 256;

/** Says what would not work on this machine, before it is started. */
export const command: Command<DoctorArgs> = {
  usage: 'doctor [file]',
  describe: 'Say what would not work on this machine: ports, rights, addresses, folders, limits',
  place: 50,
  task: 'connect',
  examples: [
    [
      'heartwire doctor',
      'examines what devices.yaml names, or the machine alone where there is none; serial ports are looked at, not opened',
    ],
    ['heartwire doctor bench.yaml --json', 'the same for a machine to read'],
  ],
  options: (yargs) =>
    yargs
      .positional('file', { type: 'string', default: DEFAULT_CONFIG_FILE, describe: 'The configuration' })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' }),
  async run({ file, json }, io) {
    const none = file === DEFAULT_CONFIG_FILE && (await isMissing(resolve(io.cwd, file)));
    // The configuration of a folder in which there is none yet.
    const { config, problems } = none
      ? { config: undefined, problems: [] }
      : await readConfig(resolve(io.cwd, file), file);
    const errors = problems.filter(({ severity }) => severity === 'error');
    const findings = none
      ? await examineMachine(io.cwd)
      : config === undefined
        ? []
        : await examine(config, io.cwd);
    const sick = findings.filter(({ code }) => code !== undefined);
    if (json) {
      const healthy = errors.length === 0 && sick.length === 0;
      io.out(`${JSON.stringify({ file, healthy, problems, findings })}\n`);
    } else {
      for (const problem of errors) io.out(`${formatProblem(problem)}\n`);
      for (const { about, code, detail } of findings) {
        io.out(
          `${code === undefined ? 'ok ' : 'BAD'} ${about}: ${code === undefined ? '' : `${code}: `}${detail}\n`,
        );
      }
      const wrong = errors.length + sick.length;
      const what = none ? 'this machine' : file;
      io.out(wrong === 0 ? `${what}: all is well\n` : `${what}: ${wrong} to fix\n`);
      if (none) io.out(`There is no ${file} here yet: \`heartwire init\` writes one.\n`);
    }
    if (errors.length > 0) return 2;
    return sick.length === 0 ? 0 : 1;
  },
};

const isMissing = (path: string): Promise<boolean> =>
  access(path).then(
    () => false,
    (cause: NodeJS.ErrnoException) => cause.code === 'ENOENT',
  );

/** What a bridge needs that nothing is configured of: its own address, its folder, and the ports that are plugged in. */
async function examineMachine(cwd: string): Promise<Finding[]> {
  const ports = await listPorts();
  const { host, port } = DEFAULT_SERVER;
  const findings = await inTurn<Finding | undefined>([
    () => examineServer({ scheme: 'tcp-listen', host, port }),
    () => examineFolder('history', cwd, 'history_unwritable', 'the folder of devices.yaml'),
    ...ports.map(
      ({ path }) =>
        () =>
          examinePort(path, { port: { by: 'path', path } }),
    ),
    () => examineWrites(DEFAULT_SERVER),
    () => examineOpenFiles(SPARE_FILES),
  ]);
  const plugged = ports.length > 0 ? [] : [good('serial ports', 'None is plugged in.')];
  return [...findings.filter((each) => each !== undefined), ...plugged];
}

/** Everything that the configuration needs of this machine, in the order of the file. */
async function examine(config: BridgeConfig, cwd: string): Promise<Finding[]> {
  const { server, listeners, devices } = config;
  const buses = (config.buses ?? []).filter(({ links }) => links.length > 0);
  const dialled = [...buses, ...devices.filter((device) => device.kind === 'dialled')];
  const connections = listeners.reduce((sum, listener) => sum + listener.maxConnections, 0);
  const jobs: Array<() => Promise<Finding | undefined>> = [
    () => examineServer({ scheme: 'tcp-listen', host: server.host, port: server.port }),
    ...(server.tcp === undefined ? [] : [examineLines(server.tcp)]),
    ...(server.tls === undefined ? [] : [examineCertificate(server.tls)]),
    ...(config.access === undefined ? [] : config.access.tokens.map(examineToken)),
    ...listeners.map(
      ({ link }) =>
        () =>
          examineListening('listener', link),
    ),
    ...dialled.flatMap(examinations),
    ...[...(config.buses ?? []), ...devices].flatMap((each) => exposed(each, cwd)),
    ...folders(config, cwd),
    () => examineSecrets(config),
    () => examineHistory(config, cwd),
    ...(config.outputs ?? []).flatMap((each) => examineOutput(each, cwd)),
    () => examineWrites(server),
    () => examineOpenFiles(SPARE_FILES + dialled.length + connections + traces(config)),
  ];
  const findings = await inTurn(jobs);
  const found = findings.filter((each) => each !== undefined);
  return [...found, ...(await sharedPorts(dialled)), ...(await backplaneFindings(config))];
}

/** How subscribers would be written to; nothing is wrong with either way. */
async function examineWrites({ native, tls, tcp }: ServerConfig): Promise<Finding> {
  const about = 'writes';
  const oneByOne = 'Each subscriber is written to by itself';
  if (!native) return good(about, `${oneByOne}: \`server.native\` is false.`);
  if (tls !== undefined && tcp?.tls !== false)
    return good(about, `${oneByOne}: the feed is served over TLS.`);
  const { loadNativeWrites } = await import('../../feed/index.ts');
  const found = loadNativeWrites();
  return good(
    about,
    found.on
      ? 'One call writes to many subscribers: the native part is built.'
      : `${oneByOne}, which costs more with hundreds of them: ${found.why}.`,
  );
}

/** A recorded device with a link has its trace open, too. */
function traces({ devices, listeners, buses = [] }: BridgeConfig): number {
  const unannounced = listeners.filter(({ record }) => record === true);
  return (
    [...buses, ...devices].filter(({ record }) => record === true).length +
    unannounced.reduce((sum, { maxDevices }) => sum + maxDevices, 0)
  );
}

/** A device, or a bus, that is dialled. */
type Dialled = Pick<DialledDeviceConfig, 'id' | 'session'> & Pick<BusConfig, 'links'>;

function examinations({ id, links, session }: Dialled): Array<() => Promise<Finding | undefined>> {
  return links.map((link) => async () => {
    if (link.scheme === 'serial') return examinePort(id, link);
    if (link.scheme === 'replay') return examineTrace(id, link.path);
    if (link.scheme === 'udp') return examineDatagrams(id, link);
    const withinMs = Math.min(session.connectTimeoutMs, LONGEST_WAIT_MS);
    // A serial server has its line to set, after the connection.
    return examineAddress(id, link, link.scheme === 'rfc2217' ? withinMs + LONGEST_WAIT_MS : withinMs);
  });
}

/** The places at which other programs use the port of a device or a bus. */
function exposed(
  of: BusConfig | BridgeConfig['devices'][number],
  cwd: string,
): Array<() => Promise<Finding>> {
  if (!('expose' in of) || of.expose === undefined) return [];
  return of.expose.map((place) => () => examineExpose(of.id, place, cwd));
}

/** Those that something is written to. */
function folders(
  { recording, files, devices, listeners, buses = [] }: BridgeConfig,
  cwd: string,
): Array<() => Promise<Finding | undefined>> {
  const records = [...devices, ...listeners, ...buses].some(({ record }) => record === true);
  const traces = resolve(cwd, recording.dir);
  const received = files && { ...files, dir: resolve(cwd, files.dir) };
  return [
    ...(records
      ? [
          () => examineFolder('recording', traces, 'recording_failed'),
          () => examineRoom('recording', traces, 'recording_budget', recording),
        ]
      : []),
    ...(received
      ? [
          () => examineFolder('files', received.dir, 'file_not_written'),
          () => examineRoom('files', received.dir, 'file_not_stored', received),
        ]
      : []),
  ];
}

/** Devices of which the black box keeps nothing, because what they say is encrypted. */
async function examineSecrets({ blackBox, secrecy, devices }: BridgeConfig): Promise<Finding | undefined> {
  if (blackBox === undefined || secrecy === undefined) return undefined;
  const parts = ['state', 'messages', 'alarms', 'bytes'];
  const secret = devices.filter(({ id }) =>
    secrecy.rules.some(({ pattern }) =>
      parts.some((part) => coversPattern([pattern], `devices/${id}/${part}`)),
    ),
  );
  if (secret.length === 0) return undefined;
  const names = secret.map(({ id }) => id).join(', ');
  return good('black_box', `Nothing is kept for incidents of what \`secrecy\` covers: ${names}.`);
}

/** A history that cannot be written; and what is encrypted, of which little is kept. */
async function examineHistory({ history, secrecy }: BridgeConfig, cwd: string): Promise<Finding | undefined> {
  if (history === undefined) return undefined;
  const found = await examineFolder('history', dirname(resolve(cwd, history.file)), 'history_unwritable');
  if (found.code !== undefined) return found;
  const patterns = secrecy?.rules.map(({ pattern }) => pattern) ?? [];
  if (patterns.length === 0) return undefined;
  const detail = `alarms are kept as ciphertext, and nothing else: ${patterns.join(', ')}.`;
  return { ...found, detail: `${found.detail} Of topics under \`secrecy:\`, ${detail}` };
}

/** The server that several instances share. */
async function backplaneFindings({ backplane }: BridgeConfig): Promise<readonly Finding[]> {
  if (backplane === undefined) return [];
  const { examineBackplane } = await import('../../backplane/index.ts');
  return (await examineBackplane(backplane)).map((found) => ({ about: 'backplane', ...found }));
}

function examineLines({ host, port }: LinesConfig): () => Promise<Finding> {
  return () => examineListening('server.tcp', { scheme: 'tcp-listen', host, port });
}

function examineCertificate(files: TlsFiles): () => Promise<Finding> {
  return async () => {
    const read = await readTlsPair(files);
    const error = 'error' in read ? read.error : outOfDate(read, files, Date.now());
    if (error !== undefined) {
      return bad('server', { code: error.code, detail: [error.message, error.fix].join(' ') });
    }
    const until = 'error' in read ? '' : new Date(read.validUntil).toISOString();
    return good('server', `The certificate and its key fit, and are valid until ${until}.`);
  };
}

/** Silent about a token that lasts. */
function examineToken({ name, expiresAtMs }: StaticToken): () => Promise<Finding | undefined> {
  return async () => {
    if (expiresAtMs === undefined || expiresAtMs > Date.now()) return undefined;
    const ended = new Date(expiresAtMs).toISOString();
    const detail = `The token ${name} came to its end at ${ended}. Take it out, or make another one with \`heartwire token\`.`;
    return bad('access', { code: 'unauthorized', detail });
  };
}

/** One port behind two names, which the configuration alone cannot show: the first to open it would have it. */
async function sharedPorts(devices: readonly Dialled[]): Promise<Finding[]> {
  const owners = new Map<string, string>();
  const findings: Finding[] = [];
  for (const { id, links } of devices) {
    for (const link of links) {
      const realPath = link.scheme === 'serial' ? await realPathOf(link) : undefined;
      if (realPath === undefined) continue;
      const owner = owners.get(realPath) ?? id;
      owners.set(realPath, owner);
      if (owner === id) continue;
      findings.push(
        bad(id, {
          code: 'port_busy',
          detail: `${addressLabel(link)} is the port of ${owner} already. Give each device a port of its own.`,
        }),
      );
    }
  }
  return findings;
}

async function inTurn<T>(jobs: ReadonlyArray<() => Promise<T>>): Promise<T[]> {
  const results: T[] = [];
  for (let at = 0; at < jobs.length; at += AT_ONCE) {
    results.push(...(await Promise.all(jobs.slice(at, at + AT_ONCE).map((job) => job()))));
  }
  return results;
}
