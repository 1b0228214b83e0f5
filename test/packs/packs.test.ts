import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { Pack } from '../../src/config/packs/read-pack.ts';
import type { PackFrame } from '../../src/config/packs/shape.ts';
import { readShippedPacks } from '../../src/config/packs/tables.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { readConfig } from '../../src/config/read.ts';
import { payloadJudge } from '../../src/protocol/declared/payload-judge.ts';
import type { Values } from '../../src/protocol/declared/value.ts';
import { hexText } from '../../src/protocol/describe.ts';
import { makeFraming } from '../../src/protocol/framing/make-framing.ts';
import { runCli } from '../cli/check-io.ts';
import { bytesOf, CollectingSink } from '../protocol/framing/collecting-sink.ts';

/**
 * Every pack that comes with Heartwire, against what its makers publish. Bytes are taken from `frames.json` here, and
 * not by the code that `heartwire packs --check` uses.
 */
const packs = await readShippedPacks();

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-packs-'));
});
afterAll(() => rm(folder, { recursive: true }));

const wireOf = ({ hex, text }: PackFrame): Uint8Array =>
  text === undefined ? bytesOf(hex ?? '') : new TextEncoder().encode(text);

/** Payloads that come out of a stream that is cut at these places. */
function payloadsOf(
  { protocol }: Pack,
  { from }: PackFrame,
  wire: Uint8Array,
  cuts: readonly number[],
): readonly string[] {
  const sink = new CollectingSink();
  const framing = makeFraming(protocol.declaration.framing, from === 'host' ? 'device' : 'host');
  const decoder = framing.makeDecoder(sink, { line: 'stream', judge: payloadJudge(protocol, from) });
  for (const [index, at] of [0, ...cuts].entries()) decoder.push(wire.slice(at, cuts[index] ?? wire.length));
  decoder.idle();
  decoder.close();
  expect(sink.events).toEqual(sink.frames);
  return sink.frames;
}

/** A reply is the one that was asked for: with registers, others may look like it. */
const expectation = ({ kind, message }: PackFrame) => ({
  sent: [],
  replies: kind === 'reply' ? [{ message, same: {} }] : [],
  awaited: [],
});

test('there are packs', () => {
  expect(packs.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['elm327', 'slcan', 'daly-bms', 'dlt645', 'eastron-sdm', 'jbd-bms', 'mh-z19']),
  );
});

describe.each(packs.map((pack) => [pack.name, pack] as const))('%s', (name, pack) => {
  const { protocol, frames } = pack;
  const speaking = ({ address }: PackFrame) => (address === undefined ? protocol : protocol.at(address));

  it('has published frames of both sides or of the one that talks, a trace, and a source for each frame', () => {
    expect(frames.length).toBeGreaterThan(0);
    expect(pack.traces.length).toBeGreaterThan(0);
    expect(Object.keys(pack.sources).sort()).toEqual([...new Set(frames.map(({ source }) => source))].sort());
  });

  it.each(frames.map((frame, index) => ({ index, ...frame })))('$index: $message $kind decodes', (frame) => {
    const wire = wireOf(frame);
    const [payload = '', ...others] = payloadsOf(pack, frame, wire, []);
    expect(others).toEqual([]);
    for (let at = 1; at < wire.length; at++) expect(payloadsOf(pack, frame, wire, [at])).toEqual([payload]);
    const bytes = bytesOf(payload);
    const decoded = speaking(frame).decode(
      bytes,
      0,
      bytes.length,
      frame.from,
      expectation(frame),
      protocol.kindOf(frame.message),
    );
    expect(decoded).toMatchObject({ name: 'declared', message: frame.message, kind: frame.kind });
    if (decoded.name !== 'declared') return;
    expect(decoded.fields).toEqual(frame.fields);
    expect(decoded.issues.map(({ field }) => field)).toEqual(frame.issues ?? []);
    if (decoded.kind === 'reply') expect(decoded.error).toBe(frame.error ?? 0);
  });

  it.each(frames.filter(({ encode }) => encode !== false))('$message $kind encodes to $hex', (frame) => {
    const { message, kind, error = 0 } = frame;
    const fields = frame.fields as Values; // as JSON holds them
    const encoded =
      kind === 'reply'
        ? speaking(frame).encodeReply(message, error, fields)
        : speaking(frame).encode(message, fields);
    const framing = makeFraming(protocol.declaration.framing, frame.from === 'device' ? 'device' : 'host');
    expect(hexText(framing.encode(encoded, protocol.kindOf(message)))).toBe(hexText(wireOf(frame)));
  });

  it.each(pack.traces)('$trace comes to its golden output', async ({ trace, golden }) => {
    const argv = ['replay', trace, '--messages', `pack:${name}`, '--expect', golden];
    const { code, out, err } = await runCli(argv, folder);
    expect([code, err, out]).toEqual([0, '', expect.stringContaining('as expected')]);
    expect(basename(golden)).toBe(basename(trace).replace('.trace', '.golden.jsonl'));
    expect(readFileSync(golden, 'utf8')).toContain('"received"');
  });

  it('shows an example in which nothing is wrong', async () => {
    const path = join(folder, 'devices.yaml');
    await writeFile(path, pack.example);
    const { config, problems } = await readConfig(path, 'devices.yaml');
    expect(problems.map(formatProblem)).toEqual([]);
    expect((config?.devices.length ?? 0) + (config?.listeners.length ?? 0)).toBeGreaterThan(0);
    expect(pack.example).toContain(`pack:${name}`);
  });

  it('is right by its own check too', async () => {
    const { code, out } = await runCli(['packs', name, '--check'], folder);
    expect([code, out]).toEqual([0, expect.stringContaining('as published')]);
  });
});

test('devices that dial in have packs that declare their session', () => {
  const declared = packs.filter(({ protocol: { declaration } }) => {
    const { session, hello } = declaration;
    return session?.login !== undefined || hello !== undefined;
  });
  const names = declared.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['gt06', 'jt808-2013', 'jt808-2019', 'teltonika']));
});
