import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WriteQueue } from '../../src/links/write-queue.ts';

const MIB = 1024 * 1024;

/** A stream whose other side reads only when it is told to. */
function stalled() {
  const waiting: Array<() => void> = [];
  const stream = new Writable({
    write: (_chunk, _encoding, done) => void waiting.push(done),
    writev: (_chunks, done) => void waiting.push(done),
  });
  return { queue: new WriteQueue(stream), read: () => waiting.shift()?.(), waiting };
}

describe('what waits for one link', () => {
  it('is at most 16 MiB, and room again once the other side has read', async () => {
    const { queue, read, waiting } = stalled();
    for (let count = 0; count < 15; count++) expect(queue.send(new Uint8Array(MIB))).toBe('accepted');
    expect(queue.send(new Uint8Array(MIB + 1))).toBe('link_queue_full');
    expect(queue.send(new Uint8Array(MIB))).toBe('accepted');
    expect(queue.send(new Uint8Array(1))).toBe('link_queue_full');
    expect(queue.queued).toBe(16);
    await expect.poll(() => waiting.length).toBe(1);
    read();
    await expect.poll(() => queue.queued).toBe(0);
    expect(queue.send(new Uint8Array(MIB))).toBe('accepted');
  });

  it('may be one frame of more', () => {
    const { queue } = stalled();
    expect(queue.send(new Uint8Array(17 * MIB))).toBe('accepted');
    expect(queue.send(new Uint8Array(1))).toBe('link_queue_full');
  });

  it('counts each frame of a tick, however they are handed over', async () => {
    const { queue, read, waiting } = stalled();
    for (const size of [10, 10, 20_000, 20_000]) queue.send(new Uint8Array(size));
    expect(queue.queued).toBe(4);
    await expect.poll(() => waiting.length).toBe(1);
    queue.send(new Uint8Array(1));
    expect(queue.queued).toBe(5);
    read();
    await expect.poll(() => queue.queued).toBe(1);
    await expect.poll(() => waiting.length).toBe(1);
    read();
    await expect.poll(() => queue.queued).toBe(0);
  });
});

describe('frames of one tick', () => {
  it.each<[string, readonly number[]]>([
    ['one', [5]],
    ['small ones', [5, 1, 300]],
    ['large ones', [5, 40_000, 1]],
  ])('go to the stream in their order, at the end of the tick: %s', async (_, sizes) => {
    const pieces: Buffer[] = [];
    let calls = 0;
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        calls++;
        pieces.push(chunk);
        done();
      },
      writev: (chunks, done) => {
        calls++;
        pieces.push(...chunks.map(({ chunk }) => chunk as Buffer));
        done();
      },
    });
    const queue = new WriteQueue(stream);
    const frames = sizes.map((size, index) => Buffer.alloc(size, index + 1));
    for (const frame of frames) queue.send(frame);
    expect(calls).toBe(0);
    await expect.poll(() => queue.queued).toBe(0);
    expect(calls).toBe(1);
    expect(Buffer.concat(pieces)).toEqual(Buffer.concat(frames));
  });

  it('are handed over before the stream is ended', async () => {
    const { queue, waiting } = stalled();
    queue.send(new Uint8Array(1));
    queue.flush();
    queue.flush();
    expect(waiting).toHaveLength(1);
    await expect.poll(() => waiting.length).toBe(1);
  });
});
