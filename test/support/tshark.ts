import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { luaDissector } from '../../src/capture/dissector.ts';
import { RowMaker } from '../../src/capture/export-rows.ts';
import { PcapngExport } from '../../src/capture/pcapng.ts';
import { builtinDeclaration } from '../../src/protocol/declared/builtin.ts';
import type { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import type { TraceFact, TraceHead } from '../../src/trace/event.ts';

/** What tshark shows of an exported trace with our dissector: a line for each packet, with these fields. */
export function dissected(
  tshark: string,
  head: TraceHead,
  facts: readonly TraceFact[],
  messages: DeclaredProtocol,
  fields: readonly string[],
): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'heartwire-'));
  try {
    const [capture, script] = [join(folder, 'x.pcapng'), join(folder, 'x.lua')];
    const maker = new RowMaker(head, messages);
    const rows = facts.flatMap((fact, index) => maker.take({ atUs: index, connection: 'c1', fact, line: 0 }));
    const writer = new PcapngExport(head);
    const blocks = [...rows, ...maker.finish()].flatMap((row) => writer.row(row));
    writeFileSync(capture, Buffer.concat([writer.begin(), ...blocks]));
    writeFileSync(script, luaDissector([builtinDeclaration(), messages.declaration]));
    const layout = ['-T', 'fields', '-E', 'separator=|', '-E', 'occurrence=a', '-E', 'aggregator=,'];
    const argv = [
      '-X',
      `lua_script:${script}`,
      '-r',
      capture,
      ...layout,
      ...fields.flatMap((e) => ['-e', e]),
    ];
    const out = execFileSync(tshark, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return out
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => line.split('|'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
