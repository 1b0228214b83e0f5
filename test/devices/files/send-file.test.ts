import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { type FileSource, uploadFile } from '../../../src/devices/files/send-file.ts';
import type { Values } from '../../../src/protocol/declared/value.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A file that says how much of it was read at once. */
class Source implements FileSource {
  readonly #bytes: Uint8Array;
  largest = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.largest = Math.max(this.largest, length);
    return this.#bytes.subarray(offset, offset + length);
  }
}

it('every chunk says how long the whole file is and what its CRC is, where the message has fields for that', async () => {
  const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => (at * at) & 0xff);
  const source = new Source(bytes);
  const sent: Values[] = [];
  await uploadFile({
    source,
    chunks: { name: 'file_chunk', chunkBytes: 50_000, saysSize: true, saysCrc: true },
    transfer: 1,
    clock: new FakeClock(),
    request: async (_message, fields) => {
      sent.push(fields);
      return { ok: true, roundTripMs: 1, error: 0, fields: {} };
    },
  });
  expect(sent).toHaveLength(4);
  for (const [index, fields] of sent.entries()) {
    expect(fields).toMatchObject({ index, total: 4, size: 200_000, file_crc: crc32(bytes) });
  }
  expect(source.largest).toBe(65_536);
});
