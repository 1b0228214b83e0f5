import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MessageDeclaration } from '../../../src/protocol/declared/declaration.ts';
import {
  type Answers,
  LATE_MS,
  PolledLine,
  plainProtocol,
  poll,
  TIMEOUT_MS,
  TURNAROUND_MS,
  text,
} from '../../support/polled-line.ts';

type NumberType = 'u8' | 'u16';

/** A question in text behind a number, and an answer of any text behind the same number. */
const numbered = (name: string, type: NumberType = 'u8'): MessageDeclaration => ({
  name,
  from: 'host',
  fields: [
    { name: 'number', type },
    { name: 'query', type: 'text', value: `${name}?` },
  ],
  reply: {
    fields: [
      { name: 'number', type },
      { name: 'text', type: 'text', length: 'rest' },
    ],
  },
});

/** Says by itself that the device is there. */
const BEAT: MessageDeclaration = {
  name: 'beat',
  from: 'device',
  fields: [
    { name: 'number', type: 'u8' },
    { name: 'beat', type: 'text', value: 'beat' },
  ],
};

const NAMES = ['m0', 'm1', 'm2', 'm3'];
const protocolOf = (inFlight: number) =>
  plainProtocol([BEAT, ...NAMES.map((name) => numbered(name))], {
    sequence: { type: 'u8', at: 0, first: 1 },
    inFlight,
  });
const wideProtocolOf = (inFlight: number) =>
  plainProtocol(
    NAMES.map((name) => numbered(name, 'u16')),
    { sequence: { type: 'u16', at: 0, first: 1 }, inFlight },
  );

/** How late each reply is, and whether it comes once more, by then at the latest; lost where it has no delay. */
const fateWithin = (latestMs: number, againMs: number) =>
  fc.record({
    afterMs: fc.option(fc.integer({ min: 1, max: latestMs - againMs }), { nil: undefined, freq: 4 }),
    again: fc.option(fc.integer({ min: 0, max: againMs }), { nil: undefined, freq: 2 }),
  });
type Fate = ReturnType<typeof fateWithin> extends fc.Arbitrary<infer F> ? F : never;

/** Repeats the number of the request, and says which question it answers. */
function answers(payload: Uint8Array, nth: number, { afterMs, again }: Fate): Answers {
  if (afterMs === undefined) return [];
  const queryAt = payload.length - 'm0?'.length;
  const name = new TextDecoder().decode(payload.subarray(queryAt)).replace('?', '');
  const bytes = Uint8Array.from([...payload.subarray(0, queryAt), ...text(`${name}#${nth}`)]);
  return [{ afterMs, bytes }, ...(again === undefined ? [] : [{ afterMs: afterMs + again, bytes }])];
}

function lineOf(inFlight: number, fates: readonly Fate[], polled = true): PolledLine {
  const polls = polled ? NAMES.map((name) => poll(name, 100)) : [];
  const line = new PolledLine(protocolOf(inFlight), polls, (payload, nth) =>
    answers(payload, nth, fates[nth] ?? { afterMs: 20, again: undefined }),
  );
  if (!polled) line.receive(Uint8Array.from([0, ...text('beat')]));
  return line;
}

/** Nothing that a line has taken in stands under another name, and every question gets a value in the end. */
function expectOwnReplies(line: PolledLine, fates: readonly Fate[]): void {
  line.pass(fates.length * (TIMEOUT_MS + TURNAROUND_MS) + LATE_MS + 12_000);
  const named = line.heard.filter(({ message, mark }) => /^m/.test(message) && mark === undefined);
  for (const { message, fields } of named) expect(String(fields.text)).toMatch(`${message}#`);
  const values = Object.entries(line.values).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  for (const value of values) expect(value).toMatch(/^(\w+) .*"\1#/);
  expect(values).toHaveLength(NAMES.length);
}

describe('requests with numbers', () => {
  it('are answered by the replies of their own, whichever come within the window, are lost, or come twice', () => {
    const fates = fc.array(fateWithin(TIMEOUT_MS + LATE_MS, 500), { maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fates, (inFlight, each) =>
        expectOwnReplies(lineOf(inFlight, each), each),
      ),
      { numRuns: 40 },
    );
  });

  it('are so however late a reply is, where the number does not come again before', () => {
    const fates = fc.array(fateWithin(12_000, 2_000), { maxLength: 40 });
    const polls = NAMES.map((name) => poll(name, 100));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fates, (inFlight, each) => {
        const line = new PolledLine(wideProtocolOf(inFlight), polls, (payload, nth) =>
          answers(payload, nth, each[nth] ?? { afterMs: 20, again: undefined }),
        );
        expectOwnReplies(line, each);
      }),
      { numRuns: 40 },
    );
  });

  it('are counted up, from the first number again behind the greatest, over all links', () => {
    const line = lineOf(1, []);
    line.pass(20_000);
    const numbers = line.sent.map(({ payload }) => payload[0]);
    expect(numbers.length).toBeGreaterThan(300);
    expect(numbers.slice(0, 300)).toEqual(Array.from({ length: 300 }, (_, index) => 1 + (index % 255)));
  });

  it('wait for as many replies at once as is declared', () => {
    const line = lineOf(2, [], false);
    for (const [id, name] of NAMES.slice(0, 3).entries()) line.command(id, name);
    expect(line.sent.map(({ payload }) => payload[0])).toEqual([1, 2]);
    expect(line.outcomes.get(2)).toMatchObject({ ok: false, code: 'request_busy' });
    line.pass(20);
    expect(line.outcomes.get(0)).toMatchObject({ ok: true, fields: { number: 1, text: 'm0#0' } });
    expect(line.outcomes.get(1)).toMatchObject({ ok: true, fields: { number: 2, text: 'm1#1' } });
  });

  it('of one message may be out together, and their replies may come in any order', () => {
    const line = lineOf(
      2,
      [
        { afterMs: 90, again: undefined },
        { afterMs: 30, again: undefined },
      ],
      false,
    );
    line.command(1, 'm0');
    line.command(2, 'm0');
    line.pass(100);
    expect(line.outcomes.get(1)).toMatchObject({ ok: true, fields: { text: 'm0#0' } });
    expect(line.outcomes.get(2)).toMatchObject({ ok: true, fields: { text: 'm0#1' } });
  });

  it('leave out a number whose reply may still come', () => {
    const line = lineOf(
      1,
      Array.from({ length: 3 }, () => ({ afterMs: undefined, again: undefined })),
      false,
    );
    for (let id = 0; id < 256; id++) {
      line.command(id, 'm1');
      line.pass(id < 3 ? TIMEOUT_MS + 1 : 1);
      if (id >= 3) line.pass(20);
    }
    const numbers = line.sent.map(({ payload }) => payload[0]);
    expect(new Set(numbers.slice(0, 255)).size).toBe(255);
  });

  it('take no number from a caller', () => {
    const line = lineOf(1, [], false);
    line.command(1, 'm0', { number: 7 });
    expect(line.outcomes.get(1)).toMatchObject({ ok: false, code: 'bad_field_value' });
    expect(line.sent).toEqual([]);
  });
});

/** Commands that another message acknowledges, as in JT/T 808. */
const ACKNOWLEDGED = plainProtocol(
  [
    {
      name: 'set',
      id: 1,
      from: 'host',
      fields: [
        { name: 'serial', type: 'u16' },
        { name: 'level', type: 'u8' },
      ],
    },
    {
      name: 'done',
      id: 2,
      from: 'device',
      fields: [
        { name: 'answered', type: 'u16' },
        { name: 'answered_id', type: 'u8' },
        { name: 'result', type: 'u8', enum: { 0: 'good', 1: 'locked' } },
      ],
    },
  ],
  {
    id: { type: 'u8', at: 0 },
    sequence: { type: 'u16', at: 1 },
    inFlight: 4,
    answers: [
      { to: ['set'], with: 'done', copy: { answered: 'serial', answered_id: 'id' }, set: { result: 'good' } },
    ],
  },
);

describe('requests that another message answers by rule', () => {
  const done = (answered: number, result: number) => Uint8Array.of(2, 0, answered, 1, result);
  const line = () => {
    const made = new PolledLine(ACKNOWLEDGED, [], () => []);
    made.receive(done(99, 0));
    return made;
  };

  it('are done by the one that repeats their number', () => {
    const bench = line();
    bench.command(1, 'set', { level: 3 });
    bench.command(2, 'set', { level: 4 });
    bench.receive(done(1, 0));
    expect(bench.outcomes.get(1)).toBeUndefined();
    expect(bench.outcomes.get(2)).toMatchObject({ ok: true, fields: { answered: 1, result: 'good' } });
    bench.receive(done(0, 1));
    expect(bench.outcomes.get(1)).toMatchObject({
      ok: false,
      code: 'request_rejected',
      refusal: { message: 'done', code: 'locked' },
    });
  });

  it('time out, and a late answer is marked', () => {
    const bench = line();
    bench.command(1, 'set', { level: 3 });
    bench.pass(TIMEOUT_MS + 1);
    expect(bench.outcomes.get(1)).toMatchObject({ ok: false, code: 'request_timeout' });
    bench.receive(done(0, 0));
    expect(bench.heard.at(-1)).toMatchObject({ message: 'done', mark: 'late' });
    bench.receive(done(9, 0));
    expect(bench.heard.at(-1)).toEqual(expect.not.objectContaining({ mark: 'late' }));
  });
});
