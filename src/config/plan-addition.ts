import { createHash } from 'node:crypto';
import { HeartwireError } from '../errors.ts';
import { parseLinkAddress } from '../links/index.ts';
import { addEntry, type EntryAddition } from './add-entry.ts';
import { type DiffLine, lineDiff } from './line-diff.ts';
import { namedMessageFiles } from './message-files.ts';
import { packNamed } from './packs/find-pack.ts';
import type { Problem } from './problem.ts';
import { checkConfigText, readText } from './read.ts';
import { LARGEST_CONFIG, largerThan } from './read-document.ts';
import { checkNesting, isKeyed, readYaml } from './yaml-source.ts';

/** What an addition comes to, before anything is written. */
export interface PlannedAddition {
  /** Names the text that the plan starts from. */
  readonly base: string;
  /** The new text; absent where a problem is an error. */
  readonly text?: string;
  readonly diff: readonly DiffLine[];
  /** Of the new text, as `heartwire check` finds them; where the lines themselves cannot be read, of the lines. */
  readonly problems: readonly Problem[];
}

/** Names one version of the text of a configuration. */
export const textHash = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Works out what an entry makes of the configuration at `path`, and checks it; writes nothing.
 *
 * @throws HeartwireError `config_unreadable`, `config_too_large`, `config_not_editable`, `config_names_file`
 */
export async function planAddition(
  path: string,
  name: string,
  addition: EntryAddition,
): Promise<PlannedAddition> {
  const before = await readText(path, name);
  const base = textHash(before);
  const found = checkNesting(before) === undefined ? readYaml(before).value : undefined;
  // A text that is no YAML has no place for an entry: what is wrong with it comes first.
  if (found === undefined)
    return { base, diff: [], problems: (await checkConfigText(before, path, name)).problems };
  const added = addEntry(before, addition);
  if ('problems' in added) return { base, diff: [], problems: added.problems };
  const { text } = added;
  const size = Buffer.byteLength(text);
  if (size > LARGEST_CONFIG)
    throw new HeartwireError('config_too_large', `With the entry: ${largerThan(size, LARGEST_CONFIG)}.`, {
      fix: 'Remove what is not needed from the file.',
    });
  refuseNewFiles(found, readYaml(text).value, addition.section);
  const diff = lineDiff(before, text);
  const { problems } = await checkConfigText(text, path, name);
  const wrong = problems.some(({ severity }) => severity === 'error');
  return { base, diff, problems, ...(wrong ? {} : { text }) };
}

/** An entry from outside makes the bridge neither read nor make a file that the configuration does not name already. */
function refuseNewFiles(before: unknown, after: unknown, section: string): void {
  const known = new Set(namedMessageFiles(before));
  const file = namedMessageFiles(after).find((each) => packNamed(each) === undefined && !known.has(each));
  const list = isKeyed(after) ? after[section] : undefined;
  const entry: unknown = Array.isArray(list) ? list.at(-1) : undefined;
  const { link, expose }: Record<string, unknown> = isKeyed(entry) ? entry : {};
  const trace = [link].flat().find((each) => {
    const parsed = typeof each === 'string' ? parseLinkAddress(each) : undefined;
    return parsed?.ok === true && parsed.value.scheme === 'replay';
  });
  const named = file ?? trace ?? (expose === undefined ? undefined : 'expose');
  if (named === undefined) return;
  const seen = String(named).slice(0, 100);
  throw new HeartwireError('config_names_file', `The entry names \`${seen}\`, which the file does not yet.`, {
    seen,
    fix: 'Use `pack:NAME` or messages that the file names already, or add the entry with an editor.',
  });
}
