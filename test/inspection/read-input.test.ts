import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RowMaker } from '../../src/capture/export-rows.ts';
import { PcapngExport } from '../../src/capture/pcapng.ts';
import { readInput } from '../../src/inspection/read-input.ts';
import { traceText } from '../../src/inspection/trace-text.ts';
import type { TraceEvent } from '../../src/trace/event.ts';
import { bytesOf } from '../protocol/framing/collecting-sink.ts';
import { CAPTURED_PORT, pcapOf } from '../support/pcap.ts';
import { PROJECT_ROOT } from '../support/project-files.ts';

const folder = join(PROJECT_ROOT, 'fixtures/traces');
const HEAD = '#heartwire-trace 1\n#start 2026-01-01T00:00:00Z\n';
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('what is dropped', () => {
  it.each(readdirSync(folder).filter((each) => each.endsWith('.trace')))(
    'as the trace %s can be saved and dropped again',
    (file) => {
      const first = readInput(readFileSync(join(folder, file)), file);
      const again = readInput(utf8(traceText(first.head, first.events)), file);
      expect(again.head).toEqual(first.head);
      const facts = ({ events }: typeof first) =>
        events.map(({ atUs, connection, fact }) => [atUs, connection, fact]);
      expect(facts(again)).toEqual(facts(first));
    },
  );

  it.each([
    ['digits in one word', '000000020100', [['in', '000000020100']]],
    ['digits with spaces', '00 00 00 02 01 00\n', [['in', '000000020100']]],
    [
      'directions',
      '> 00000001 01\n< 00000002 01 00\n',
      [
        ['out', '0000000101'],
        ['in', '000000020100'],
      ],
    ],
    ['a dump', '00000000: 0000 0002 0100  ......\n', [['in', '000000020100']]],
  ])('as %s is hex', (_, text, wanted) => {
    const { format, events } = readInput(utf8(text), 'paste');
    const seen = events.flatMap(({ fact }) =>
      'bytes' in fact ? [[fact.kind, Buffer.from(fact.bytes).toString('hex')]] : [],
    );
    expect([format, seen]).toEqual(['hex', wanted]);
  });

  it('as bytes of no known form is what a device sent', () => {
    const { format, events } = readInput(bytesOf('"$GPGLL" 0d0a ff fe'), 'log.bin');
    expect([format, events.at(-1)?.fact.kind]).toEqual(['raw', 'in']);
  });

  it('as nothing is refused', () => {
    expect(() => readInput(new Uint8Array(0), 'empty')).toThrow('There are no bytes in it.');
  });

  it('as a broken capture is refused with its place', () => {
    expect(() => readInput(bytesOf('0a0d0d0a ffffffff 00000000 00000000'), 'a.pcapng')).toThrow(/a\.pcapng/);
  });

  it('as a trace that breaks off is shown as far as it goes', () => {
    const { events, warnings } = readInput(utf8(`${HEAD}0.1 c1 < 00\n0.2 c1 < 0x\n`), 'cut.trace');
    expect(events).toHaveLength(1);
    expect(warnings.join()).toContain('cut.trace:4');
  });
});

describe('a capture', () => {
  it('that Heartwire wrote has its frames, directions and settings', () => {
    const trace = readInput(readFileSync(join(folder, 'client-normal.trace')), 'client-normal.trace');
    const rows = new RowMaker(trace.head);
    const made = new PcapngExport(trace.head);
    const blocks = [
      made.begin(),
      ...[...trace.events.flatMap((event) => rows.take(event)), ...rows.finish()].flatMap((row) =>
        made.row(row),
      ),
    ];
    const { format, head, events } = readInput(Buffer.concat(blocks), 'a.pcapng');
    expect([format, head.meta.role]).toEqual(['capture', trace.head.meta.role]);
    const bytes = (all: readonly TraceEvent[], direction: string): string =>
      all
        .map(({ fact }) =>
          'bytes' in fact && fact.kind === direction ? Buffer.from(fact.bytes).toString('hex') : '',
        )
        .join('');
    for (const direction of ['in', 'out']) {
      expect(bytes(events, direction)).toBe(bytes(trace.events, direction));
    }
  });

  it('of TCP has the port to which a connection was opened, and what went over it', () => {
    const bytes = pcapOf([
      { atUs: 1_000_000, from: 'client', seq: 99, flags: 'syn' },
      { atUs: 1_000_100, from: 'server', seq: 499, flags: 'syn' },
      { atUs: 1_100_000, from: 'client', seq: 100, bytes: bytesOf('0001') },
      { atUs: 1_200_000, from: 'server', seq: 500, bytes: bytesOf('0002') },
    ]);
    const { ports, events } = readInput(bytes, 'x.pcap', { dialled: true });
    const seen = events.flatMap(({ fact }) =>
      'bytes' in fact ? [`${fact.kind} ${Buffer.from(fact.bytes).toString('hex')}`] : [],
    );
    expect([ports[0], seen]).toEqual([CAPTURED_PORT, ['out 0001', 'in 0002']]);
  });
});
