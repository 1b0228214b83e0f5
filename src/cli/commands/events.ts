import { isJsonObject, type JsonObject } from '../../contract/wire/index.ts';
import { type BridgeApi, reachBridge } from '../bridge-http.ts';
import { type BridgeArgs, bridgeOptions, type PeriodArgs, periodOptions } from '../bridge-options.ts';
import type { Command } from '../command.ts';
import { wholeNumber } from '../option-values.ts';

const KINDS = ['status', 'link', 'alarm', 'command', 'bridge'] as const;
const PART = 1_000;

interface EventsArgs extends BridgeArgs, PeriodArgs {
  readonly device: string | undefined;
  readonly kind: readonly (typeof KINDS)[number][] | undefined;
  readonly limit: number;
  readonly json: boolean;
}

/** Prints what happened, as a running bridge has kept it. */
export const command: Command<EventsArgs> = {
  usage: 'events [device]',
  describe: 'Print what happened: statuses with their reasons, alarms, commands',
  place: 184,
  task: 'look',
  examples: [
    ['heartwire events --from -1d --kind alarm', 'the alarms of a day, of all devices'],
    ['heartwire events psu-1 --from -1h', 'what happened to one device'],
    ['heartwire events --json > events.jsonl', 'for programs'],
  ],
  options: (yargs) =>
    bridgeOptions(
      periodOptions(
        yargs
          .positional('device', { type: 'string', describe: 'One device; all where it is left out' })
          .option('kind', {
            choices: KINDS,
            array: true,
            requiresArg: true,
            describe: 'Only events of these kinds',
          }),
      )
        .option('limit', {
          coerce: wholeNumber('limit', 1, 1_000_000),
          default: 1_000,
          describe: 'The last so many',
        })
        .option('json', { type: 'boolean', default: false, describe: 'Print JSON lines' }),
    ),
  async run(args, io) {
    const api = await reachBridge(args, io);
    if (api === undefined) return 2;
    for (const event of await lastEvents(api, args))
      io.out(args.json ? `${JSON.stringify(event)}\n` : lineOf(event));
    return 0;
  },
};

/** In the order of their time. @throws HeartwireError as `BridgeApi.get` */
async function lastEvents(api: BridgeApi, args: EventsArgs): Promise<JsonObject[]> {
  const parts: JsonObject[][] = [];
  let left = args.limit;
  let to = args.until;
  for (let before: string | undefined = ''; before !== undefined && left > 0; ) {
    const answer: JsonObject = await api.get('/api/history/events', {
      device: args.device,
      kind: args.kind?.join(','),
      from: args.from,
      to,
      limit: String(Math.min(left, PART)),
      before: before === '' ? undefined : before,
    });
    const events = Array.isArray(answer.events) ? answer.events.filter(isJsonObject) : [];
    parts.unshift(events);
    left -= events.length;
    before = typeof answer.before === 'string' ? answer.before : undefined;
    to ??= String(Number(events.at(-1)?.at ?? 0) + 1);
  }
  return parts.flat();
}

/** `2026-11-30T08:00:00.250Z psu-1 status offline: heartbeat_missed, nothing came for 9 s`. */
function lineOf(event: JsonObject): string {
  const { at, n: _, device, kind, ...rest } = event;
  const time = new Date(Number(at)).toISOString();
  return `${time} ${String(device ?? 'bridge')} ${String(kind)} ${storyOf(String(kind), rest)}\n`;
}

function storyOf(kind: string, event: JsonObject): string {
  const text = (name: string): string => (event[name] === undefined ? '' : String(event[name]));
  const why = [text('reason'), text('detail')].filter((each) => each !== '').join(', ');
  switch (kind) {
    case 'status':
    case 'link':
      return `${text('status')}${why === '' ? '' : `: ${why}`}`;
    case 'alarm':
      return `${text('level')} ${text('message')}.${text('field')} ${text('value')}${text('unit') === '' ? '' : ` ${text('unit')}`} (was ${text('previous')}, limit ${text('limit')})`;
    case 'command':
      return `${text('message')} ${event.ok === true ? 'done' : `failed: ${[text('code'), text('detail')].join(', ')}`}`;
    default: {
      const { event: what, ...more } = event;
      return `${String(what)} ${JSON.stringify(more)}`;
    }
  }
}
