import { describe, expect, it } from 'vitest';
import type { MessageDeclaration } from '../../../src/protocol/declared/declaration.ts';
import {
  LATE_MS,
  PolledLine,
  plainProtocol,
  poll,
  question,
  TIMEOUT_MS,
  text,
} from '../../support/polled-line.ts';

/** Registers of a Modbus slave: address, function 4, start; the reply has one register. */
const registers = (name: string, start: number): MessageDeclaration => ({
  name,
  from: 'host',
  fields: [
    { name: 'unit', type: 'u8', value: 7 },
    { name: 'function', type: 'u8', value: 4 },
    { name: 'start', type: 'u16', value: start },
  ],
  reply: {
    fields: [
      { name: 'unit', type: 'u8', value: 7 },
      { name: 'function', type: 'u8', value: 4 },
      { name: 'value', type: 'u16' },
    ],
  },
});
const exception: MessageDeclaration = {
  name: 'exception',
  from: 'device',
  rejects: { request: 'any', code: 'why' },
  fields: [
    { name: 'unit', type: 'u8' },
    { name: 'function', type: 'u8', value: 0x84 },
    { name: 'why', type: 'u8', enum: { 2: 'illegal_address' } },
  ],
};
const slave = plainProtocol([registers('good', 0), registers('bad', 90), exception]);
const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const GOOD = bytes(7, 4, 0, 42);
const REFUSED = bytes(7, 0x84, 2);

const answering = (refusal: Uint8Array, afterMs = 10) =>
  new PolledLine(slave, [poll('good', 200), poll('bad', 200)], (payload) => [
    { afterMs, bytes: payload[3] === 90 ? refusal : GOOD },
  ]);

describe('a request that the device refuses', () => {
  it('ends at once, and holds nothing up', () => {
    const line = answering(REFUSED);
    line.pass(2_000);
    expect(line.heard.filter(({ message }) => message === 'good').length).toBeGreaterThanOrEqual(10);
    expect(line.stats).toMatchObject({ timeouts: 0, late_replies: 0, unsolicited_replies: 0 });
    expect(line.stats.error_replies).toBeGreaterThan(5);
    expect(line.values).toMatchObject({ good: { value: 42 }, exception: { why: 'illegal_address' } });
  });

  it('fails a command with the code of the device, and what that is called', () => {
    const line = new PolledLine(slave, [], () => []);
    line.receive(REFUSED);
    line.command(1, 'good');
    line.receive(REFUSED);
    expect(line.outcomes.get(1)).toMatchObject({
      ok: false,
      code: 'request_rejected',
      detail: 'the device refused good with exception: illegal_address (2)',
      refusal: { message: 'exception', code: 2, name: 'illegal_address' },
    });
    line.command(2, 'bad');
    line.receive(bytes(7, 0x84, 9));
    expect(line.outcomes.get(2)).toMatchObject({ refusal: { message: 'exception', code: 9 } });
  });

  it('is a sign of life, alone too', () => {
    const line = new PolledLine(slave, [poll('bad', 200)], () => [{ afterMs: 10, bytes: REFUSED }]);
    line.pass(100);
    expect(line.status).toBe('online');
  });

  it('goes on where another slave is refused', () => {
    const line = answering(bytes(8, 0x84, 2));
    line.pass(TIMEOUT_MS);
    expect(line.marked.map(({ message, mark }) => [message, mark])).toEqual([['exception', 'unsolicited']]);
    expect(line.values).toEqual({ good: { value: 42 } });
    expect(line.stats.error_replies).toBe(0);
  });

  it('is not the one that is out now where it may be one that timed out', () => {
    const other = { ...registers('other', 5), reply: { fields: [{ name: 'long', type: 'u64' }] } };
    const polls = [poll('bad', 10_000), poll('other', 10_000)];
    const line = new PolledLine(plainProtocol([registers('bad', 90), other, exception]), polls, (payload) =>
      payload[3] === 90 ? [{ afterMs: TIMEOUT_MS + 50, bytes: REFUSED }] : [],
    );
    line.pass(TIMEOUT_MS + 60);
    expect(line.marked.map(({ mark }) => mark)).toEqual(['ambiguous']);
    line.pass(TIMEOUT_MS);
    expect(line.stats.timeouts).toBe(2);
  });

  it('that timed out frees the line when the refusal comes late', () => {
    const line = answering(REFUSED, TIMEOUT_MS + 100);
    line.pass(TIMEOUT_MS + 150);
    expect(line.marked.map(({ mark }) => mark)).toEqual(['late']);
    line.pass(LATE_MS / 10);
    expect(line.sent.length).toBe(2);
  });

  it('is named in a list, and only then', () => {
    const only = { ...exception, rejects: { request: ['bad'] } };
    const line = new PolledLine(
      plainProtocol([registers('good', 0), registers('bad', 90), only]),
      [poll('good', 10_000)],
      () => [{ afterMs: 5, bytes: REFUSED }],
    );
    line.pass(TIMEOUT_MS);
    expect(line.stats.timeouts).toBe(1);
    expect(line.marked.map(({ mark }) => mark)).toEqual(['unsolicited']);
  });

  it('is known by its text before a reply that may be any text', () => {
    const error: MessageDeclaration = {
      name: 'failed',
      from: 'device',
      rejects: { request: 'any' },
      fields: [{ name: 'text', type: 'text', value: 'ERROR' }],
    };
    const line = new PolledLine(plainProtocol([question('csq'), error]), [poll('csq', 100)], (_, nth) => [
      { afterMs: 5, bytes: text(nth === 0 ? 'ERROR' : '15,99') },
    ]);
    line.pass(50);
    expect(line.heard).toMatchObject([{ message: 'failed' }]);
    expect(line.values).toEqual({});
    line.pass(100);
    expect(line.values).toEqual({ csq: { text: '15,99' } });
  });
});

describe('a frame that fits nothing', () => {
  it('ends no request, is blamed on no message, and is named when its time is up', () => {
    const line = new PolledLine(slave, [], () => []);
    line.receive(REFUSED);
    line.command(1, 'bad');
    line.receive(bytes(9, 4, 0, 42));
    expect(line.heard.at(-1)).toMatchObject({ message: 'invalid' });
    expect(line.outcomes.size).toBe(0);
    line.pass(TIMEOUT_MS);
    expect(line.outcomes.get(1)).toMatchObject({ code: 'request_timeout' });
    expect(JSON.stringify(line.outcomes.get(1))).toContain('0904002a');
  });

  it('is the reply where it begins as that does', () => {
    const line = new PolledLine(slave, [], () => []);
    line.receive(REFUSED);
    line.command(1, 'bad');
    line.receive(bytes(7, 4, 0));
    expect(line.outcomes.get(1)).toMatchObject({ code: 'invalid_reply' });
  });
});
