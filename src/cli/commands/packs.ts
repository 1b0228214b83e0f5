import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import {
  checkFrame,
  findPack,
  formatProblem,
  listPacks,
  type Pack,
  type PackPlace,
  type Problem,
  readKeys,
  readPack,
} from '../../config/index.ts';
import { HeartwireError } from '../../errors.ts';
import { FeedStore } from '../../feed/index.ts';
import { openTrace } from '../../links/index.ts';
import type { DeclaredProtocol } from '../../protocol/index.ts';
import { sourceWithSilences } from '../../recording/index.ts';
import { replayTraces } from '../../replay/index.ts';
import type { CliIo, Command, ExitCode } from '../command.ts';
import { diffLines } from './replay.ts';

interface PacksArgs {
  readonly pack: string | undefined;
  readonly check: boolean;
  readonly json: boolean;
}

/** Lists packs, shows one, and checks whether they are as they say. */
export const command: Command<PacksArgs> = {
  usage: 'packs [pack]',
  describe: 'List the packs of declared messages (messages: pack:NAME), show one, or check one',
  place: 120,
  task: 'describe',
  examples: [
    ['heartwire packs', 'the packs that can be named in devices.yaml from here'],
    ['heartwire packs eastron-sdm', 'what a pack is for, its messages, and a configuration to begin with'],
    ['heartwire packs ./my-pack --check', 'decodes and encodes its frames, and replays its traces'],
  ],
  options: (yargs) =>
    yargs
      .positional('pack', { type: 'string', describe: 'Its name, or its folder (./my-pack)' })
      .option('check', {
        type: 'boolean',
        default: false,
        describe: 'Decode and encode the published frames, and replay the traces',
      })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' }),
  async run({ pack, check, json }, io) {
    const places = pack === undefined ? await listPacks(io.cwd) : [await placeOf(pack, io)];
    if (check) return checked(places, json, io);
    return pack === undefined ? listed(places, json, io) : shown(places, json, io);
  },
};

/** A word with a slash that is no scope is a folder. */
async function placeOf(word: string, io: CliIo): Promise<PackPlace> {
  if (word.startsWith('@') || !/[/\\]|^\.+$/.test(word)) return findPack(word.replace(/^pack:/, ''), io.cwd);
  const folder = resolve(io.cwd, word);
  return { name: basename(folder).replace(/^heartwire-pack-/, ''), folder, shipped: false };
}

async function listed(places: readonly PackPlace[], json: boolean, io: CliIo): Promise<ExitCode> {
  const rows: string[][] = [];
  const records: object[] = [];
  let sound = true;
  for (const place of places) {
    const { keys, problems } = await readKeys(place);
    sound = print(problems, io) && sound;
    records.push({ name: place.name, shipped: place.shipped, folder: place.folder, ...keys });
    if (keys !== undefined) rows.push([place.name, keys.maker, keys.title]);
  }
  if (json) io.out(`${JSON.stringify(records)}\n`);
  else io.out(columns(rows));
  return sound ? 0 : 1;
}

async function shown(places: readonly PackPlace[], json: boolean, io: CliIo): Promise<ExitCode> {
  for (const place of places) {
    const { pack, problems } = await readPack(place);
    if (pack === undefined) {
      print(problems, io);
      return 2;
    }
    io.out(json ? `${JSON.stringify(asJson(pack))}\n` : describe(pack));
  }
  return 0;
}

function asJson({ place, protocol, traces, frames, ...keys }: Pack): object {
  return {
    ...keys,
    name: place.name,
    shipped: place.shipped,
    folder: place.folder,
    messages: protocol.messages.map(({ name, declaration: { from = 'any', description, id } }) => ({
      name,
      from,
      ...(id === undefined ? {} : { id }),
      ...(description === undefined ? {} : { description }),
    })),
    frames,
    traces: traces.map(({ trace }) => basename(trace)),
  };
}

function describe({ place, protocol, frames, traces, ...keys }: Pack): string {
  const facts = [
    ['maker', keys.maker],
    ['models', keys.models.join(', ')],
    ['licence', keys.licence],
    ['folder', place.folder],
    ['tried with', `${count(frames.length, 'published frame')}, ${count(traces.length, 'trace')}`],
    ...Object.entries(keys.sources).map(([name, text]) => [`source ${name}`, text]),
    ...(keys.notes === undefined ? [] : [['notes', keys.notes.trim()]]),
  ];
  const messages = protocol.messages.map(({ name, declaration: { from = 'any', description } }) => [
    name,
    from === 'any' ? '' : `from ${from}`,
    description ?? '',
  ]);
  return [
    `${place.name}: ${keys.title}\n\n${columns(facts)}`,
    `Messages:\n${columns(messages)}`,
    `In devices.yaml:\n${keys.example.trimEnd().replace(/^(?=.)/gm, '  ')}\n`,
  ].join('\n');
}

async function checked(places: readonly PackPlace[], json: boolean, io: CliIo): Promise<ExitCode> {
  let failed = false;
  for (const place of places) {
    const { pack, problems } = await readPack(place);
    print(
      problems.filter(({ severity }) => severity === 'warning'),
      io,
    );
    const wrong = [
      ...problems.filter(({ severity }) => severity === 'error').map(formatProblem),
      ...(pack === undefined ? [] : [...framesWrong(pack), ...(await tracesWrong(pack))]),
    ];
    failed ||= pack === undefined || wrong.length > 0;
    if (json) {
      io.out(`${JSON.stringify({ name: place.name, valid: wrong.length === 0, problems: wrong })}\n`);
      continue;
    }
    for (const each of wrong) io.out(`${each}\n`);
    io.out(`${place.name}: ${pack === undefined ? 'cannot be used' : verdict(pack, wrong.length)}\n`);
    for (const frame of pack?.frames ?? []) {
      if (frame.encode !== false) continue;
      io.out(`  ${frame.message} ${frame.kind} is not encoded: ${frame.reason}\n`);
    }
  }
  return failed ? 1 : 0;
}

function verdict({ frames, traces }: Pack, wrong: number): string {
  const tried = `${count(frames.length, 'frame')}, ${count(traces.length, 'trace')}`;
  return wrong === 0 ? `${tried}, as published` : `${tried}, ${count(wrong, 'difference')}`;
}

/** Frames that do not decode to their values, or whose values do not encode to them. */
function framesWrong({ place, protocol, frames }: Pack): readonly string[] {
  return frames.flatMap((frame, index) => {
    const problem = checkFrame(protocol, frame);
    return problem === undefined
      ? []
      : [`${place.folder}/frames.json: frames[${index}] (${frame.message}): ${problem}`];
  });
}

/** Traces whose replay does not print their golden output. */
async function tracesWrong({ place, protocol, traces }: Pack): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const { trace, golden } of traces) {
    const lines = await replayLines(trace, protocol);
    // The npm package leaves the golden outputs of its own packs out: they are large, and the tests compare them.
    if (place.shipped && !existsSync(golden)) continue;
    const expected = await readFile(golden, 'utf8').catch((cause: unknown) => {
      throw new HeartwireError('pack_failed', `${golden} could not be read.`, {
        seen: golden,
        fix: `Write it with \`heartwire replay ${trace} --messages ... --expect ${golden} --update\`.`,
        cause,
      });
    });
    const difference = diffLines(expected.replace(/\n$/, '').split('\n'), lines);
    if (difference !== undefined) wrong.push(`${trace}: not as expected\n${difference}`);
  }
  return wrong;
}

/** What `heartwire replay` prints of a trace. */
async function replayLines(trace: string, messages: DeclaredProtocol): Promise<readonly string[]> {
  const lines: string[] = [];
  const source = sourceWithSilences(
    await openTrace(trace, trace, () => undefined),
    messages,
    () => undefined,
  );
  const { unmet } = await replayTraces([source], {
    store: new FeedStore({ epoch: 'replay' }),
    messages,
    line: (line) => void lines.push(JSON.stringify(line)),
  });
  for (const { line, expected, got } of unmet) {
    lines.push(`line ${line}: expected ${expected}, got ${got ?? 'nothing'}`);
  }
  return lines;
}

/** True where none is an error. */
function print(problems: readonly Problem[], io: CliIo): boolean {
  for (const problem of problems) io.err(`${formatProblem(problem)}\n`);
  return problems.every(({ severity }) => severity === 'warning');
}

/** Rows below each other, with all but the last cell as wide as the widest of their column. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1].map((at) => Math.max(0, ...rows.map((row) => (row[at] ?? '').length)));
  return rows
    .map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
