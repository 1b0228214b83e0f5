import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';

/** A file that may not be read, or not to its end; the caller says which one, and with which code. */
export class FileRefusal extends Error {
  readonly reason: 'kind' | 'size';

  constructor(reason: FileRefusal['reason'], message: string) {
    super(message);
    this.name = 'FileRefusal';
    this.reason = reason;
  }
}

/** Tokens, keys and certificates are shorter by far. */
export const LARGEST_SECRET = 1024 * 1024;

/** What this process was given is there already: a pipe with a writer, or a terminal. */
const GIVEN = /^\/(?:dev\/(?:stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/;

/**
 * Opens a file to be read. A pipe would wait for a writer, a device might never end: they are refused at once,
 * but for what the process was given (`/dev/stdin`). A folder is opened; reading it is what fails.
 * @throws FileRefusal, and errors of the file system
 */
export async function openRegular(path: string): Promise<FileHandle> {
  if (GIVEN.test(path)) return open(path, 'r');
  refuse(await stat(path));
  // It may be another one by now: this open does not wait. Windows has no such flag, and no such pipes.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    refuse(await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** All that a file holds, where that is at most so many bytes. @throws FileRefusal, and errors of the file system */
export async function readRegular(path: string, most: number): Promise<Buffer> {
  await using file = await openRegular(path);
  const { size } = await file.stat();
  if (size > most) throw tooLarge(size, most);
  const pieces: Buffer[] = [];
  let length = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(most + 1, PIECE)));
    if (bytesRead === 0) return Buffer.concat(pieces);
    pieces.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
    // It may have grown, or have no size of its own.
    if (length > most) throw tooLarge(length, most);
  }
}

const PIECE = 256 * 1024;

type Kind = Pick<Awaited<ReturnType<typeof stat>>, 'isFile' | 'isDirectory' | 'isFIFO' | 'isSocket'>;

function refuse(found: Kind): void {
  if (found.isFile() || found.isDirectory()) return;
  const what = found.isFIFO() ? 'a pipe' : found.isSocket() ? 'a socket' : 'a device';
  throw new FileRefusal('kind', `it is ${what}, not a regular file`);
}

function tooLarge(size: number, most: number): FileRefusal {
  return new FileRefusal('size', `it has ${size} bytes, and at most ${most} are read`);
}

/**
 * Writes so many bytes, however few of them each call of `write` takes: a disk that is nearly full takes the beginning,
 * and says what is wrong with the rest only when that is written. Rejects where nothing at all is taken any more.
 */
export async function writeAll(
  length: number,
  write: (at: number, length: number) => Promise<number>,
): Promise<void> {
  for (let done = 0; done < length; ) {
    const written = await write(done, length - done);
    if (written <= 0) throw new Error(`the disk took ${done} of ${length} bytes, and then nothing more`);
    done += written;
  }
}
