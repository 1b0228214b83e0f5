import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { luaDissector } from '../../src/capture/dissector.ts';
import { type ExportRow, RowMaker } from '../../src/capture/export-rows.ts';
import { PcapngExport } from '../../src/capture/pcapng.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { builtinDeclaration } from '../../src/protocol/declared/builtin.ts';
import { DEFAULT_PROTOCOL } from '../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import type { TraceFact, TraceHead } from '../../src/trace/event.ts';
import { catalogue } from '../protocol/framing/catalogue.ts';
import { bytesOf } from '../protocol/framing/collecting-sink.ts';
import { needs } from '../support/needs.ts';
import { projectFiles, readProjectFile } from '../support/project-files.ts';

const tshark = needs('tshark');
const head: TraceHead = { startMs: 0, meta: { session: 'none', line: 'stream' } };

/** What tshark shows of the frames with our dissector, and what we say they are. */
function both(facts: readonly TraceFact[], messages: DeclaredProtocol, fields: readonly string[]) {
  const maker = new RowMaker(head, messages);
  const made = facts.flatMap((fact, index) => maker.take({ atUs: index, connection: 'c1', fact, line: 0 }));
  const ours = [...made, ...maker.finish()].filter(({ bytes }) => bytes !== undefined);
  const folder = mkdtempSync(join(tmpdir(), 'heartwire-'));
  const [capture, script] = [join(folder, 'x.pcapng'), join(folder, 'x.lua')];
  const writer = new PcapngExport(head);
  writeFileSync(capture, Buffer.concat([writer.begin(), ...ours.flatMap((row) => writer.row(row))]));
  writeFileSync(script, luaDissector([builtinDeclaration(), messages.declaration]));
  const shown = ['heartwire.message', 'heartwire.kind', ...fields].flatMap((field) => ['-e', field]);
  const layout = ['-T', 'fields', '-E', 'separator=|', '-E', 'occurrence=a', '-E', 'aggregator=,'];
  const argv = ['-X', `lua_script:${script}`, '-r', capture, ...layout, ...shown];
  const out = execFileSync(tshark.path, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const theirs = out
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.split('|'));
  return { ours, theirs };
}

const SILENCE: TraceFact = { kind: 'life', word: 'idle', detail: '' };
const named = (rows: readonly ExportRow[]): string[][] => rows.map(({ what, kind = '' }) => [what, kind]);

describe.runIf(tshark.run)('tshark with our dissector', () => {
  it.each(catalogue)('finds the payload in frames of $name', ({ framing, frames }) => {
    const { id: _, error: _error, ...rest } = DEFAULT_PROTOCOL;
    const data = [{ name: 'data', type: 'bytes', length: 'rest' }] as const;
    const messages = new DeclaredProtocol({
      ...rest,
      framing,
      messages: [{ name: 'anything', from: 'any', reply: 'none', fields: data }],
    });
    const facts = frames.flatMap(([, wire]): TraceFact[] => [{ kind: 'in', bytes: bytesOf(wire) }, SILENCE]);
    const { theirs } = both(facts, messages, ['heartwire.anything.data']);
    expect(theirs).toEqual(
      frames.map(([payload]) => ['anything', 'notice', Buffer.from(bytesOf(payload)).toString('hex')]),
    );
  });

  const folders = projectFiles(['examples'], ['.json'])
    .filter((path) => path.endsWith('/frames.json'))
    .map((path) => path.slice(0, -'/frames.json'.length));

  it.each(folders)('names the frames of %s as we do', (folder) => {
    const { protocol } = loadMessages(readProjectFile(`${folder}/messages.yaml`), 'messages.yaml');
    if (protocol === undefined) throw new Error(`${folder} declares nothing`);
    // The file is part of this repository; other tests check it.
    const { frames } = JSON.parse(readProjectFile(`${folder}/frames.json`)) as {
      frames: ReadonlyArray<{ from: 'host' | 'device'; hex: string }>;
    };
    const facts = frames.flatMap(({ from, hex }): TraceFact[] => [
      { kind: from === 'device' ? 'in' : 'out', bytes: bytesOf(hex) },
      SILENCE,
    ]);
    const { ours, theirs } = both(facts, protocol, []);
    expect(ours.length).toBe(frames.length);
    expect(theirs).toEqual(named(ours));
  });

  it('shows fields on both sides of an id that stands among them', () => {
    const { protocol } = loadMessages(
      `version: 1
protocol:
  framing: { type: sync, sync: 0xAA, length: u8, checksum: { algorithm: sum-8 } }
  id: { type: u8, at: 1 }
messages:
  - name: reading
    id: 7
    from: device
    reply: none
    fields:
      - { name: address, type: u8 }
      - { name: temperature, type: i16le, scale: 0.1, unit: "°C" }
`,
      'messages.yaml',
    );
    if (protocol === undefined) throw new Error('nothing is declared');
    const body = [3, 7, 0xec, 0xff];
    const sum = (4 + body.reduce((total, byte) => total + byte, 0)) & 0xff;
    const bytes = Uint8Array.from([0xaa, 4, ...body, sum]);
    const fields = ['heartwire.reading.address', 'heartwire.reading.temperature'];
    const { ours, theirs } = both([{ kind: 'in', bytes }], protocol, fields);
    expect(ours[0]).toMatchObject({ what: 'reading', fields: { address: 3, temperature: -2 } });
    expect(theirs).toEqual([['reading', 'notice', '3', '-20']]);
  });
});
