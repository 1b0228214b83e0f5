import { describe, expect, it } from 'vitest';
import type { MessageDeclaration } from '../../../src/protocol/declared/declaration.ts';
import { LATE_MS, PolledLine, plainProtocol, poll, TIMEOUT_MS } from '../../support/polled-line.ts';

/** One message for all registers: only the start tells what is asked, and the reply does not repeat it. */
const read: MessageDeclaration = {
  name: 'read',
  from: 'host',
  fields: [
    { name: 'unit', type: 'u8' },
    { name: 'function', type: 'u8', value: 3 },
    { name: 'start', type: 'u8' },
  ],
  reply: {
    fields: [
      { name: 'unit', type: 'u8' },
      { name: 'function', type: 'u8', value: 3 },
      { name: 'value', type: 'u16', limits: { alarm: [null, 1_000] } },
    ],
  },
};
const protocol = plainProtocol([read]);
const from = (unit: number, start: number, as?: string) =>
  poll('read', 200, { fields: { unit, start }, ...(as === undefined ? {} : { as }) });
const reply = (unit: number, value: number): Uint8Array => Uint8Array.of(unit, 3, value >> 8, value & 0xff);
/** 10 times the start. */
const answer = ([unit = 0, , start = 0]: Uint8Array, afterMs = 10) => [
  { afterMs, bytes: reply(unit, 10 * start) },
];

describe('polls of one message with different fields', () => {
  it('have values, quality and alarms of their own', () => {
    const line = new PolledLine(protocol, [from(1, 20, 'volt'), from(1, 120, 'power')], (sent) =>
      answer(sent),
    );
    line.pass(1_000);
    expect(line.values).toEqual({ volt: { unit: 1, value: 200 }, power: { unit: 1, value: 1_200 } });
    expect(line.states.at(-1)?.quality).toEqual({ 'power.value': 'alarm' });
    expect(line.heard.map(({ message, group }) => `${message} ${group}`)).toContain('read power');
  });

  it('do not take the late reply of one another', () => {
    const line = new PolledLine(protocol, [from(1, 2, 'volt'), from(1, 12, 'power')], (sent, nth) =>
      answer(sent, nth === 0 ? TIMEOUT_MS + 600 : 10),
    );
    line.pass(5_000);
    expect(line.marked.map(({ mark }) => mark)).toEqual(['late']);
    for (const { values = {} } of line.states) {
      const { volt, power } = values;
      if (volt !== undefined) expect(volt).toEqual({ unit: 1, value: 20 });
      if (power !== undefined) expect(power).toEqual({ unit: 1, value: 120 });
    }
  });

  it('are told apart by what the reply repeats in front of a constant: none waits for another slave', () => {
    const line = new PolledLine(protocol, [from(1, 2, 'one'), from(2, 3, 'two')], (sent) =>
      sent[0] === 1 ? answer(sent) : [],
    );
    line.pass(TIMEOUT_MS + LATE_MS);
    expect(line.sent.filter(({ payload }) => payload[0] === 1).length).toBeGreaterThan(4);
    expect(line.values).toEqual({ one: { unit: 1, value: 20 } });
  });

  it('get no value of another slave', () => {
    const line = new PolledLine(protocol, [from(1, 2)], () => [{ afterMs: 10, bytes: reply(2, 99) }]);
    line.pass(TIMEOUT_MS);
    expect(line.values).toEqual({});
    expect(line.status).not.toBe('online');
    expect(line.marked.map(({ mark }) => mark)).toEqual(['unsolicited']);
    expect(line.stats.timeouts).toBe(1);
  });

  it('keep their values when a command asks for something else', () => {
    const line = new PolledLine(protocol, [from(1, 2)], (sent) => answer(sent));
    line.pass(110);
    line.command(1, 'read', { unit: 1, start: 30 });
    line.pass(30);
    expect(line.outcomes.get(1)).toMatchObject({ ok: true, fields: { value: 300 } });
    line.command(2, 'read', { unit: 1, start: 2 });
    line.pass(2_000);
    expect(line.outcomes.get(2)).toMatchObject({ ok: true, fields: { value: 20 } });
    for (const { values } of line.states)
      expect(values?.read ?? { unit: 1, value: 20 }).toMatchObject({ value: 20 });
  });
});

it('a poll that must wait stays due, whatever its cadence', () => {
  const line = new PolledLine(
    protocol,
    [
      { ...from(1, 2), everyMs: 60_000 },
      { ...from(1, 3, 'rare'), everyMs: 60_000 },
    ],
    (sent) => (sent[2] === 2 ? [] : answer(sent)),
  );
  line.pass(TIMEOUT_MS + LATE_MS + 50);
  expect(line.values).toEqual({ rare: { unit: 1, value: 30 } });
});

describe('a command that a polled message confirms', () => {
  const write: MessageDeclaration = {
    name: 'write',
    from: 'host',
    confirms: { value: 'read.value' },
    fields: [
      { name: 'function', type: 'u8', value: 6 },
      { name: 'value', type: 'u16' },
    ],
  };
  const both = plainProtocol([read, write]);
  const written = (polls: readonly ReturnType<typeof from>[]) => {
    const line = new PolledLine(both, polls, (sent) => (sent[0] === 6 ? [] : answer(sent)));
    line.pass(500);
    line.command(1, 'write', { value: 20 }, 1_000);
    line.pass(2_000);
    return line.outcomes.get(1);
  };

  it('is observed under whatever name its values stand', () => {
    expect(written([from(1, 2)])).toMatchObject({ ok: true, observed: true });
    expect(written([from(1, 2, 'volt')])).toMatchObject({ ok: true, observed: true });
  });

  it('is not observed where the message is polled for different things', () => {
    expect(written([from(1, 2, 'volt'), from(1, 3, 'power')])).toMatchObject({ ok: true, observed: false });
  });
});
