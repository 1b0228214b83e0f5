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
