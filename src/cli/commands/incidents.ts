import { type IncidentDocument, parseIncident } from '../../contract/feed/index.ts';
import { HeartwireError } from '../../errors.ts';
import { TraceParser } from '../../trace/index.ts';
import { type BridgeApi, bridgeApi } from '../bridge-http.ts';
import { type BridgeArgs, bridgeOptions } from '../bridge-options.ts';
import type { CliIo, Command } from '../command.ts';
import { errorText } from '../error-text.ts';
import { writeOutput } from '../files.ts';

interface IncidentsArgs extends BridgeArgs {
  readonly id: string | undefined;
  readonly device: string | undefined;
  readonly output: string | undefined;
  readonly json: boolean;
}

/** Lists what the black box of a running bridge kept, tells the story of one, or fetches its trace. */
export const command: Command<IncidentsArgs> = {
  usage: 'incidents [id]',
  describe: 'List the incidents of a running bridge, tell what led to one, or fetch its trace',
  place: 185,
  task: 'look',
  examples: [
    ['heartwire incidents', 'the latest first'],
    ['heartwire incidents --device psu-1 --json', 'those of one device, for jq'],
    ['heartwire incidents psu-1.20260101T030000000Z', 'what led to it: statuses, commands and alarms'],
    ['heartwire incidents psu-1.20260101T030000000Z -o incident.trace', 'its trace, to replay or to export'],
  ],
  options: (yargs) =>
    bridgeOptions(
      yargs
        .positional('id', { type: 'string', describe: 'One of them, as they are listed' })
        .option('device', { type: 'string', requiresArg: true, describe: 'Those of this device' })
        .option('output', {
          alias: 'o',
          type: 'string',
          requiresArg: true,
          describe: 'Write the trace into this file; - is standard output',
        })
        .option('json', { type: 'boolean', default: false, describe: 'Print JSON' }),
    ),
  async run(args, io) {
    let api: BridgeApi;
    try {
      if (args.output !== undefined && args.id === undefined)
        throw new HeartwireError('bad_argument', '--output takes the trace of one incident: name its id.');
      api = await bridgeApi(args, io);
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      io.err(errorText(error));
      return 2;
    }
    if (args.id === undefined) await list(api, args, io);
    else if (args.output === undefined) await tell(api, args.id, args.json, io);
    else await fetchTrace(api, args.id, args.output, io);
    return 0;
  },
};

async function list(api: BridgeApi, { device, json }: IncidentsArgs, io: CliIo): Promise<void> {
  const { incidents }: { readonly incidents: readonly IncidentDocument[] } = JSON.parse(
    await api.text('/api/incidents', { device }),
  );
  if (json) return io.out(incidents.map((each) => `${JSON.stringify(each)}\n`).join(''));
  if (incidents.length === 0) return io.out('There are no incidents.\n');
  const widest = Math.max(...incidents.map(({ id }) => id.length));
  for (const {
    id,
    reason,
    device: of,
    bus,
    detail,
    also_count: count,
    also = [],
    others = [],
  } of incidents) {
    const more = (count ?? also.length) + others.length;
    const with_ = more === 0 ? '' : ` (and ${more} more)`;
    io.out(
      `${id.padEnd(widest)}  ${reason.padEnd(14)}  ${bus === undefined ? '' : `${of}: `}${detail}${with_}\n`,
    );
  }
}

/** Times and notes of the trace: what happened, without the bytes. */
async function tell(api: BridgeApi, id: string, json: boolean, io: CliIo): Promise<void> {
  if (json) return io.out(await api.text(pathOf(id, '')));
  const text = await api.text(pathOf(id, '.trace'));
  let startMs = 0;
  const counts = { in: 0, out: 0 };
  const flush = (): void => {
    if (counts.in + counts.out > 0) io.out(`              ${counts.in} bytes from it, ${counts.out} to it\n`);
    counts.in = 0;
    counts.out = 0;
  };
  const parser = new TraceParser(`${id}.trace`, {
    head: (head) => {
      startMs = head.startMs;
      const incident = parseIncident(head.meta.incident ?? '');
      const { device = head.meta.device, reason = 'incident', detail = '', others = [] } = incident ?? {};
      io.out(`${device}: ${reason}: ${detail}\n`);
      if (others.length > 0) io.out(`at the same time: ${others.join(', ')}\n`);
    },
    event: ({ atUs, fact }) => {
      if (fact.kind === 'in' || fact.kind === 'out') counts[fact.kind] += fact.bytes.length;
      const said =
        fact.kind === 'note'
          ? fact.text
          : fact.kind === 'life' && fact.word !== 'idle'
            ? `link ${fact.word} ${fact.detail}`
            : undefined;
      // On a bus each request has its note.
      if (said === undefined || /^to [\w.-]+$/.test(said)) return;
      flush();
      io.out(`${new Date(startMs + atUs / 1_000).toISOString().slice(11, 23)}  ${said}\n`);
    },
    warning: (warning) => io.err(`heartwire: ${warning}\n`),
  });
  parser.push(new TextEncoder().encode(text));
  parser.finish();
  flush();
}

async function fetchTrace(api: BridgeApi, id: string, output: string, io: CliIo): Promise<void> {
  const text = await api.text(pathOf(id, '.trace'));
  if (output === '-') return io.out(text);
  await writeOutput(io, output, text);
  io.out(`${output}: ${Buffer.byteLength(text)} bytes written\n`);
}

const pathOf = (id: string, suffix: string): string => `/api/incidents/${encodeURIComponent(id)}${suffix}`;
