import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { RecordedIo } from '../support/recorded-io.ts';

const TRACE = `#heartwire-trace 1\n#start 2026-01-01T00:00:00.000Z\n#meta role=server dial=in\n0 c1 = open 10.0.0.7:1\n${'+0.01 c1 < 0000000101\n'.repeat(20_000)}`;

/** Its output is read only when the test says so. */
class SlowIo extends RecordedIo {
  #taken: (() => void) | undefined;
  waits = 0;

  readonly drained = (): Promise<void> => {
    this.waits++;
    if (this.outClosed.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#taken = resolve;
    });
  };

  take(): void {
    this.#taken?.();
  }
}

let folder = '';
let io: SlowIo;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-slow-'));
  await writeFile(join(folder, 'a.trace'), TRACE);
  io = new SlowIo(folder);
});
afterEach(() => rm(folder, { recursive: true }));

describe.each([[['export', 'a.trace', '--to', 'csv']], [['replay', 'a.trace']]])('%j', (argv) => {
  it('waits for its reader before it reads on', async () => {
    let over = false;
    const ended = main(argv, io).finally(() => {
      over = true;
    });
    for (let waits = 1; !over; waits++) {
      await expect.poll(() => over || io.waits === waits).toBe(true);
      io.take();
    }
    expect(await ended).toBe(0);
    expect(io.waits).toBeGreaterThan(3);
  });

  it('ends where nobody reads it any more', async () => {
    const ended = main(argv, io);
    await expect.poll(() => io.waits).toBe(1);
    io.closeOut();
    io.take();
    await ended;
    expect(io.printed.split('\n').length).toBeLessThan(10_000);
  });
});
