import type { StatsFs } from 'node:fs';
import { readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ErrorCode } from '../errors.ts';
import { blocksOf } from '../system/disk-budget.ts';
import { bad, type Finding } from './examine.ts';

export interface RoomWanted {
  readonly budgetBytes: number;
  readonly maxFiles: number;
}

const MIB = 1024 * 1024;

/** Whether the disk of a folder has room for its budget; undefined where it has, or does not say. */
export async function examineRoom(
  about: string,
  dir: string,
  code: ErrorCode,
  { budgetBytes, maxFiles }: RoomWanted,
): Promise<Finding | undefined> {
  const disk = await diskOf(dir);
  if (disk === undefined) return undefined;
  const { bytes, files } = await usedBy(dir);
  const freeBytes = disk.bavail * disk.bsize + bytes;
  if (freeBytes < budgetBytes) {
    const detail = `${about}.budget_mb is ${mib(budgetBytes)}, and the disk of ${dir} has room for ${mib(freeBytes)}. Lower it, or free space.`;
    return bad(about, { code, detail });
  }
  // A file system without a table of files says 0 of both.
  const freeFiles = disk.files === 0 ? Number.POSITIVE_INFINITY : disk.ffree + files;
  if (freeFiles >= maxFiles) return undefined;
  const detail = `${about}.max_files is ${maxFiles}, and the disk of ${dir} has room for ${freeFiles} files. Lower it, or remove files.`;
  return bad(about, { code, detail });
}

/** That of the folder, or of the first one above it that is there. */
async function diskOf(dir: string): Promise<StatsFs | undefined> {
  for (let path = dir; ; path = dirname(path)) {
    try {
      return await statfs(path);
    } catch {
      // It is not there yet, or may not be looked at, which is found elsewhere.
      if (dirname(path) === path) return undefined;
    }
  }
}

async function usedBy(dir: string): Promise<{ readonly bytes: number; readonly files: number }> {
  // A folder that is not there has nothing in it; one that may not be read is found elsewhere.
  const names = await readdir(dir).catch((): string[] => []);
  let bytes = 0;
  let files = 0;
  for (const name of names) {
    const found = await stat(join(dir, name)).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    bytes += blocksOf(found.size);
    files += 1;
  }
  return { bytes, files };
}

const mib = (bytes: number): string => `${Math.floor(bytes / MIB)} MiB`;
