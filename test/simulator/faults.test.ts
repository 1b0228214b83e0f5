import { describe, expect, test } from 'vitest';
import { HeartwireError } from '../../src/errors.ts';
import { FAULT_EXAMPLES, parseFaults } from '../../src/simulator/faults.ts';

function refusal(text: string): HeartwireError {
  try {
    parseFaults(text);
  } catch (error) {
    if (error instanceof HeartwireError) return error;
    throw error;
  }
  throw new Error(`"${text}" was accepted`);
}

describe('parseFaults', () => {
  test.each([
    ['', {}],
    ['drop=0.01,corrupt=.5', { drop: 0.01, corrupt: 0.5 }],
    [' stall=5s , late-reply=250ms ', { stallMs: 5_000, lateReplyMs: 250 }],
    ['trickle', { trickleMs: 20 }],
    ['trickle=1.5s', { trickleMs: 1_500 }],
    ['half-open,garbage,short', { halfOpenAfterMs: 10_000, garbage: 0.1, shortEveryMs: 60_000 }],
    ['half-open=1m,garbage=1,short=1h', { halfOpenAfterMs: 60_000, garbage: 1, shortEveryMs: 3_600_000 }],
    ['refuse,echo', { refuse: true, echo: true }],
  ])('%j', (text, faults) => {
    expect(parseFaults(text)).toEqual(faults);
  });

  test.each([
    ['dorp=0.1', /no fault "dorp".*drop=0\.01.*echo/],
    ['constructor', /no fault "constructor"/],
    ['drop', /"drop" needs a share.*drop=0\.01/],
    ['drop=', /"" is no share from 0 to 1/],
    ['drop=2', /"2" is no share from 0 to 1/],
    ['drop=-0.1', /"-0\.1" is no share/],
    ['drop=1e-2', /"1e-2" is no share/],
    ['stall=5', /"5" is no duration with a unit.*stall=5s/],
    ['stall=0s', /"0s" is no duration/],
    ['stall', /"stall" needs a duration/],
    ['echo=1', /"echo" takes no value/],
    ['stall=5s,stall=6s', /"stall" is given twice/],
    ['late-reply=4s=5s', /"4s=5s" is no duration/],
  ])('%j is refused with what to write', (text, message) => {
    const error = refusal(text);
    expect(error.code).toBe('bad_fault');
    expect(error.message).toMatch(message);
    expect(error.fix).toBeDefined();
  });

  test('every example can be read', () => {
    expect(Object.keys(parseFaults(FAULT_EXAMPLES.join(',')))).toHaveLength(FAULT_EXAMPLES.length);
  });
});
