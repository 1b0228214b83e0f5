import { describe, expect, it } from 'vitest';
import type { MessageDeclaration } from '../../../src/protocol/declared/declaration.ts';
import {
  type Answers,
  LATE_MS,
  PolledLine,
  plainProtocol,
  poll,
  question,
  TIMEOUT_MS,
  text,
} from '../../support/polled-line.ts';

const NUMBER = [
  { name: 'unit', type: 'u8', value: 3 },
  { name: 'function', type: 'u8', value: 6 },
  { name: 'register', type: 'u16' },
  { name: 'value', type: 'u16' },
];
const write: MessageDeclaration = { name: 'write', from: 'host', fields: NUMBER, reply: { fields: NUMBER } };
const protocol = plainProtocol([question('volt'), write]);
const polls = [poll('volt', 200)];
const WRITE = 6;

/** `copies` of a write, for which the device itself returns the request; a question is answered as `asked` says. */
const line = (asked: (payload: Uint8Array) => Answers, copies: number) =>
  new PolledLine(protocol, polls, (payload) =>
    payload[1] === WRITE
      ? Array.from({ length: copies }, (_, index) => ({ afterMs: 5 + index, bytes: payload }))
      : asked(payload),
  );
const answer = (): Answers => [{ afterMs: 10, bytes: text('12.5') }];
const echo = (payload: Uint8Array): Answers => [{ afterMs: 2, bytes: payload }];
const echoed = (payload: Uint8Array): Answers => [...echo(payload), ...answer()];
const writes = { register: 1, value: 9 };

describe('a line that returns what is sent', () => {
  it.each([
    ['after two requests', 60_000, 2 * TIMEOUT_MS + LATE_MS],
    ['when it is silent, where that is sooner', 500, 501],
  ])('alone is no device: not online, no value, and it is said why %s', (_, silenceMs, ms) => {
    const plug = new PolledLine(protocol, polls, echo, { silenceMs });
    plug.pass(ms - 1);
    expect(plug.closed).toEqual([]);
    plug.pass(1);
    expect(plug.heard).toEqual([]);
    expect(plug.values).toEqual({});
    expect(plug.states.at(-1)).toMatchObject({
      status: 'unknown',
      reason: 'echo',
      link: { status: 'failed', reason: 'echo' },
    });
  });

  it('and has a device at its end gives each reply once', () => {
    const adapter = line(echoed, 2);
    adapter.pass(1_100);
    expect(adapter.heard.length).toBe(adapter.sent.length);
    expect(adapter.marked).toEqual([]);
    expect(adapter.values).toEqual({ volt: { text: '12.5' } });
    expect(adapter.stats.discarded_bytes).toBe(5 * adapter.sent.length);
  });

  it('stays in use when the device at its end falls silent', () => {
    let silent = false;
    const adapter = line((payload) => (silent ? echo(payload) : echoed(payload)), 1);
    adapter.pass(1_000);
    silent = true;
    adapter.pass(20_000);
    expect(adapter.closed).toEqual([]);
  });

  it('glued to the reply, where nothing tells the two apart, is cut off', () => {
    const read: MessageDeclaration = {
      name: 'read',
      from: 'host',
      fields: [{ name: 'what', type: 'u8', value: 5 }],
      reply: {
        fields: [
          { name: 'head', type: 'u8', value: 5 },
          { name: 'value', type: 'u16' },
        ],
      },
    };
    const glued = new PolledLine(plainProtocol([read]), [poll('read', 200)], (payload) => [
      { afterMs: 5, bytes: Uint8Array.of(...payload, 5, 1, 2) },
    ]);
    glued.pass(100);
    expect(glued.values).toEqual({ read: { value: 258 } });
  });
});

describe('a reply that is its request, byte for byte', () => {
  it('is the first copy on a line that does not echo', () => {
    const wire = line(answer, 1);
    wire.pass(1_010);
    wire.command(1, 'write', writes);
    wire.pass(200);
    expect(wire.outcomes.get(1)).toMatchObject({ ok: true, fields: writes });
  });

  it('is the second copy on a line that echoes', () => {
    const adapter = line(echoed, 2);
    adapter.pass(1_010);
    adapter.command(1, 'write', writes);
    adapter.pass(200);
    expect(adapter.outcomes.get(1)).toMatchObject({ ok: true, fields: writes });
  });

  it('has not come where only the echo has', () => {
    const adapter = line(echoed, 1);
    adapter.pass(1_010);
    adapter.command(1, 'write', writes);
    adapter.pass(TIMEOUT_MS + 200);
    expect(adapter.outcomes.get(1)).toMatchObject({ ok: false, code: 'request_timeout' });
  });

  it('is the first copy again once the echo is switched off', () => {
    let echoes = true;
    const adapter = line((payload) => (echoes ? echoed(payload) : answer()), 1);
    adapter.pass(1_000);
    echoes = false;
    adapter.pass(1_010);
    adapter.command(1, 'write', writes);
    adapter.pass(200);
    expect(adapter.outcomes.get(1)).toMatchObject({ ok: true });
  });
});

it('what both sides may say counts again once our own echo can come no more', () => {
  const hello: MessageDeclaration = {
    name: 'hello',
    from: 'any',
    fields: [{ name: 'text', type: 'text', value: 'HI' }],
  };
  const talk = new PolledLine(plainProtocol([hello]), [], () => []);
  talk.receive(text('HI'));
  expect(talk.heard.length).toBe(1);
  talk.command(1, 'hello');
  talk.receive(text('HI'));
  expect(talk.heard.length).toBe(1);
  talk.receive(text('HI'));
  expect(talk.heard.length).toBe(2);
});
