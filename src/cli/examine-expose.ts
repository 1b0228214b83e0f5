import { constants } from 'node:fs';
import { access, lstat, readlink, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type ExposeAddress, placeLabel } from '../links/index.ts';
import { bad, examineListening, type Finding, good } from './examine.ts';

/** Whether other programs could use the port of a device at a place. Nothing is made. */
export async function examineExpose(about: string, place: ExposeAddress, cwd: string): Promise<Finding> {
  if (place.kind === 'pty') return examinePtyPath(about, resolve(cwd, place.path));
  const { host, port } = place;
  const finding = await examineListening(about, { scheme: 'tcp-listen', host, port });
  return finding.code === undefined ? good(about, `${placeLabel(place)} is free to be exposed.`) : finding;
}

async function examinePtyPath(about: string, path: string): Promise<Finding> {
  const failed = (detail: string): Finding => bad(about, { code: 'expose_failed', detail });
  const folder = dirname(path);
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) {
    return failed(`The folder of the pty ${path} is not there. Create ${folder}, or name another path.`);
  }
  if (!found.isDirectory())
    return failed(`${folder} is no folder, so ${path} cannot be made. Name another path.`);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch {
    return failed(
      `The pty ${path} cannot be made: this user may not write to ${folder}. Give it the right, or name another path.`,
    );
  }
  const taken = await lstat(path).catch(() => undefined);
  if (taken === undefined) return good(about, `The pty ${path} can be made.`);
  // As the bridge does: the name of an earlier run, or of one that runs now, is replaced.
  if (taken.isSymbolicLink() && /^\/dev\/(pts\/|ttys)\d+$/.test(await readlink(path)))
    return good(about, `${path} is the name of a pty, and is replaced.`);
  return failed(`${path} is there already, and is no link to a pty. Remove it, or choose another path.`);
}
