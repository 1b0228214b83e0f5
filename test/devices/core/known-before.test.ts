import { describe, expect, it } from 'vitest';
import type { KnownBefore } from '../../../src/devices/core/session-events.ts';
import { dialIn, SessionBench } from '../../support/session-bench.ts';

const IDENTITY = { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' };

/** A device that an earlier run knew, and that has been away for so long. */
function resumed(
  awayMs: number,
  known: Partial<KnownBefore> = {},
  presence?: { everyMs: number },
): SessionBench {
  const bench = new SessionBench(dialIn(presence === undefined ? {} : { presence }));
  const since = bench.startWallMs - awayMs;
  const before = { since, reason: 'link_closed', detail: 'closed', byItself: false, ...known };
  bench.tell({ type: 'started', after: before });
  return bench;
}

describe('a device that an earlier run knew', () => {
  it('is offline since then, for the same reason, and waits to dial in', () => {
    const bench = resumed(5_000, { reason: 'silent', detail: 'quiet', identity: IDENTITY });
    expect(bench.state).toMatchObject({
      status: 'offline',
      reason: 'silent',
      detail: 'quiet',
      since: bench.startWallMs - 5_000,
      identity: IDENTITY,
      link: { status: 'listening' },
    });
  });

  it('is not away since a time to come where the clock was set back', () => {
    const bench = resumed(-60_000);
    expect(bench.state).toMatchObject({ status: 'offline', since: bench.startWallMs });
  });

  it('is away still, until its next report is overdue', () => {
    const bench = resumed(5_000, { byItself: true }, { everyMs: 10_000 });
    expect(bench.state?.status).toBe('away');
    bench.pass(9_999);
    expect(bench.state?.status).toBe('away');
    bench.pass(1);
    expect(bench.state).toMatchObject({ status: 'offline', reason: 'overdue' });
  });

  it('is overdue at once where the bridge was stopped for longer', () => {
    const bench = resumed(60_000, { byItself: true }, { everyMs: 10_000 });
    bench.pass(1);
    expect(bench.state).toMatchObject({ status: 'offline', reason: 'overdue' });
  });
});
