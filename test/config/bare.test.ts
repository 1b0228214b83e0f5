import { describe, expect, it } from 'vitest';
import { completeBare } from '../../src/config/complete-session.ts';
import { deviceShape } from '../../src/config/shape.ts';
import { device, problem, REGISTER } from './example.ts';

/** The life that these keys of a device mean. */
const lifeOf = (keys: object) =>
  completeBare(deviceShape.parse({ id: 'x', session: 'none', ...keys }), {}, [], () => undefined);

const bare = (keys: string) => device(`link: /dev/ttyUSB0, session: none, ${keys}`).session;

describe('session: none', () => {
  it('needs no register, and asks nobody for the time', () => {
    const { bare: life, register, clock } = bare('role: client');
    expect({ life, register, clock }).toEqual({
      life: { silenceMs: 10_000, polls: [], turnaroundMs: 10 },
      register: undefined,
      clock: undefined,
    });
  });

  it('polls with the fields that are given', () => {
    const poll = [
      { message: 'read_power', every: '5s', fields: { unit: 1 } },
      { message: 'b', every: '1m' },
    ];
    expect(lifeOf({ poll, turnaround: '50ms' })).toEqual({
      silenceMs: 15_000,
      polls: [
        { message: 'read_power', fields: { unit: 1 }, everyMs: 5_000 },
        { message: 'b', fields: {}, everyMs: 60_000 },
      ],
      lateMs: 2_500,
      turnaroundMs: 50,
    });
  });

  it.each([
    ['silence: 90s', 90_000],
    ['silence: false', undefined],
  ])('with %s', (keys, silenceMs) => {
    expect(bare(keys).bare?.silenceMs).toBe(silenceMs);
  });

  it('in defaults leaves listeners alone', () => {
    const found = problem('defaults: { session: none }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }, 3]');
    expect(found.path).toBe('listeners[1]');
  });

  it.each([
    ['session: none', 'register'],
    ['poll: []', 'poll'],
    ['silence: 1m', 'silence'],
  ])('beside a register: %s', (keys, path) => {
    const found = problem(`devices:\n  - { id: x, link: "tcp:a:1", ${REGISTER}, ${keys} }`);
    expect(found).toMatchObject({
      path: `devices[0].${path}`,
      code: 'config_no_effect',
      severity: 'warning',
    });
  });
});

describe('how late a reply may be', () => {
  const life = (more: object) => lifeOf({ poll: [{ message: 'a', every: '1s' }], ...more });

  it('follows the time-out, and is at least 2 s', () => {
    expect(life({})).toMatchObject({ lateMs: 2_500, silenceMs: 10_000 });
    expect(life({ request_timeout: '500ms' })).toMatchObject({ lateMs: 2_000, silenceMs: 10_000 });
    expect(life({ late_window: '300ms' })).toMatchObject({ lateMs: 300 });
  });

  it('counts for the silence: one lost reply makes no device offline', () => {
    expect(life({ request_timeout: '10s' })).toMatchObject({ lateMs: 5_000, silenceMs: 17_000 });
    expect(life({ request_timeout: '10s', silence: '5s' })).toMatchObject({ silenceMs: 5_000 });
  });
});
