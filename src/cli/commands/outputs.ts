import { resolve } from 'node:path';
import { formatProblem, type OutputConfig, readConfig } from '../../config/index.ts';
import type { JsonObject } from '../../contract/wire/index.ts';
import { lookupOf } from '../../links/index.ts';
import { type TryResult, tryOutput } from '../../outputs/index.ts';
import { systemClock } from '../../system/index.ts';
import { reachBridge } from '../bridge-http.ts';
import { type BridgeArgs, bridgeOptions } from '../bridge-options.ts';
import type { CliIo, Command, ExitCode } from '../command.ts';
import { packageVersion } from '../version.ts';
import { DEFAULT_CONFIG_FILE } from './check.ts';

interface OutputsArgs extends BridgeArgs {
  readonly file: string;
  readonly try: boolean;
  readonly json: boolean;
}

/** Shows the outputs of a running bridge, or sends a test through each of a configuration. */
export const command: Command<OutputsArgs> = {
  usage: 'outputs [file]',
  describe: 'Show the outputs of a running bridge with their counts, or try those of a configuration',
  place: 187,
  task: 'operate',
  examples: [
    ['heartwire outputs', 'state, counts and reason of each output of the running bridge'],
    ['heartwire outputs --try', 'sends a test through each output of devices.yaml; no bridge need run'],
  ],
  options: (yargs) =>
    bridgeOptions(
      yargs
        .positional('file', {
          type: 'string',
          default: DEFAULT_CONFIG_FILE,
          describe: 'The configuration whose outputs are tried, with --try',
        })
        .option('try', {
          type: 'boolean',
          default: false,
          describe: 'Send a test: a message, a mail, a point `heartwire_test`, a topic `bridge/test`',
        })
        .option('json', { type: 'boolean', default: false, describe: 'Print JSON' }),
    ),
  async run(args, io) {
    if (args.try) return tryAll(args, io);
    const api = await reachBridge(args, io);
    if (api === undefined) return 2;
    const { outputs }: { readonly outputs: readonly JsonObject[] } = JSON.parse(
      await api.text('/api/outputs'),
    );
    if (args.json) io.out(outputs.map((each) => `${JSON.stringify(each)}\n`).join(''));
    else if (outputs.length === 0)
      io.out('The bridge has no outputs; docs/reference/outputs.md has what to write.\n');
    else for (const each of outputs) io.out(`${line(each)}\n`);
    return outputs.some(({ status }) => status === 'failed') ? 1 : 0;
  },
};

function line(output: JsonObject): string {
  const { kind, url, status, sent, lost, lost_detail: lostDetail, waiting, on_disk: onDisk } = output;
  const { reason, detail } = output;
  const counts = `${String(sent)} sent, ${String(lost)} lost, ${String(waiting)} waiting`;
  const disk = Number(onDisk ?? 0) > 0 ? ` (${String(onDisk)} on the disk)` : '';
  const why = reason === undefined ? '' : `: ${String(reason)}: ${String(detail)}`;
  const loss = lostDetail === undefined ? '' : `\n  lost last: ${String(lostDetail)}`;
  return `${String(kind).padEnd(8)} ${String(url).padEnd(30)} ${String(status).padEnd(8)} ${counts}${disk}${why}${loss}`;
}

async function tryAll({ file, json }: OutputsArgs, io: CliIo): Promise<ExitCode> {
  const { config, problems } = await readConfig(resolve(io.cwd, file), file);
  const errors = problems.filter(({ severity }) => severity === 'error');
  for (const problem of errors) io.err(`${formatProblem(problem)}\n`);
  if (config === undefined) return 2;
  const results = await tryOutputs(config.outputs ?? []);
  for (const { kind, url, ok, code, detail } of results) {
    if (json) io.out(`${JSON.stringify({ kind, url, ok, code, detail })}\n`);
    else io.out(`${ok ? 'ok ' : 'BAD'} ${kind} ${url}: ${code === undefined ? '' : `${code}: `}${detail}\n`);
  }
  if (results.length === 0 && !json) io.out(`${file} has no outputs.\n`);
  if (errors.length > 0) return 2;
  return results.every(({ ok }) => ok) ? 0 : 1;
}

/** All at once: one that does not answer holds up none. */
async function tryOutputs(outputs: readonly OutputConfig[]): Promise<readonly TryResult[]> {
  const ports = { clock: systemClock, version: packageVersion(), lookup: lookupOf() };
  return Promise.all(outputs.map((output) => tryOutput(output, ports)));
}
