import { describe, expect, it } from 'vitest';
import {
  APPID,
  dialIn,
  IMEI,
  registerRequest,
  reply,
  request,
  SessionBench,
} from '../../support/session-bench.ts';

const identity = { appid: APPID, imei: IMEI };
let claimId = 0;
const from = (host: string) => ({ claimId: ++claimId, address: `${host}:50000`, host, register: identity });
const hungUp = { type: 'linkClosed', code: 'link_closed', detail: 'the peer closed the link' } as const;

function dialledIn(settings = dialIn(), host = '10.0.0.1') {
  const bench = new SessionBench(settings);
  bench.tell({ type: 'started' });
  const claim = from(host);
  const orders = bench.claim(claim);
  return { bench, claim, orders };
}

describe('a device that dials in', () => {
  it('waits, listening, and is online with its register', () => {
    const bench = new SessionBench(dialIn());
    bench.tell({ type: 'started' });
    expect(bench.axes).toBe('unknown, link listening');
    const claim = from('10.0.0.1');
    expect(bench.claim(claim)).toEqual([`attach ${claim.claimId}`, 'send register reply 0']);
    expect(bench.axes).toBe('online, link connected');
    expect(bench.state?.identity).toEqual(identity);
    expect(bench.state?.link.address).toBe('10.0.0.1:50000');
  });

  it('is listening again, offline, when it is silent', () => {
    const { bench } = dialledIn();
    bench.pass(4_501);
    expect(bench.axes).toBe('stale (silent), link connected');
    expect(bench.pass(6_000)).toEqual(['10001 destroy']);
    expect(bench.axes).toBe('offline (silent), link listening (silent)');
  });

  it('is offline on the dot where one missed beat is enough, though it is not stale yet', () => {
    const { bench } = dialledIn(dialIn({ heartbeat: { intervalMs: 30_000, missed: 1, from: 'client' } }));
    expect(bench.pass(31_001)).toEqual(['31001 destroy']);
    expect(bench.axes).toBe('offline (silent), link listening (silent)');
  });

  it('is answered, and never answered for a reply', () => {
    const { bench } = dialledIn();
    expect(bench.message(request('heartbeat'))).toEqual(['send heartbeat reply 0']);
    expect(bench.message(request('datetime'))).toEqual(['send datetime reply 0']);
    expect(bench.message(reply('heartbeat'))).toEqual([]);
    expect(bench.message(reply('register', -1))).toEqual([]);
    bench.pass(1_000);
    expect(bench.stats?.unsolicited_replies).toBe(2);
  });

  it.each(['server', 'both'] as const)('is beaten by us where heartbeat.from is %s', (who) => {
    const { orders, bench } = dialledIn(dialIn({ heartbeat: { intervalMs: 3_000, missed: 3, from: who } }));
    expect(orders.slice(1)).toEqual(['send register reply 0', 'send heartbeat request']);
    expect(bench.pass(3_000)).toEqual(['3000 send heartbeat request']);
  });

  it('may register again as the same, and not as another', () => {
    const { bench } = dialledIn();
    expect(bench.message(registerRequest(identity))).toEqual(['send register reply 0']);
    expect(bench.axes).toBe('online, link connected');
    const other = registerRequest({ appid: APPID, imei: '490154203237518' });
    expect(bench.message(other)).toEqual(['send register reply -1', 'end']);
    expect(bench.axes).toBe('offline (identity_changed), link listening (identity_changed)');
  });

  it('known by its address may be another device than over its last link', () => {
    const bench = new SessionBench(dialIn());
    bench.tell({ type: 'started' });
    const { register: _, ...byAddress } = from('10.0.0.1');
    bench.claim(byAddress);
    bench.message(registerRequest(identity));
    bench.tell(hungUp);
    bench.claim({ ...byAddress, claimId: ++claimId });
    const other = { appid: APPID, imei: '490154203237518' };
    expect(bench.message(registerRequest(other))).toEqual(['send register reply 0']);
    expect(bench.axes).toBe('online, link connected');
    expect(bench.state?.identity).toEqual(other);
    expect(bench.message(registerRequest(identity))).toEqual(['send register reply -1', 'end']);
  });

  it('has a warning where its IMEI fails the checksum', () => {
    const { bench } = dialledIn();
    bench.tell(hungUp);
    bench.claim({ ...from('10.0.0.1'), register: { appid: APPID, imei: '869858030720694' } });
    expect(bench.state?.warnings).toEqual(['imei_checksum']);
  });

  it('with short connections is away until its report is overdue', () => {
    const { bench } = dialledIn(dialIn({ presence: { everyMs: 900_000 } }));
    bench.tell(hungUp);
    expect(bench.axes).toBe('away (link_closed), link listening (link_closed)');
    bench.pass(1_349_999);
    expect(bench.state?.status).toBe('away');
    bench.pass(1);
    expect(bench.axes).toBe('offline (overdue), link listening (link_closed)');
    bench.claim(from('10.0.0.1'));
    expect(bench.axes).toBe('online, link connected');
  });

  it('with short connections is not overdue once it is back', () => {
    const { bench } = dialledIn(dialIn({ presence: { everyMs: 4_000 } }));
    bench.tell(hungUp);
    bench.pass(5_000);
    bench.claim(from('10.0.0.1'));
    bench.pass(1_001);
    expect(bench.axes).toBe('online, link connected');
  });

  it('with short connections is away too where it closed without reading our last answer', () => {
    const { bench } = dialledIn(dialIn({ presence: { everyMs: 900_000 } }));
    bench.tell({ type: 'linkClosed', code: 'link_reset', detail: 'the peer reset the connection' });
    expect(bench.axes).toBe('away (link_reset), link listening (link_reset)');
  });

  it('with short connections that falls silent instead of hanging up is offline', () => {
    const { bench } = dialledIn(dialIn({ presence: { everyMs: 900_000 } }));
    bench.pass(11_000);
    expect(bench.axes).toBe('offline (silent), link listening (silent)');
  });
});

describe('takeover', () => {
  it('from the same address the newest link wins at once', () => {
    const { bench } = dialledIn();
    const next = from('10.0.0.1');
    expect(bench.claim(next)).toEqual(['destroy', `attach ${next.claimId}`, 'send register reply 0']);
    expect(bench.axes).toBe('online, link connected');
  });

  it('counts what the former link left, and does not blame the newest for it', () => {
    const { bench } = dialledIn();
    bench.claim(from('10.0.0.1'));
    const report = { reason: 'truncated', count: 3, sample: Uint8Array.of(0, 0, 0), seen: '000000' } as const;
    bench.tell({ type: 'bytesDiscarded', report: { ...report, expected: 'a frame' }, past: true });
    expect(bench.session.stats.counts.discarded_bytes).toBe(3);
    bench.pass(11_000);
    expect(bench.axes).toBe('offline (silent), link listening (silent)');
    expect(bench.state?.detail).not.toContain('000000');
  });

  it('is of another link, which is connected since then', () => {
    const { bench } = dialledIn();
    const since = bench.state?.link.since ?? 0;
    bench.pass(1_000);
    bench.claim(from('10.0.0.1'));
    expect(bench.state?.link.since).toBe(since + 1_000);
  });

  it('from another address a link that has been quiet for an interval yields', () => {
    const { bench } = dialledIn();
    bench.pass(3_000);
    const next = from('10.0.0.2');
    expect(bench.claim(next)).toContain(`attach ${next.claimId}`);
  });

  it('from another address a lively link is probed, and keeps the identity when it answers', () => {
    const { bench } = dialledIn();
    bench.pass(1_000);
    const next = from('10.0.0.2');
    expect(bench.claim(next)).toEqual(['send heartbeat request']);
    expect(bench.message(reply('heartbeat'))).toEqual([`refuse ${next.claimId}`]);
    expect(bench.axes).toBe('online, link connected');
    expect(bench.state?.link.address).toBe('10.0.0.1:50000');
    // One question is no reason to beat from now on.
    expect(bench.pass(3_500)).toEqual([]);
  });

  it.each([
    ['before its deadline was looked at', (bench: SessionBench) => bench.skip(8_000)],
    ['in the turn of reading behind it', (bench: SessionBench) => bench.stall(8_000)],
  ])('a link that could not be heard while we stood still is probed, %s', (_when, standStill) => {
    const { bench } = dialledIn();
    bench.pass(1_000);
    standStill(bench);
    const next = from('10.0.0.2');
    expect(bench.claim(next)).toEqual(['send heartbeat request']);
    expect(bench.message(request('heartbeat'))).toEqual(['send heartbeat reply 0', `refuse ${next.claimId}`]);
    expect(bench.axes).toBe('online, link connected');
  });

  it('a probed link that stays silent for an interval yields', () => {
    const { bench } = dialledIn();
    bench.pass(1_000);
    const next = from('10.0.0.2');
    bench.claim(next);
    expect(bench.pass(3_000)).toEqual([
      '4000 destroy',
      `4000 attach ${next.claimId}`,
      '4000 send register reply 0',
    ]);
    expect(bench.state?.link.address).toBe('10.0.0.2:50000');
  });

  it('a probed link that closes yields at once', () => {
    const { bench } = dialledIn();
    const next = from('10.0.0.2');
    bench.claim(next);
    expect(bench.tell(hungUp)).toEqual([`attach ${next.claimId}`, 'send register reply 0']);
    expect(bench.axes).toBe('online, link connected');
  });

  it('a newcomer that goes away is forgotten', () => {
    const { bench } = dialledIn();
    const next = from('10.0.0.2');
    bench.claim(next);
    bench.tell({ type: 'claimWithdrawn', claimId: next.claimId });
    expect(bench.pass(3_500)).toEqual([]);
  });

  it('three in a minute hold the incumbent for a minute and say so', () => {
    const { bench } = dialledIn();
    for (let i = 0; i < 3; i++) {
      bench.pass(1_000);
      bench.claim(from('10.0.0.1'));
    }
    expect(bench.axes).toBe('online (duplicate_identity), link connected');
    const fourth = from('10.0.0.1');
    expect(bench.claim(fourth)).toEqual([`refuse ${fourth.claimId}`]);
    for (let at = 0; at < 60; at += 2) {
      bench.pass(2_000);
      bench.message(request('heartbeat'));
    }
    expect(bench.axes).toBe('online, link connected');
    const fifth = from('10.0.0.1');
    expect(bench.claim(fifth)).toContain(`attach ${fifth.claimId}`);
  });

  it('say so for as long as the hold lasts, over a silence and a next link too', () => {
    const { bench } = dialledIn();
    for (let i = 0; i < 3; i++) bench.claim(from('10.0.0.1'));
    bench.pass(5_000);
    expect(bench.axes).toBe('stale (silent), link connected');
    bench.message(request('heartbeat'));
    expect(bench.axes).toBe('online (duplicate_identity), link connected');
    bench.tell({ type: 'linkClosed', code: 'link_closed', detail: 'over' });
    bench.claim(from('10.0.0.1'));
    expect(bench.axes).toBe('online (duplicate_identity), link connected');
    for (let at = 5; at < 62; at += 3) {
      bench.pass(3_000);
      bench.message(request('heartbeat'));
    }
    expect(bench.axes).toBe('online, link connected');
  });

  it('a held incumbent that dies is no obstacle', () => {
    const { bench } = dialledIn();
    for (let i = 0; i < 3; i++) bench.claim(from('10.0.0.1'));
    bench.pass(11_000);
    expect(bench.state?.status).toBe('offline');
    const next = from('10.0.0.3');
    expect(bench.claim(next)).toContain(`attach ${next.claimId}`);
  });

  it('fails what was in flight over the replaced link', () => {
    const { bench } = dialledIn();
    bench.tell({ type: 'requestMade', requestId: 1, message: 'datetime', fields: {}, timeoutMs: 5_000 });
    expect(bench.claim(from('10.0.0.1'))[0]).toBe('settle 1 link_replaced');
  });
});
