import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Answers,
  LATE_MS,
  PolledLine,
  plainProtocol,
  poll,
  question,
  TIMEOUT_MS,
  TURNAROUND_MS,
  text,
} from '../../support/polled-line.ts';

/** What becomes of one reply, and how many replies it may set aside. */
type Fate =
  | { readonly kind: 'prompt' | 'late'; readonly afterMs: number; readonly againMs?: number }
  | { readonly kind: 'lost' };

const PROMPT: Fate = { kind: 'prompt', afterMs: 20 };

/** Of one disturbance: the late reply, and each reply that comes once more. */
const setAside = (fate: Fate): number => {
  if (fate.kind === 'lost') return 0;
  return (fate.kind === 'late' ? 1 : 0) + (fate.againMs === undefined ? 0 : 1);
};

const again = fc.option(fc.integer({ min: 0, max: TURNAROUND_MS - 1 }), { nil: undefined });
const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ afterMs: fc.integer({ min: 1, max: TIMEOUT_MS - 1 }) }).map(prompt) },
  fc.record({ afterMs: fc.integer({ min: 1, max: TIMEOUT_MS - 1 }), againMs: again }).map(prompt),
  fc
    .record({ afterMs: fc.integer({ min: TIMEOUT_MS + 1, max: TIMEOUT_MS + LATE_MS - 1 }), againMs: again })
    .map(late),
  fc.constant({ kind: 'lost' } as const),
);

function prompt({
  afterMs,
  againMs,
}: {
  readonly afterMs: number;
  readonly againMs?: number | undefined;
}): Fate {
  return { kind: 'prompt', afterMs, ...(againMs === undefined ? {} : { againMs }) };
}
function late({
  afterMs,
  againMs,
}: {
  readonly afterMs: number;
  readonly againMs?: number | undefined;
}): Fate {
  return { kind: 'late', afterMs, ...(againMs === undefined ? {} : { againMs }) };
}

function answers(fate: Fate, bytes: Uint8Array): Answers {
  if (fate.kind === 'lost') return [];
  const { afterMs, againMs } = fate;
  const first = { afterMs, bytes };
  return againMs === undefined ? [first] : [first, { afterMs: afterMs + againMs, bytes }];
}

/** The name of the message in each answer, so that a value under another name shows. */
const answerOf = (payload: Uint8Array, nth: number): Uint8Array =>
  text(`${new TextDecoder().decode(payload).replace('?', '')}#${nth}`);

function lineOf(count: number, fates: readonly Fate[], everyMs = 100, usual = PROMPT): PolledLine {
  const names = Array.from({ length: count }, (_, index) => `m${index}`);
  return new PolledLine(
    plainProtocol(names.map((name) => question(name))),
    names.map((name) => poll(name, everyMs)),
    (payload, nth) => answers(fates[nth] ?? usual, answerOf(payload, nth)),
  );
}

/** Values that stand, or ever stood, under the name of another message. */
function misnamed(line: PolledLine): string[] {
  const shown = line.states.flatMap(({ values = {} }) => Object.entries(values));
  const published = line.heard
    .filter(({ message }) => message !== 'unknown')
    .map(({ message, fields }) => [message, fields] as const);
  return [...shown, ...published]
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .filter((entry) => !/^(\w+): \{"text":"\1#/.test(entry));
}

describe('replies that all look alike', () => {
  it('never stand under the name of another one, whichever are late, lost, or come twice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5 }), fc.array(fate, { maxLength: 40 }), (count, fates) => {
        const line = lineOf(count, fates);
        line.pass(fates.length * (TIMEOUT_MS + LATE_MS + TURNAROUND_MS));
        const asked = line.sent.length;
        line.pass(5_000);
        expect(misnamed(line)).toEqual([]);
        const most = fates.slice(0, line.sent.length).reduce((sum, each) => sum + setAside(each), 0);
        expect(line.marked.length).toBeLessThanOrEqual(most);
        // All of them are asked again, and answered.
        const values = Object.values(line.values).map((value) =>
          Number(/#(\d+)/.exec(JSON.stringify(value))?.[1]),
        );
        expect(values).toHaveLength(count);
        for (const nth of values) expect(nth).toBeGreaterThanOrEqual(asked);
      }),
      { numRuns: 150 },
    );
  });

  it('come into step again even where one is later than it may be, on a line that is never quiet', () => {
    // The next one is out by then, and its own reply comes behind the turnaround.
    const usual: Fate = { kind: 'prompt', afterMs: 5 * TURNAROUND_MS };
    const tooLate: Fate = { kind: 'late', afterMs: TIMEOUT_MS + LATE_MS + TURNAROUND_MS / 2 };
    const line = lineOf(3, [usual, usual, usual, tooLate], 10, usual);
    line.pass(3_000);
    expect(line.marked.length).toBe(1);
    line.states.splice(0);
    line.heard.splice(0);
    line.pass(60_000);
    expect(line.heard.length).toBeGreaterThan(300);
    expect(misnamed(line)).toEqual([]);
    expect(line.marked).toEqual([]);
  });

  it('hold the line once for each one that is lost, and for no longer than one may be late', () => {
    const line = lineOf(2, [PROMPT, { kind: 'lost' }]);
    line.pass(10_000);
    const gaps = line.sent.slice(1).map(({ at }, index) => at - (line.sent[index]?.at ?? 0));
    // What follows the next exchange is the pause in which a reply too many would show.
    expect(gaps.filter((gap) => gap > TIMEOUT_MS)).toEqual([TIMEOUT_MS + LATE_MS]);
    expect(line.stats.timeouts).toBe(1);
  });

  it('are set aside where nothing is asked: counted, and of no name', () => {
    const line = lineOf(2, [], 10_000);
    line.pass(1_000);
    line.receive(text('who knows'));
    expect(line.heard.at(-1)).toMatchObject({ message: 'unknown', mark: 'unsolicited' });
    line.pass(1_000);
    expect(line.stats.unsolicited_replies).toBe(1);
    expect(misnamed(line)).toEqual([]);
  });
});

describe('replies that look different', () => {
  const head = (name: string) =>
    question(name, {
      fields: [
        { name: 'head', type: 'text', value: `${name}=` },
        { name: 'value', type: 'text', length: 'rest' },
      ],
    });
  const protocol = plainProtocol([head('volt'), head('amps'), question('any')]);

  it('are not held up by one that does not come, and are known when they come late', () => {
    const line = new PolledLine(protocol, [poll('volt', 500), poll('amps', 100)], (payload) => {
      const name = new TextDecoder().decode(payload).replace('?', '');
      return name === 'volt'
        ? [{ afterMs: 700, bytes: text('volt=230') }]
        : [{ afterMs: 10, bytes: text('amps=1') }];
    });
    line.pass(3_000);
    const amps = line.heard.filter(({ message }) => message === 'amps');
    expect(amps.length).toBeGreaterThan(10);
    expect(amps.every(({ mark }) => mark === undefined)).toBe(true);
    const volts = line.heard.filter(({ message }) => message === 'volt');
    expect(volts.length).toBeGreaterThan(2);
    expect(volts.every(({ mark }) => mark === 'late')).toBe(true);
    expect(line.values).toEqual({ amps: { value: '1' } });
  });

  it('wait for one that may be any of them', () => {
    const line = new PolledLine(protocol, [poll('any', 10_000), poll('amps', 100)], () => []);
    line.pass(TIMEOUT_MS + LATE_MS - 1);
    expect(line.sent).toHaveLength(1);
    line.pass(1);
    expect(line.sent).toHaveLength(2);
  });
});

describe('several requests of callers at any time', () => {
  it('are refused while the reply to another one may look like theirs', () => {
    const line = new PolledLine(plainProtocol([question('one'), question('two')]), [], () => []);
    // A device that is not polled lives by what it says.
    line.receive(text('hello'));
    expect(line.status).toBe('online');
    line.command(1, 'one');
    line.command(2, 'two');
    expect(line.outcomes.get(2)).toMatchObject({ code: 'request_busy' });
    line.receive(text('1'));
    expect(line.outcomes.get(1)).toMatchObject({ ok: true, fields: { text: '1' } });
    line.command(3, 'two');
    line.receive(text('2'));
    expect(line.values).toEqual({ one: { text: '1' }, two: { text: '2' } });
  });
});
