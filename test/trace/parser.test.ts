import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeartwireError } from '../../src/errors.ts';
import type { TraceEvent, TraceHead } from '../../src/trace/event.ts';
import { formatEvent, formatHead, formatSum, TRACE_END } from '../../src/trace/format-trace.ts';
import { TraceParser } from '../../src/trace/parser.ts';

interface Parsed {
  head: TraceHead | undefined;
  readonly events: TraceEvent[];
  readonly warnings: string[];
}

function parse(pieces: readonly Uint8Array[]): Parsed {
  const parsed: Parsed = { head: undefined, events: [], warnings: [] };
  const parser = new TraceParser('x.trace', {
    head: (head) => {
      parsed.head = head;
    },
    event: (event) => void parsed.events.push(event),
    warning: (text) => void parsed.warnings.push(text),
  });
  for (const piece of pieces) parser.push(piece);
  parser.finish();
  return parsed;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const HEAD = '#heartwire-trace 1\n#start 2026-01-01T00:00:00.000Z\n';
const events = (lines: string): TraceEvent[] => parse([bytesOf(`${HEAD}${lines}\n`)]).events;

const EXAMPLE = `${HEAD}#meta device=psu-1 transport=tcp role=server baud=115200 gap=50ms
0.000000 c1 = open 10.0.0.7:51234
0.012345 c1 < 00000034 00 "3f2504e0-4f89-41d3-9a0c-0305e82c3301" "490154203237518"
+0.001   c1 > 00000002 00 00
3.012000 c1 < 000000
+0.004   c1 < 0101
+0       c1 ? heartbeat {}
5.100000 c1 * cable wiggled
`;

describe('a trace', () => {
  it('says who, when, and what happened', () => {
    const { head, events: found } = parse([bytesOf(EXAMPLE)]);
    expect(head).toEqual({
      startMs: Date.UTC(2026, 0, 1),
      meta: { device: 'psu-1', transport: 'tcp', role: 'server', baud: '115200', gap: '50ms' },
    });
    expect(found.map(({ atUs, fact }) => [atUs, fact.kind])).toEqual([
      [0, 'life'],
      [12_345, 'in'],
      [13_345, 'out'],
      [3_012_000, 'in'],
      [3_016_000, 'in'],
      [3_016_000, 'expect'],
      [5_100_000, 'note'],
    ]);
    const [, register] = found;
    expect(register?.fact.kind === 'in' ? register.fact.bytes.length : 0).toBe(56);
    expect(register?.line).toBe(5);
  });

  it('may begin with a byte order mark', () => {
    expect(parse([bytesOf(`\ufeff${EXAMPLE}`)])).toEqual(parse([bytesOf(EXAMPLE)]));
  });

  it('is the same wherever its bytes are cut', () => {
    const bytes = bytesOf(EXAMPLE);
    const whole = parse([bytes]);
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(parse([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(whole);
    }
    expect(parse(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  it.each([
    ['00 01 02', '000102'],
    ['"a\\x00\\"\\\\\\n" ff', '6100225c0aff'],
    ['00*16', '00'.repeat(16)],
    ['"ab"*2 0C', '616261620c'],
    ['"é"', 'c3a9'],
  ])('writes bytes as %s', (written, hex) => {
    const [event] = events(`0 c1 < ${written}`);
    expect(event?.fact.kind === 'in' && Buffer.from(event.fact.bytes).toString('hex')).toBe(hex);
  });

  it.each([
    ['0 c1 < 0', '3:8', 'one is missing'],
    ['0 c1 < 0g', '3:9', 'no hex digit'],
    ['0 c1 < ', '3:8', 'no bytes'],
    ['0 c1 < "a', '3:8', 'not closed'],
    ['0 c1 < "\\q"', '3:9', 'means nothing'],
    ['0 c1 < 00*0', '3:10', 'how often'],
    ['0 c1 < 00*999999999', '3:10', 'more than'],
    ['x c1 < 00', '3:1', 'begin with a time'],
    ['0.1234567 c1 < 00', '3:1', 'begin with a time'],
    ['0 1 < 00', '3:3', 'the connection'],
    ['0 c1 ! 00', '3:6', 'what happened'],
    ['0 c1 = opened', '3:8', 'nothing that happens'],
    ['0 c1 ? heartbeat {', '3:18', 'fields'],
    ['0 c1 ? discarded x', '3:18', 'how many bytes'],
    ['0 c1 ?', '3:7', 'nothing to expect'],
    ['1 c1 < 00\n0.5 c1 < 00', '4:1', 'backwards'],
    ['0 c1 < 00\n#meta a=b', '4:1', 'before the first event'],
    ['#start 2026-13-01T00:00:00Z', '3:8', 'no time'],
    ['#meta device', '3:7', 'key=value'],
    ['#end\n0 c1 < 00', '4:1', 'Nothing may follow'],
    ['#sum 00000000', '3:1', 'first line'],
  ])('%j is an error at its place', (lines, place, problem) => {
    expect(() => events(lines)).toThrow(
      expect.objectContaining({
        code: 'trace_invalid',
        message: expect.stringMatching(`^x\\.trace:${place}: .*${problem}`),
      }),
    );
  });

  it.each([
    '',
    'nonsense\n',
    '#heartwire-trace 2\n',
    '\n#heartwire-trace 1\n',
    '#heartwire-trace 1\n',
    HEAD.slice(19),
  ])('is none: %j', (text) => {
    expect(() => parse([bytesOf(text)])).toThrow(expect.objectContaining({ code: 'trace_invalid' }));
  });
});

const connection = fc.constantFrom('c1', 'c2', 'c17');
const printable = fc
  .string({ unit: fc.constantFrom(...'ab z"\\{}<>=*?#0é'), maxLength: 20 })
  .map((text) => text.trim());
const chunk = fc.uint8Array({ minLength: 1, maxLength: 80 });
const fact: fc.Arbitrary<TraceEvent['fact']> = fc.oneof(
  chunk.map((bytes) => ({ kind: 'in' as const, bytes })),
  chunk.map((bytes) => ({ kind: 'out' as const, bytes })),
  fc.record({
    kind: fc.constant('life' as const),
    word: fc.constantFrom('open', 'close', 'error', 'idle', 'dial'),
    detail: printable,
  }),
  printable.map((text) => ({ kind: 'note' as const, text })),
  chunk.map((bytes) => ({ kind: 'expect' as const, expectation: { kind: 'send' as const, bytes } })),
);
const anyEvents = fc
  .array(fc.record({ gapUs: fc.nat(5_000_000), connection, fact }), { minLength: 1, maxLength: 30 })
  .map((list) => {
    let atUs = 0;
    return list.map(({ gapUs, ...rest }) => {
      atUs += gapUs;
      return { atUs, ...rest };
    });
  });

it('reads what it writes', () => {
  fc.assert(
    fc.property(
      anyEvents,
      fc.dictionary(fc.stringMatching(/^[a-z][a-z_]{0,8}$/), printable),
      (list, words) => {
        const meta = Object.fromEntries(Object.entries(words));
        const head = { startMs: Date.UTC(2026, 5, 1), meta };
        const text = formatHead(head) + list.map((event) => formatEvent(event)).join('');
        const { events: found, head: foundHead } = parse([bytesOf(text)]);
        expect(found.map(({ line: _, ...rest }) => rest)).toEqual(list);
        expect(foundHead).toEqual(head);
      },
    ),
  );
});

describe('a recording with sums', () => {
  const head = bytesOf(formatHead({ startMs: 0, meta: { device: 'psu-1' } }, { sums: true }));
  const first = Buffer.concat([
    head,
    bytesOf('0.000000 c1 = open 10.0.0.7:9089\n0.010000 c1 < 000000020000\n'),
  ]);
  const second = bytesOf('0.020000 c1 > 0000000101\n');
  const recording = Buffer.concat([
    first,
    bytesOf(formatSum(first)),
    second,
    bytesOf(formatSum(second)),
    bytesOf(TRACE_END),
  ]);
  const whole = parse([recording]);

  it('is whole', () => {
    expect(whole.events).toHaveLength(3);
    expect(whole.warnings).toEqual([]);
  });

  it('tells of damage at every byte', () => {
    for (let at = 0; at < recording.length; at++) {
      for (const damage of [0x01, 0x20, 0x80, 0xff]) {
        const damaged = Uint8Array.from(recording);
        damaged[at] = (damaged[at] ?? 0) ^ damage;
        expect(judged(damaged), `byte ${at} turned by ${damage}`).toBe(true);
      }
      const shorter = Uint8Array.from(recording).filter((_, index) => index !== at);
      expect(judged(shorter), `without byte ${at}`).toBe(true);
    }
  });

  it('tells where it is cut, at every byte', () => {
    for (let length = 0; length < recording.length; length++) {
      expect(judged(recording.subarray(0, length)), `${length} bytes`).toBe(true);
    }
  });

  /** A clear error, a warning, or the right result. */
  function judged(bytes: Uint8Array): boolean {
    try {
      const { events: found, warnings } = parse([bytes]);
      return warnings.length > 0 || JSON.stringify(found) === JSON.stringify(whole.events);
    } catch (error) {
      return (
        error instanceof HeartwireError && error.code === 'trace_invalid' && /:\d+:\d+: /.test(error.message)
      );
    }
  }
});

it('never fails in any other way, whatever is damaged in a trace without sums', () => {
  const bytes = bytesOf(EXAMPLE);
  for (let at = 0; at < bytes.length; at++) {
    for (let damage = 1; damage < 256; damage += 7) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ damage;
      try {
        parse([damaged]);
      } catch (error) {
        expect(error).toMatchObject({
          code: 'trace_invalid',
          message: expect.stringMatching(/^x\.trace:\d+:\d+: /),
        });
      }
    }
  }
});
