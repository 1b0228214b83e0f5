import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { fieldsOf } from '../../src/inspection/fields-of.ts';
import type { Inspected } from '../../src/inspection/inspected.ts';
import { readInput } from '../../src/inspection/read-input.ts';
import { TraceInspector } from '../../src/inspection/trace-inspector.ts';
import type { TraceEvent } from '../../src/trace/event.ts';
import { PROJECT_ROOT } from '../support/project-files.ts';

const projectFile = (path: string): string => join(PROJECT_ROOT, path);

const PACKS = readdirSync(projectFile('packs'));

/** A trace with the requests that its replay sends, where it has none of its own. */
function inspected(pack: string, file: string, sent: readonly Printed[] = []) {
  const { protocol } = loadMessages(
    readFileSync(projectFile(`packs/${pack}/messages.yaml`), 'utf8'),
    'messages.yaml',
  );
  const { head, events: recorded } = readInput(readFileSync(projectFile(`packs/${pack}/${file}`)), file);
  const asks = recorded.some(({ fact }) => fact.kind === 'out');
  const asked = sent.flatMap(({ t, sent: hex, connection = 'c1' }): TraceEvent[] =>
    hex === undefined || asks
      ? []
      : [{ atUs: t * 1e6, connection, fact: { kind: 'out', bytes: Buffer.from(hex, 'hex') }, line: 0 }],
  );
  const events = [...asked, ...recorded].sort((one, other) => one.atUs - other.atUs);
  const inspector = new TraceInspector(head, protocol);
  const items: Inspected[] = events.flatMap((event) => [...inspector.take(event)]);
  return { items: [...items, ...inspector.finish()], events, inspector };
}

interface Printed {
  readonly t: number;
  readonly sent?: string;
  readonly connection?: string;
  readonly received?: { readonly message: string; readonly fields: object; readonly kind: string };
}

const bytesOf = (items: readonly Inspected[], direction: string, connection: string): string =>
  items
    .flatMap((each) =>
      'bytes' in each && each.direction === direction && each.connection === connection
        ? [...each.bytes]
        : [],
    )
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');

const meant = ({ message, fields }: { readonly message: string; readonly fields: object }): string =>
  `${message} ${JSON.stringify(fields)}`;

describe.each(PACKS)('traces of the pack %s', (pack) => {
  const traces = readdirSync(projectFile(`packs/${pack}`)).filter((each) => each.endsWith('.trace'));

  it.each(traces)('lose no byte, and every field has its place (%s)', (file) => {
    const { items, events, inspector } = inspected(pack, file);
    const connections = new Set(events.map(({ connection }) => connection));
    for (const connection of connections) {
      for (const kind of ['in', 'out'] as const) {
        const sent = events
          .flatMap((each) =>
            each.connection === connection && each.fact.kind === kind && 'bytes' in each.fact
              ? [...each.fact.bytes]
              : [],
          )
          .map((byte) => byte.toString(16).padStart(2, '0'))
          .join('');
        expect(bytesOf(items, kind, connection)).toBe(sent);
      }
    }
    let fields = 0;
    for (const item of items) {
      if (item.kind !== 'frame') continue;
      for (const { start, end, name } of fieldsOf(item, inspector.protocol)) {
        expect([name, start >= 0, end >= start, end <= item.bytes.length]).toEqual([name, true, true, true]);
        fields++;
      }
    }
    expect(fields).toBeGreaterThan(0);
  });

  it.each(traces)('hold the messages that its replay prints (%s)', (file) => {
    const golden = readFileSync(
      projectFile(`packs/${pack}/${file.replace(/\.trace$/, '.golden.jsonl')}`),
      'utf8',
    );
    const printed = golden
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Printed => JSON.parse(line));
    const { items, inspector } = inspected(pack, file, printed);
    const { messages } = inspector.protocol.declaration;
    const ofHost = new Set(messages.filter(({ from }) => from === 'host').map(({ name }) => name));
    // On a bus, what its host asks and commands is printed too.
    const wanted = printed.flatMap(({ received }) => {
      if (received?.fields === undefined || received.kind === 'request') return [];
      return received.kind === 'notice' && ofHost.has(received.message) ? [] : [meant(received)];
    });
    const parts = new Set(messages.flatMap(({ assemble }) => assemble?.parts ?? []));
    const seen = items.flatMap((item) => {
      if (item.kind === 'group') return item.meaning.name === 'declared' ? [meant(item.meaning)] : [];
      if (item.kind !== 'frame' || item.direction !== 'in' || item.meaning.name !== 'declared') return [];
      return item.meaning.kind === 'request' || parts.has(item.meaning.message) ? [] : [meant(item.meaning)];
    });
    expect(seen).toEqual(wanted);
  });
});
