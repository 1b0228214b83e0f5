import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readCapture } from '../../src/capture/capture-reader.ts';
import { type ExportRow, RowMaker } from '../../src/capture/export-rows.ts';
import { DEFAULT_PROTOCOL } from '../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import type { FramingDeclaration } from '../../src/protocol/framing/declaration.ts';
import { toHex } from '../../src/trace/bytes-text.ts';
import type { TraceFact } from '../../src/trace/event.ts';
import { runCli } from '../cli/check-io.ts';
import { catalogue } from '../protocol/framing/catalogue.ts';
import { bytesOf } from '../protocol/framing/collecting-sink.ts';

/** One message of any bytes, in these frames. */
function anything(framing: FramingDeclaration): DeclaredProtocol {
  const { id: _, ...rest } = DEFAULT_PROTOCOL;
  const fields = [{ name: 'data', type: 'bytes', length: 'rest' }] as const;
  return new DeclaredProtocol({
    ...rest,
    framing,
    messages: [{ name: 'anything', from: 'any', reply: 'none', fields }],
  });
}

function rowsOf(facts: readonly TraceFact[], messages: DeclaredProtocol, line: string): ExportRow[] {
  const rows = new RowMaker({ startMs: 0, meta: { session: 'none', line } }, messages);
  const made = facts.flatMap((fact, index) => rows.take({ atUs: index, connection: 'c1', fact, line: 0 }));
  return [...made, ...rows.finish()].filter(({ bytes }) => bytes !== undefined);
}

function* chunksOf(bytes: Uint8Array, size: number, kind: 'in' | 'out'): Generator<TraceFact> {
  for (let at = 0; at < bytes.length; at += size) yield { kind, bytes: bytes.slice(at, at + size) };
}

const SILENCE: TraceFact = { kind: 'life', word: 'idle', detail: '' };
const hexOf = ({ bytes }: ExportRow): string => toHex(bytes ?? new Uint8Array(0));

describe.each(catalogue)('frames of $name', ({ framing, frames }) => {
  const messages = anything(framing);
  const wires = frames.map(([, wire]) => bytesOf(wire));

  it.each([1, 3, 4_096])('are exported as they were on the wire, read in pieces of %i', (size) => {
    for (const kind of ['in', 'out'] as const) {
      const facts = wires.flatMap((wire) => [...chunksOf(wire, size, kind), SILENCE]);
      const rows = rowsOf(facts, messages, 'stream');
      expect(rows.map(hexOf)).toEqual(wires.map(toHex));
      expect(rows.every(({ what, direction }) => what === 'anything' && direction === kind)).toBe(true);
      expect(rows.map(({ fields }) => Object.keys(fields ?? {}))).toEqual(wires.map(() => ['data']));
    }
  });
});

it.each(catalogue.filter(({ resynchronises }) => resynchronises))(
  'frames of $name are found again behind noise, and no byte is lost',
  ({ framing, frames }) => {
    const noise = Uint8Array.of(0x11, 0x22, 0x33);
    const wires = frames.map(([, wire]) => bytesOf(wire));
    const facts: TraceFact[] = wires.flatMap((wire) => [
      { kind: 'in', bytes: noise },
      { kind: 'in', bytes: wire },
      SILENCE,
    ]);
    const rows = rowsOf(facts, anything(framing), 'serial');
    expect(rows.map(hexOf).join('')).toBe(wires.map((wire) => toHex(noise) + toHex(wire)).join(''));
  },
);

describe('heartwire export --messages', () => {
  const project = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

  it('knows the declared messages beside the built-in ones', async () => {
    const trace = project('fixtures/traces/declared/telemetry.trace');
    const messages = project('fixtures/traces/declared/messages.yaml');
    const { code, out } = await runCli(['export', trace, '--to', 'jsonl', '--messages', messages], '/');
    expect(code).toBe(0);
    const rows: Array<{ what: string; fields?: object }> = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['open', 'register', 'heartbeat', 'telemetry', 'close']),
    );
    expect(rows.find(({ what }) => what === 'telemetry')?.fields).toEqual({
      uptime: 3600,
      temperature: 23.13,
      mode: 'heating',
    });
  });

  it('writes other frames whole, request and reply, as CSV and pcapng', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
    await writeFile(
      join(folder, 'mh-z19.trace'),
      `#heartwire-trace 1
#start 2026-01-01T00:00:00.000Z
#meta device=air-1 transport=serial session=none
0 c1 = open /dev/ttyUSB0
0.1 c1 > ff 01 86 00 00 00 00 00 79
0.2 c1 < ff 86 02 60
0.3 c1 < 00 00 00 00 18
`,
    );
    const messages = project('packs/mh-z19/messages.yaml');
    const run = (...argv: string[]) =>
      runCli(['export', 'mh-z19.trace', '--messages', messages, ...argv], folder);
    const { out } = await run('--to', 'csv');
    const lines = out.split('\r\n');
    expect(lines[2]).toMatch(/,out,concentration,request,,.*,ff0186000000000079$/);
    expect(lines[3]).toMatch(/,in,concentration,reply,0,"\{""co2"":608\}",,ff860260000000001[0-9a-f]$/);
    expect(await run('--to', 'pcapng', '-o', 'x.pcapng')).toMatchObject({ code: 0 });
    const packets = [...readCapture(new Uint8Array(await readFile(join(folder, 'x.pcapng'))), 'x.pcapng')];
    expect(packets.map(({ bytes }) => toHex(bytes))).toEqual([
      '',
      'ff0186000000000079',
      'ff8602600000000018',
    ]);
  });

  it('says what is wrong with a file that declares nothing', async () => {
    const trace = project('fixtures/traces/client-normal.trace');
    const outcome = await runCli(['export', trace, '--to', 'csv', '--messages', 'none.yaml'], '/');
    expect(outcome).toMatchObject({ code: 2, out: '' });
  });
});
