import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HeartwireError } from '../../errors.ts';
import { inPackage, suggest } from '../../system/index.ts';

/** What stands in front of the name of a pack where a file of messages could be named. */
const PREFIX = 'pack:';

/** Packs of other makers are npm packages with this in front of their name. */
const PACKAGE_PREFIX = 'heartwire-pack-';

/** The file that makes a folder a pack. */
export const PACK_FILE = 'pack.yaml';

/** Where a pack lies. */
export interface PackPlace {
  readonly name: string;
  readonly folder: string;
  /** It came with Heartwire; else it is an npm package. */
  readonly shipped: boolean;
}

/** The messages of a pack. */
export const messagesOfPack = ({ folder }: PackPlace): string => join(folder, 'messages.yaml');

/** The name of the pack that a value of `messages:` names; undefined where it names a file. */
export function packNamed(messages: string): string | undefined {
  return messages.startsWith(PREFIX) ? messages.slice(PREFIX.length) : undefined;
}

/** The folder of the packs that come with Heartwire. */
export const shippedPacks = (): string => inPackage('packs');

/**
 * The pack of this name: one that came with Heartwire, else an npm package in `node_modules` of a folder or of one above
 * it.
 *
 * @throws HeartwireError `pack_unknown`, with the names that come near
 */
export async function findPack(name: string, from: string, shipped = shippedPacks()): Promise<PackPlace> {
  if (!/^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/.test(name)) {
    throw new HeartwireError('pack_unknown', `${JSON.stringify(name)} is no name of a pack.`, {
      seen: name,
      fix: 'Write pack:NAME, with a name that `heartwire packs` lists.',
    });
  }
  if (!name.startsWith('@') && (await isPack(join(shipped, name)))) {
    return { name, folder: join(shipped, name), shipped: true };
  }
  for (const modules of modulesAbove(from)) {
    for (const each of packagesOf(name)) {
      const folder = join(modules, each);
      if (await isPack(folder)) return { name, folder, shipped: false };
    }
  }
  throw unknownPack(name, await listPacks(from, shipped));
}

/** All packs that can be named from a folder, by their names. */
export async function listPacks(from: string, shipped = shippedPacks()): Promise<readonly PackPlace[]> {
  const found = new Map<string, PackPlace>();
  const add = async (name: string, folder: string, own: boolean): Promise<void> => {
    if (!found.has(name) && (await isPack(folder))) found.set(name, { name, folder, shipped: own });
  };
  for (const { name } of await entriesOf(shipped)) await add(name, join(shipped, name), true);
  for (const modules of modulesAbove(from)) {
    for (const { name } of await entriesOf(modules)) {
      if (name.startsWith(PACKAGE_PREFIX)) await add(nameOf(name), join(modules, name), false);
      if (!name.startsWith('@')) continue;
      for (const scoped of await entriesOf(join(modules, name))) {
        await add(`${name}/${nameOf(scoped.name)}`, join(modules, name, scoped.name), false);
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const nameOf = (packageName: string): string =>
  packageName.startsWith(PACKAGE_PREFIX) ? packageName.slice(PACKAGE_PREFIX.length) : packageName;

/** The npm packages that may hold a pack, in the order in which they are tried. */
function packagesOf(name: string): readonly string[] {
  const [scope, own] = name.startsWith('@') ? name.split('/') : [undefined, name];
  if (scope === undefined) return [`${PACKAGE_PREFIX}${own}`];
  return [`${scope}/${PACKAGE_PREFIX}${own}`, name];
}

/** As Node finds packages: in the folder itself, then in those above it. */
function* modulesAbove(from: string): Generator<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    yield join(folder, 'node_modules');
    if (folder === dirname(folder)) return;
  }
}

/** Folders, and links that may lead to one; none where it is not there or may not be read. */
async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  const all = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
  return all.filter((each) => each.isDirectory() || each.isSymbolicLink());
}

async function isPack(folder: string): Promise<boolean> {
  const found = await stat(join(folder, PACK_FILE)).catch(() => undefined);
  return found?.isFile() === true;
}

/** So many names are listed where none comes near. */
const MOST_LISTED = 12;

function unknownPack(name: string, packs: readonly PackPlace[]): HeartwireError {
  const names = packs.map((each) => each.name);
  const parts = names.filter((each) => each.includes(name) || each.split('-').some((part) => part === name));
  const near = suggest(name, names) ?? parts[0];
  const listed = names.slice(0, MOST_LISTED).join(', ');
  const list = names.length > MOST_LISTED ? `${listed} and others` : listed || 'none';
  const npm = packagesOf(name).map((each) => `\`${each}\``);
  return new HeartwireError('pack_unknown', `There is no pack "${name}".`, {
    seen: name,
    fix:
      near === undefined
        ? `There are ${list}; of another maker, install ${npm.join(' or ')} beside the configuration.`
        : `Did you mean pack:${near}? \`heartwire packs\` lists them all.`,
  });
}
