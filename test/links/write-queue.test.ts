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
});
