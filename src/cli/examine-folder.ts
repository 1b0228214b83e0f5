import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ErrorCode } from '../errors.ts';
import { bad, type Finding, good } from './examine.ts';

/** Whether a folder is there and may be written to, or can be made. Nothing is made. `named`: where it is given. */
export async function examineFolder(
  about: string,
  dir: string,
  code: ErrorCode,
  named = `\`${about}.dir\``,
): Promise<Finding> {
  for (let path = dir; ; path = dirname(path)) {
    const found = await stat(path).catch((cause: NodeJS.ErrnoException) => cause);
    // Where there is a file on the way to it, that is found further up.
    if (found instanceof Error) {
      const missing = found.code === 'ENOENT' || found.code === 'ENOTDIR';
      if (missing && dirname(path) !== path) continue;
      return bad(about, { code, detail: `${path} cannot be looked at (${found.code}).` });
    }
    if (!found.isDirectory()) {
      const detail = `${path} is no folder. Take it away, or name another folder as ${named}.`;
      return bad(about, { code, detail });
    }
    try {
      await access(path, constants.W_OK | constants.X_OK);
    } catch {
      const detail = `This user may not write to ${path}. Change its owner, or name another folder as ${named}.`;
      return bad(about, { code, detail });
    }
    return good(about, path === dir ? `${dir} may be written to.` : `${dir} will be made.`);
  }
}
