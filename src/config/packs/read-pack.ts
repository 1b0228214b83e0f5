import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { DeclaredProtocol } from '../../protocol/index.ts';
import { explainIssues } from '../explain-issues.ts';
import type { Finding, Problem } from '../problem.ts';
import { readMessages, readText } from '../read.ts';
import { LARGEST_MESSAGES, readDocument } from '../read-document.ts';
import type { Report } from '../report.ts';
import { messagesOfPack, PACK_FILE, type PackPlace } from './find-pack.ts';
import { framesShape, type PackFrame, type PackKeys, packShape } from './shape.ts';

const FRAMES_FILE = 'frames.json';

/** A trace of a pack, and what its replay must print. */
export interface PackTrace {
  readonly trace: string;
  readonly golden: string;
}

/** A pack, read and checked: what it is for, its messages, its frames, its traces. */
export interface Pack extends PackKeys {
  readonly place: PackPlace;
  readonly protocol: DeclaredProtocol;
  readonly frames: readonly PackFrame[];
  readonly traces: readonly PackTrace[];
}

/** A pack as far as it could be read. */
export interface ReadPack {
  /** Absent where any problem is an error. */
  readonly pack?: Pack;
  readonly problems: readonly Problem[];
}

/** Reads a pack. Rejects with `config_unreadable` where one of its files is not there. */
export async function readPack(place: PackPlace): Promise<ReadPack> {
  const head = await readKeys(place);
  const { protocol, problems } = await readMessages(messagesOfPack(place));
  const sources = Object.keys(head.keys?.sources ?? {});
  const frames = readFrames(await textOf(place, FRAMES_FILE), join(place.folder, FRAMES_FILE), sources);
  const all = [...head.problems, ...problems, ...frames.problems];
  const wrong = all.some(({ severity }) => severity === 'error');
  if (wrong || head.keys === undefined || protocol === undefined || frames.frames === undefined)
    return { problems: all };
  return {
    pack: { ...head.keys, place, protocol, frames: frames.frames, traces: await tracesOf(place) },
    problems: all,
  };
}

/** What a pack says of itself, and nothing else of it. */
export async function readKeys(
  place: PackPlace,
): Promise<{ readonly keys?: PackKeys; readonly problems: readonly Problem[] }> {
  const file = join(place.folder, PACK_FILE);
  const { value, problems } = readShape(await textOf(place, PACK_FILE), file, packShape, (keys, report) => {
    // npm packages have a prefix, and may have a scope.
    if (keys.name === place.name || place.name.endsWith(`/${keys.name}`)) return;
    report.add({
      code: 'config_conflict',
      path: ['name'],
      message: `The pack lies in a folder for "${place.name}".`,
      fix: 'Give both the same name.',
    });
  });
  return value === undefined ? { problems } : { keys: value, problems };
}

const textOf = ({ folder }: PackPlace, file: string): Promise<string> =>
  readText(join(folder, file), join(folder, file), 'docs/reference/packs.md');

function readFrames(
  text: string,
  file: string,
  sources: readonly string[],
): { readonly frames?: readonly PackFrame[]; readonly problems: readonly Problem[] } {
  const { value, problems } = readShape(text, file, framesShape, ({ frames }, report) => {
    for (const [index, frame] of frames.entries()) {
      for (const finding of findingsIn(frame, sources))
        report.add({ ...finding, path: ['frames', index, ...finding.path] });
    }
  });
  return value === undefined ? { problems } : { frames: value.frames, problems };
}

/** What the keys of a frame mean together. */
function findingsIn(frame: PackFrame, sources: readonly string[]): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (path: readonly string[], message: string, fix: string): void =>
    void findings.push({ code: 'config_bad_value', path, message, fix });
  if ((frame.hex === undefined) === (frame.text === undefined)) {
    add([], 'A frame has either `hex` or `text`.', 'Write its bytes in one of the two.');
  }
  if (!sources.includes(frame.source)) {
    const known = sources.join(', ') || 'none';
    add(
      ['source'],
      'There is no such source in pack.yaml.',
      `Add it to \`sources:\` there; it has ${known}.`,
    );
  }
  if ((frame.encode === false) !== (frame.reason !== undefined)) {
    add(
      [],
      'A frame that cannot be encoded has a reason, and no other has one.',
      'Write `"encode": false` and `"reason"` together.',
    );
  }
  return findings;
}

/** Reads a file of keys, and says of everything that does not fit where it stands. */
function readShape<T>(
  text: string,
  file: string,
  shape: z.ZodType<T>,
  further: (value: T, report: Report) => void,
): { readonly value?: T; readonly problems: readonly Problem[] } {
  // JSON is YAML, so that its problems have a place too.
  const read = readDocument(text, file, {
    begin: 'See docs/reference/packs.md for an example.',
    keys: [],
    largest: LARGEST_MESSAGES,
  });
  if ('problem' in read) return { problems: [read.problem] };
  const { report, root } = read;
  if (root === undefined) return { problems: report.finish().problems };
  const parsed = shape.safeParse(root, { reportInput: true });
  for (const finding of explainIssues(shape, parsed.error?.issues ?? [])) {
    report.add({
      ...finding,
      fix: finding.fix.replace('docs/reference/devices-yaml.md', 'docs/reference/packs.md'),
    });
  }
  if (parsed.success) further(parsed.data, report);
  const { problems } = report.finish();
  return parsed.success ? { value: parsed.data, problems } : { problems };
}

/** Every trace with the golden output of its name. */
async function tracesOf({ folder }: PackPlace): Promise<readonly PackTrace[]> {
  const names = (await readdir(folder)).filter((each) => each.endsWith('.trace')).sort();
  return names.map((each) => ({
    trace: join(folder, each),
    golden: join(folder, each.replace(/\.trace$/, '.golden.jsonl')),
  }));
}
