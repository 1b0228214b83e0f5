import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type FoundPartial, RECORD_LENGTH, readRecord } from '../core/partial-upload.ts';
import { readUploadName } from './upload-name.ts';
import { PART, RECORD } from './upload-part.ts';

/** A half in the folder, by the name that the file shall have. */
export interface PartialOnDisk extends FoundPartial {
  readonly id: string;
}

/** The half that lies in the folder under a name; undefined where there is none that could go on, whatever is wrong with it. */
export async function findPartial(
  dir: string,
  id: string,
  wallMs: number,
): Promise<PartialOnDisk | undefined> {
  const name = readUploadName(id);
  if (name === undefined) return undefined;
  const path = join(dir, id);
  try {
    const [part, note] = await Promise.all([lstat(`${path}${PART}`), lstat(`${path}${RECORD}`)]);
    if (!part.isFile() || !note.isFile() || note.size !== RECORD_LENGTH) return undefined;
    const record = readRecord(await textOf(`${path}${RECORD}`));
    // Where the clock was set back meanwhile, it is as young as can be.
    const ageMs = Math.max(0, wallMs - note.mtimeMs);
    return record && { id, ...name, record, fileBytes: part.size, ageMs };
  } catch {
    // Gone, or not to be read: nothing to go on from.
    return undefined;
  }
}

async function textOf(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(RECORD_LENGTH);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
