import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HeartwireError } from '../../src/errors.ts';
import { openTrace } from '../../src/links/trace-file.ts';
import { traceFixture } from '../../src/testing/index.ts';
import type { TraceEvent } from '../../src/trace/event.ts';

const plain = readFileSync(new URL('../../fixtures/traces/takeover.trace', import.meta.url));
const packed = gzipSync(plain);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** What becomes of a file, read piece by piece and as a whole: events and warnings, or the code of the error. */
async function outcomes(bytes: Uint8Array) {
  const path = join(folder, 'x.trace.gz');
  await writeFile(path, bytes);
  const coded = (error: unknown) => {
    if (error instanceof HeartwireError && error.message.includes('x.trace.gz')) return error.code;
    throw error;
  };
  const events: TraceEvent[] = [];
  const warnings: string[] = [];
  const streamed = await (async () => {
    const source = await openTrace(path, path, (text) => void warnings.push(text));
    for await (const piece of source.events) events.push(...piece);
    return { events, warnings };
  })().catch(coded);
  let whole: ReturnType<typeof traceFixture> | string;
  try {
    whole = traceFixture(path);
  } catch (error) {
    whole = coded(error);
  }
  return [streamed, whole] as const;
}

const right = traceFixture(new URL('../../fixtures/traces/takeover.trace', import.meta.url)).events;

it('a packed trace is whole', async () => {
  for (const outcome of await outcomes(packed))
    expect(outcome).toMatchObject({ events: right, warnings: [] });
});

it('a packed trace that is cut at any byte is told to be', async () => {
  for (let length = 0; length < packed.length; length++) {
    for (const outcome of await outcomes(packed.subarray(0, length))) {
      const told = typeof outcome === 'string' || outcome.warnings.length > 0;
      expect(told, `${length} bytes`).toBe(true);
    }
  }
});

it('a packed trace that is damaged at any byte is told to be, or comes out right', async () => {
  for (let at = 0; at < packed.length; at++) {
    const damaged = Uint8Array.from(packed);
    damaged[at] = (damaged[at] ?? 0) ^ 0xff;
    for (const outcome of await outcomes(damaged)) {
      if (typeof outcome === 'string' || outcome.warnings.length > 0) continue;
      expect(outcome.events, `byte ${at}`).toEqual(right);
    }
  }
});

it('of a packed trace that is cut, the lines that are whole are read', async () => {
  const text = plain.toString();
  const [streamed] = await outcomes(gzipSync(text).subarray(0, -40));
  expect(streamed).toMatchObject({ warnings: [expect.stringContaining('cut short')] });
  if (typeof streamed !== 'string') expect(right).toEqual(expect.arrayContaining([...streamed.events]));
});
