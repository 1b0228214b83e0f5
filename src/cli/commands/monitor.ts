import type { Client, ClientStatus } from '../../client/index.ts';
import type { JsonObject } from '../../contract/wire/index.ts';
import { HeartwireError } from '../../errors.ts';
import { printableLines, systemClock } from '../../system/index.ts';
import { openFeed, whyOf } from '../bridge-connection.ts';
import { bridgeKeys, openPayloads, readerOptions } from '../bridge-keys.ts';
import { bridgeToken, bridgeUrl } from '../bridge-options.ts';
import type { CliIo, Command, ExitCode, Terminal } from '../command.ts';
import { errorText } from '../error-text.ts';
import { ageText, type DeviceRow, deviceRow } from '../ui/device-row.ts';
import { jsonLine } from '../ui/feed-lines.ts';
import { type MonitorChoice, pressKeys } from '../ui/keys.ts';
import { Screen } from '../ui/screen.ts';
import { extentOf, type MonitorScene, monitorLines, shownRows } from '../ui/table.ts';

interface MonitorArgs {
  readonly filter: readonly string[];
  readonly url: string | undefined;
  readonly origin: string | undefined;
  readonly 'token-file': string | undefined;
  readonly 'key-file': readonly string[] | undefined;
  readonly json: boolean;
  readonly retry: boolean;
}

/** The bridge that is watched. */
interface Source {
  readonly url: string;
  readonly origin: string | undefined;
  readonly token: string | undefined;
  readonly keys: readonly Uint8Array[];
}

/** Ages grow by themselves; what changes is shown sooner, but no more often than eyes can follow. */
const REDRAW_MS = 1_000;
const SETTLE_MS = 100;

/** A live table of the devices; in a pipe, a line for each change of how a device is. */
export const command: Command<MonitorArgs> = {
  usage: 'monitor [filter..]',
  describe: 'Watch the devices of a bridge in a live table; in a pipe, one line for each change of status',
  place: 230,
  task: 'look',
  raw: true,
  examples: [
    ['heartwire monitor', 'all devices; q quits, / filters, s sorts, ? shows the other keys'],
    ['heartwire monitor offline', 'those only that have this word somewhere'],
    [
      'heartwire monitor | tee status.log',
      'time, device, status, link and reason, whenever one of them changes',
    ],
  ],
  options: (yargs) =>
    readerOptions(
      yargs
        .positional('filter', {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: 'Words that a device must show somewhere',
        })
        .option('json', { type: 'boolean', default: false, describe: 'JSON lines instead of the table' })
        .option('retry', {
          type: 'boolean',
          default: false,
          describe: 'Wait for a bridge that is not there yet',
        }),
    ),
  async run(args, io): Promise<ExitCode> {
    let source: Source;
    try {
      const url = bridgeUrl(args.url, io);
      const token = await bridgeToken(args['token-file'], io);
      source = { url, origin: args.origin, token, keys: await bridgeKeys(args['key-file'], io) };
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      io.err(errorText(error));
      return 2;
    }
    const { tty } = io;
    await (tty === undefined || args.json
      ? printChanges(source, args, io)
      : showTable(source, args, io, tty));
    return 0;
  },
};

async function showTable(source: Source, args: MonitorArgs, io: CliIo, tty: Terminal): Promise<void> {
  // The screen itself shows the connection, and which keys are missing; a line of a log would tear it.
  const note = (): void => undefined;
  const decode = openPayloads(source.keys, note);
  using feed = openFeed({ ...source, decode, retry: args.retry, io, note });
  const { client } = feed;
  const clock = bridgeClock(client);
  let choice: MonitorChoice = {
    top: 0,
    filter: args.filter.join(' '),
    typing: false,
    sort: 'id',
    help: false,
  };
  const rows = rowsOf(client);
  const scene = (): MonitorScene => {
    const { columns, rows: lines } = screen.size();
    return {
      rows: rows(),
      choice,
      url: source.url,
      connection: connectionText(client.status, systemClock.now().wallMs),
      now: clock(),
      columns,
      lines,
    };
  };
  const redraw = redrawing(() => screen.draw(monitorLines(scene())));
  using screen = new Screen(io, tty, {
    keys(text) {
      const pressed = pressKeys(text, choice, extentOf(scene()));
      choice = pressed.choice;
      if (pressed.order === 'quit') feed.end();
      else if (pressed.order === 'suspend') screen.suspend(redraw.now);
      else {
        if (pressed.order === 'redraw') screen.forget();
        redraw.now();
      }
    },
    resize: () => redraw.now(),
  });
  client.on('status', redraw.now);
  client.view.onChange(redraw.soon);
  followDeclarations(client);
  client.subscribe(['devices/+/state', 'devices/+/stats'], { maxHz: 5 });
  redraw.now();
  try {
    await feed.ended;
  } finally {
    redraw.stop();
  }
}

/** One line for each device, and one more whenever its status, link or reason is another. */
async function printChanges(source: Source, args: MonitorArgs, io: CliIo): Promise<void> {
  const note = (text: string): void => io.err(`heartwire: ${text}\n`);
  const decode = openPayloads(source.keys, note);
  using feed = openFeed({ ...source, decode, retry: args.retry, io, note });
  const choice: MonitorChoice = {
    top: 0,
    filter: args.filter.join(' '),
    typing: false,
    sort: 'id',
    help: false,
  };
  const printed = new Map<string, string>();
  feed.client.view.onChange(({ device, topic, document }) => {
    if (device === undefined || topic !== `devices/${device}/state`) return;
    const row = document && deviceRow(device, document, undefined, declarationOf(feed.client, document));
    const said = row === undefined ? 'removed' : changeText(row);
    if (printed.get(device) === said) return;
    if (row === undefined) printed.delete(device);
    else if (shownRows([row], choice).length > 0 || printed.has(device)) printed.set(device, said);
    else return;
    const at = new Date(systemClock.now().wallMs).toISOString();
    io.out(
      args.json ? jsonLine(changeJson(at, device, document)) : printableLines(`${at}  ${device}  ${said}\n`),
    );
  });
  followDeclarations(feed.client);
  feed.client.subscribe(['devices/+/state']);
  await feed.ended;
}

function changeText({ status, link, detail, quality }: DeviceRow): string {
  const why = status === 'online' ? '' : detail;
  return [status, link, quality ?? '', why].filter((each) => each !== '').join('  ');
}

function changeJson(at: string, device: string, document: JsonObject | undefined): JsonObject {
  if (document === undefined) return { at, device, removed: true };
  const { values: _, ...state } = document;
  return { at, ...state, device };
}

/** Follows what describes the values, once for each set of messages that some device speaks. */
function followDeclarations(client: Client): void {
  const followed = new Set<string>();
  client.view.onChange(({ document }) => {
    const key = document?.declaration;
    if (typeof key !== 'string' || followed.has(key)) return;
    followed.add(key);
    client.subscribe(`declarations/${key}`);
  });
}

/** What describes the values of a state, as far as it is known by now. */
function declarationOf(client: Client, { declaration: key }: JsonObject): JsonObject | undefined {
  return typeof key === 'string' ? client.view.document(`declarations/${key}`) : undefined;
}

/** The rows of all devices; one is made again only when its documents are. */
function rowsOf(client: Client): () => DeviceRow[] {
  type Documents = readonly [
    state: JsonObject,
    stats: JsonObject | undefined,
    declaration: JsonObject | undefined,
  ];
  const made = new Map<string, { readonly of: Documents; readonly row: DeviceRow }>();
  return () => {
    const devices = [...client.view.devices()];
    const present = new Set(devices);
    for (const id of made.keys()) if (!present.has(id)) made.delete(id);
    return devices.flatMap((id) => {
      const state = client.view.document(`devices/${id}/state`);
      const stats = client.view.document(`devices/${id}/stats`);
      if (state === undefined) return [];
      const of: Documents = [state, stats, declarationOf(client, state)];
      const known = made.get(id);
      if (known?.of.every((each, index) => each === of[index])) return [known.row];
      const row = deviceRow(id, ...of);
      made.set(id, { of, row });
      return [row];
    });
  };
}

/** The bridge's wall clock as far as its messages show it: ages are right though the two clocks differ. */
function bridgeClock(client: Client): () => number {
  let aheadMs = 0;
  client.on('message', ({ timestamp }) => {
    aheadMs = timestamp - systemClock.now().wallMs;
  });
  return () => systemClock.now().wallMs + aheadMs;
}

function connectionText(status: ClientStatus, now: number): MonitorScene['connection'] {
  const span = ageText(now - status.since);
  switch (status.state) {
    case 'connected':
      return { text: 'connected', trusted: true };
    case 'connecting':
      return { text: status.retryAt === undefined ? 'connecting' : retryText(status, now), trusted: false };
    case 'stale':
      return { text: ` NOT CONNECTED for ${span}: ${retryText(status, now)}`, trusted: false };
    case 'recovering':
      return { text: ' connected again, catching up', trusted: false };
    case 'closed':
      return { text: ` CLOSED for ${span}: ${whyOf(status)}`, trusted: false };
  }
}

function retryText(status: ClientStatus, now: number): string {
  const wait = status.retryAt === undefined ? 'trying' : `next try in ${ageText(status.retryAt - now + 999)}`;
  return status.reason === undefined && status.code === undefined ? wait : `${whyOf(status)}; ${wait}`;
}

/** Draws soon after a change, at once when asked, and every second in any case; one timer. */
function redrawing(draw: () => void): { now(): void; soon(): void; stop(): void } {
  let timer: { readonly atMs: number; cancel(): void } | undefined;
  let stopped = false;
  const arm = (atMs: number): void => {
    if (stopped || (timer !== undefined && timer.atMs <= atMs)) return;
    timer?.cancel();
    timer = { atMs, cancel: systemClock.setTimer(atMs, now).cancel };
  };
  const now = (): void => {
    timer?.cancel();
    timer = undefined;
    if (stopped) return;
    draw();
    arm(systemClock.now().monoMs + REDRAW_MS);
  };
  return {
    now,
    soon: () => arm(systemClock.now().monoMs + SETTLE_MS),
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}
