import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { declarationText, readDeclaration } from '../../src/inspection/declaration-text.ts';
import { fieldsOf } from '../../src/inspection/fields-of.ts';
import type { Inspected } from '../../src/inspection/inspected.ts';
import { TraceInspector } from '../../src/inspection/trace-inspector.ts';
import { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import { hexText } from '../../src/protocol/describe.ts';
import type { TraceFact } from '../../src/trace/event.ts';
import { bytesOf } from '../protocol/framing/collecting-sink.ts';
import { PROJECT_ROOT } from '../support/project-files.ts';

const PACKS = readdirSync(join(PROJECT_ROOT, 'packs'));

function packOf(name: string): DeclaredProtocol {
  const text = readFileSync(join(PROJECT_ROOT, 'packs', name, 'messages.yaml'), 'utf8');
  const { protocol } = loadMessages(text, name);
  if (protocol === undefined) throw new Error(`${name} cannot be read`);
  return protocol;
}

const BARE = { startMs: 0, meta: { session: 'none', line: 'stream' } };

function inspect(protocol: DeclaredProtocol | undefined, facts: readonly (TraceFact & { at?: number })[]) {
  const inspector = new TraceInspector(protocol === undefined ? { startMs: 0, meta: {} } : BARE, protocol);
  const items = facts.flatMap((fact, index) => [
    ...inspector.take({ atUs: (fact.at ?? index) * 1_000, connection: 'c1', fact, line: 0 }),
  ]);
  return { items: [...items, ...inspector.finish()], inspector };
}

const joined = (items: readonly Inspected[], direction: string): string =>
  items.map((each) => ('bytes' in each && each.direction === direction ? hexText(each.bytes) : '')).join('');

const names = (items: readonly Inspected[]): string[] =>
  items.flatMap((each) => {
    if (each.kind !== 'frame') return each.kind === 'discarded' ? [each.reason] : [];
    const { meaning } = each;
    if (meaning.name === 'unknown') return [meaning.answers?.join(' or ') ?? 'unknown'];
    return [meaning.name === 'echo' ? 'echo' : `${meaning.message} ${meaning.kind}`];
  });

const text = (line: string): Uint8Array => new TextEncoder().encode(line);

describe('what a reply answers', () => {
  const supply = packOf('scpi-supply');
  const ask = (line: string, at = 0) => ({ kind: 'out', bytes: text(line), at }) as const;
  const say = (line: string, at = 0) => ({ kind: 'in', bytes: text(line), at }) as const;

  it('follows from the request before it', () => {
    const { items } = inspect(supply, [
      ask('MEAS:VOLT?\n'),
      say('12.5\n', 1),
      ask('MEAS:CURR?\n', 2),
      say('0.5\n', 3),
    ]);
    expect(names(items)).toEqual([
      'measured_voltage request',
      'measured_voltage reply',
      'measured_current request',
      'measured_current reply',
    ]);
  });

  it('is unknown while two requests are out whose replies look alike', () => {
    const { items } = inspect(supply, [ask('MEAS:VOLT?\n'), ask('MEAS:CURR?\n', 1), say('0.5\n', 2)]);
    expect(names(items).at(-1)).toBe('measured_voltage or measured_current');
  });

  it('is unknown where nothing was asked', () => {
    const { items } = inspect(supply, [say('0.5\n')]);
    expect(names(items)[0]).toContain(' or ');
  });

  it('is another request once the one before is over for long', () => {
    const { items } = inspect(supply, [ask('MEAS:VOLT?\n'), ask('MEAS:CURR?\n', 9_000), say('0.5\n', 9_001)]);
    expect(names(items).at(-1)).toBe('measured_current reply');
  });
});

describe('fields', () => {
  it('have the bytes of the frame in which they stand', () => {
    const { items, inspector } = inspect(packOf('eastron-sdm'), [
      { kind: 'out', bytes: bytesOf('01 04 0000 0002 71cb') },
      { kind: 'in', bytes: bytesOf('01 04 04 43663334 1b38') },
      { kind: 'life', word: 'idle', detail: '' },
    ]);
    const reply = items.find((each) => each.kind === 'frame' && each.direction === 'in');
    if (reply?.kind !== 'frame') throw new Error('there is no reply');
    const places = fieldsOf(reply, inspector.protocol).map(({ name, start, end, value }) => [
      name,
      start,
      end,
      value,
    ]);
    expect(places).toContainEqual(['voltage', 3, 7, 230.20001]);
    expect(places).toContainEqual(['checksum', 7, 9, undefined]);
  });

  it('of the built-in messages have places too', () => {
    const { items, inspector } = inspect(undefined, [{ kind: 'in', bytes: bytesOf('00000002 01 00') }]);
    const [frame] = items;
    if (frame?.kind !== 'frame') throw new Error('there is no frame');
    const places = fieldsOf(frame, inspector.protocol).map(({ name, start, end }) => [name, start, end]);
    expect(places).toEqual([
      ['length', 0, 4],
      ['id', 4, 5],
      ['error', 5, 6],
    ]);
  });
});

describe.each(PACKS)('any bytes, read with the pack %s,', (pack) => {
  const protocol = packOf(pack);

  it('are all shown, once and in their order', () => {
    const chunk = fc.record({
      kind: fc.constantFrom('in' as const, 'out' as const),
      bytes: fc.uint8Array({ maxLength: 48 }),
    });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), (facts) => {
        const { items, inspector } = inspect(protocol, facts);
        for (const direction of ['in', 'out']) {
          const given = facts.map((each) => (each.kind === direction ? hexText(each.bytes) : '')).join('');
          expect(joined(items, direction)).toBe(given);
        }
        for (const item of items) if (item.kind === 'frame') fieldsOf(item, inspector.protocol);
      }),
      { numRuns: 30 },
    );
  });

  it('mean the same with the declaration that came as text', () => {
    const { declaration } = protocol;
    expect(readDeclaration(declarationText(declaration))).toEqual(declaration);
    expect(() => new DeclaredProtocol(readDeclaration(declarationText(declaration)))).not.toThrow();
  });
});
