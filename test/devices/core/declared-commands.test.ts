import { describe, expect, it } from 'vitest';
import type { Values } from '../../../src/protocol/declared/value.ts';
import { answered, notice, ovenCatalog } from '../../support/declared.ts';
import { reply, SessionBench, settings } from '../../support/session-bench.ts';

function oven(): SessionBench {
  const bench = new SessionBench(settings(), () => 0.5, ovenCatalog());
  bench.tell({ type: 'started' });
  bench.tell({ type: 'linkOpened', address: '10.0.0.7:9089' });
  bench.message(reply('register'));
  bench.message(reply('heartbeat'));
  return bench;
}

const command = (requestId: number, message: string, fields: Values = {}, timeoutMs = 2_000) =>
  ({ type: 'requestMade', requestId, message, fields, timeoutMs }) as const;
const telemetry = (set_point: number) => notice('telemetry', { temperature: 20, set_point, channels: [] });

describe('a command that is not as declared', () => {
  it.each([
    ['bake', {}, 'message_unknown', 'set, blink, read, file_chunk'],
    ['telemetry', {}, 'request_not_allowed', 'from: device'],
    ['set', {}, 'bad_field_value', 'set_point'],
    ['set', { set_point: 91 }, 'bad_field_value', '91'],
    ['set', { set_point: 'hot' }, 'bad_field_value', 'hot'],
    ['set', { set_point: 20, colour: 1 }, 'bad_field_value', 'colour'],
    ['heartbeat', { a: 1 }, 'bad_field_value', 'a'],
  ])('%s %o is not sent', (message, fields, code, detail) => {
    const bench = oven();
    expect(bench.tell(command(1, message, fields))).toEqual([`settle 1 ${code}`]);
    expect(bench.outcomes.get(1)).toMatchObject({ detail: expect.stringContaining(detail) });
  });
});

describe('a command', () => {
  it('carries the error code of its reply verbatim, with its declared name', () => {
    const bench = oven();
    expect(bench.tell(command(1, 'set', { set_point: 30 }))).toEqual(['send set request']);
    bench.now += 7;
    expect(bench.message(answered('set', -3, {}, 'locked'))).toEqual(['settle 1 ok']);
    expect(bench.outcomes.get(1)).toEqual({
      ok: true,
      error: -3,
      errorName: 'locked',
      fields: {},
      roundTripMs: 7,
    });
  });

  it('is one of its name: another is busy, one of another name is not', () => {
    const bench = oven();
    bench.tell(command(1, 'set', { set_point: 30 }));
    expect(bench.tell(command(2, 'set', { set_point: 31 }))).toEqual(['settle 2 request_busy']);
    expect(bench.tell(command(3, 'read', { unit: 1 }))).toEqual(['send read request']);
    expect(bench.message(answered('read', 0, { power: 9 }))).toEqual(['settle 3 ok']);
    expect(bench.outcomes.get(3)).toMatchObject({ fields: { power: 9 } });
  });

  it('that nothing answers is done when the link took it, and not when it did not', () => {
    const bench = oven();
    expect(bench.tell(command(1, 'blink'))).toEqual(['send blink notice']);
    const message = notice('blink', {});
    expect(bench.tell({ type: 'sendAccepted', message })).toEqual(['settle 1 ok']);
    expect(bench.outcomes.get(1)).not.toHaveProperty('error');
    bench.tell(command(2, 'blink'));
    expect(bench.tell({ type: 'sendRefused', message, code: 'link_queue_full' })).toEqual([
      'settle 2 link_queue_full',
    ]);
  });

  it('fails with its link and is never sent again', () => {
    const bench = oven();
    bench.tell(command(1, 'set', { set_point: 30 }));
    expect(bench.tell({ type: 'linkClosed', code: 'link_reset', detail: 'reset' })).toEqual([
      'settle 1 link_lost',
    ]);
    const later = [
      ...bench.pass(1_000),
      ...bench.tell({ type: 'linkOpened', address: 'x' }),
      ...bench.message(reply('register')),
      ...bench.pass(20_000),
    ];
    expect(later.join()).not.toContain('set');
  });

  it('is not sent while the device is not online', () => {
    const bench = oven();
    bench.tell({ type: 'linkClosed', code: 'link_reset', detail: 'reset' });
    expect(bench.tell(command(1, 'set', { set_point: 30 }))).toEqual(['settle 1 device_not_online']);
  });
});

describe('the effect of a command', () => {
  it('is observed when a later message says what was asked for', () => {
    const bench = oven();
    bench.message(telemetry(20));
    bench.tell(command(1, 'set', { set_point: 30 }));
    expect(bench.message(answered('set'))).toEqual([]);
    expect(bench.message(telemetry(20))).toEqual([]);
    expect(bench.message(telemetry(30))).toEqual(['settle 1 ok']);
    expect(bench.outcomes.get(1)).toMatchObject({ error: 0, observed: true });
  });

  it('may be seen before the reply', () => {
    const bench = oven();
    bench.tell(command(1, 'set', { set_point: 30 }));
    bench.message(telemetry(30));
    expect(bench.message(answered('set'))).toEqual(['settle 1 ok']);
    expect(bench.outcomes.get(1)).toMatchObject({ observed: true });
  });

  it('that is not seen within the time-out is not observed, though the command was answered', () => {
    const bench = oven();
    bench.tell(command(1, 'set', { set_point: 30 }));
    bench.message(answered('set'));
    expect(bench.tell(command(2, 'set', { set_point: 31 }))).toEqual(['send set request']);
    expect(bench.pass(2_000)).toContain('2000 settle 1 ok');
    expect(bench.outcomes.get(1)).toMatchObject({ error: 0, observed: false });
  });

  it('of a refused command is not waited for', () => {
    const bench = oven();
    bench.tell(command(1, 'set', { set_point: 30 }));
    expect(bench.message(answered('set', -1))).toEqual(['settle 1 ok']);
    expect(bench.outcomes.get(1)).not.toHaveProperty('observed');
  });

  it('counts nothing that was known before', () => {
    const bench = oven();
    bench.message(telemetry(30));
    bench.tell(command(1, 'set', { set_point: 30 }));
    expect(bench.message(answered('set'))).toEqual([]);
    expect(bench.message(telemetry(30))).toEqual(['settle 1 ok']);
  });
});
