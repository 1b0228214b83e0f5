import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type EntryAddition, type PlannedAddition, readText, textHash } from '../../config/index.ts';
import type { FeedAddition } from '../../contract/index.ts';
import type { JsonObject } from '../../contract/wire/index.ts';
import { HeartwireError } from '../../errors.ts';
import type { Log } from '../../system/index.ts';

export interface ConfigWriterOptions {
  /** The file that the bridge runs from; no other is ever written. */
  readonly path: string;
  /** As people call it. */
  readonly name: string;
  /** The bridge reads the file again by itself. */
  readonly reloads: boolean;
  readonly log: Log;
  /** As `planAddition`, away from the event loop. */
  plan(path: string, name: string, addition: EntryAddition): Promise<PlannedAddition>;
}

/** Problems that one answer lists. */
const MOST_PROBLEMS = 50;

/** Adds entries to the configuration file of a bridge that runs: one at a time, whole or not at all. */
export class ConfigWriter {
  readonly #options: ConfigWriterOptions;
  #busy = false;

  constructor(options: ConfigWriterOptions) {
    this.#options = options;
  }

  /**
   * Says what an entry changes, and writes it where the file is still the one of `base`.
   *
   * @throws HeartwireError `config_busy`, `config_changed`, `config_unwritable`, and as `planAddition`
   */
  async add(addition: FeedAddition, address: string): Promise<JsonObject> {
    if (this.#busy) throw new HeartwireError('config_busy', 'Another change of the file is being made.');
    this.#busy = true;
    try {
      return await this.#add(addition, address);
    } finally {
      this.#busy = false;
    }
  }

  async #add({ base, section, lines }: FeedAddition, address: string): Promise<JsonObject> {
    const { path, name, reloads, log, plan } = this.#options;
    // What came through a pipe is gone from it.
    const kind = await stat(path).catch(() => undefined);
    if (kind !== undefined && !kind.isFile())
      throw new HeartwireError('config_not_a_file', `${name} is no file that can be written.`, {
        seen: name,
      });
    const planned = await plan(path, name, { section, lines });
    const { text, diff, problems } = planned;
    if (base !== undefined && base !== planned.base) throw changed(name);
    const written = base !== undefined && text !== undefined;
    if (written) {
      await replaceFile(path, name, text, base);
      log.info(
        { event: 'entry_added', section, address },
        `${name}: an entry of ${section} was added from ${address}`,
      );
    }
    return {
      file: name,
      base: planned.base,
      diff: diff.map((line): JsonObject => ({ ...line })),
      problems: problems.slice(0, MOST_PROBLEMS).map((problem): JsonObject => ({ ...problem })),
      written,
      reloads,
    };
  }
}

/**
 * Puts a text in the place of the one whose hash is `base`: a reader sees the old file or the new one, and a symbolic link
 * stays one. The file keeps its mode, and its owner where this user may give it.
 */
async function replaceFile(path: string, name: string, text: string, base: string): Promise<void> {
  let fresh: string | undefined;
  try {
    const target = await realpath(path);
    const { mode, uid, gid, nlink } = await stat(target);
    await access(target, constants.W_OK);
    // Another name of the file would go on with the old text.
    if (nlink > 1) throw new Error('the file has more than one name (hard links)');
    fresh = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`);
    await writeWhole(fresh, text, { mode, uid, gid });
    // As late as can be: what an editor saved meanwhile is not to be lost.
    if (textHash(await readText(path, name)) !== base) throw changed(name);
    await rename(fresh, target);
    fresh = undefined;
    await syncFolder(dirname(target));
  } catch (cause) {
    if (cause instanceof HeartwireError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HeartwireError('config_unwritable', `${name} could not be written: ${why}.`, {
      seen: name,
      cause,
    });
  } finally {
    if (fresh !== undefined) await rm(fresh, { force: true }).catch(() => undefined);
  }
}

async function writeWhole(
  path: string,
  text: string,
  { mode, uid, gid }: { readonly mode: number; readonly uid: number; readonly gid: number },
): Promise<void> {
  // Closed to others until it has the mode of the file that it replaces.
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(text);
  await file.chown(uid, gid).catch(() => undefined);
  await file.chmod(mode & 0o7777);
  await file.sync();
}

/** The new name survives a power cut; not every system can do so for a folder. */
async function syncFolder(path: string): Promise<void> {
  try {
    await using folder = await open(path, 'r');
    await folder.sync();
  } catch {
    // The file itself is complete either way.
  }
}

const changed = (name: string): HeartwireError =>
  new HeartwireError(
    'config_changed',
    `${name} has changed since the change was shown; nothing was written.`,
    {
      seen: name,
    },
  );
