import { describe, expect, it } from 'vitest';
import {
  OUR_REGISTER,
  online,
  registerRequest,
  reply,
  request,
  SessionBench,
  settings,
} from '../../support/session-bench.ts';

const opened = { type: 'linkOpened', address: '10.0.0.7:9089' } as const;
const refusedByHost = { type: 'linkClosed', code: 'connect_refused', detail: 'nothing listens' } as const;
const hungUp = { type: 'linkClosed', code: 'link_closed', detail: 'the peer closed the link' } as const;

describe('a device that we dial', () => {
  it('registers, is online with the reply, and beats at once and then every interval', () => {
    const bench = new SessionBench(settings());
    expect(bench.tell({ type: 'started' })).toEqual(['open 0']);
    expect(bench.axes).toBe('unknown, link connecting');
    expect(bench.tell(opened)).toEqual(['send register request']);
    expect(bench.axes).toBe('registering, link connected');
    expect(bench.message(reply('register'))).toEqual(['send heartbeat request']);
    expect(bench.axes).toBe('online, link connected');
    expect(bench.state?.registered_as).toEqual(OUR_REGISTER);
    bench.now += 20;
    bench.message(reply('heartbeat'));
    expect(bench.pass(2_980)).toEqual(['3000 send heartbeat request']);
    expect(bench.stats?.round_trip_ms).toBe(20);
  });

  it('on a serial line is online only with a heartbeat reply too', () => {
    const bench = new SessionBench(settings({ transport: 'serial' }));
    bench.tell({ type: 'started' });
    bench.tell(opened);
    expect(bench.message(reply('register'))).toEqual(['send heartbeat request']);
    expect(bench.axes).toBe('registering, link connected');
    bench.message(reply('heartbeat'));
    expect(bench.axes).toBe('online, link connected');
  });

  it('goes stale, then offline and is dialled again when it falls silent', () => {
    const bench = online();
    bench.now = 100;
    bench.message(reply('heartbeat'));
    expect(bench.pass(4_500)).toEqual(['3000 send heartbeat request']);
    expect(bench.axes).toBe('online, link connected');
    bench.pass(1);
    expect(bench.axes).toBe('stale (silent), link connected');
    expect(bench.pass(5_498)).toEqual(['6000 send heartbeat request', '9000 send heartbeat request']);
    expect(bench.axes).toBe('stale (silent), link connected');
    expect(bench.pass(2)).toEqual(['10101 destroy']);
    expect(bench.axes).toBe('offline (silent), link backoff (silent)');
    expect(bench.pass(1_000)).toEqual(['11101 open 0']);
  });

  it('is online again with any valid frame while it is stale', () => {
    const bench = online();
    bench.pass(5_000);
    expect(bench.axes).toBe('stale (silent), link connected');
    expect(bench.message(request('datetime'))).toEqual(['send datetime reply 0']);
    expect(bench.axes).toBe('online, link connected');
  });

  it.each([
    [-1, -1],
    [7, 7],
    [127, 127],
  ])('a register refused with %i is offline with the code, and tried again', (error, shown) => {
    const bench = new SessionBench(settings());
    bench.tell({ type: 'started' });
    bench.tell(opened);
    expect(bench.message(reply('register', error))).toEqual(['end']);
    expect(bench.axes).toBe('offline (register_refused), link backoff (register_refused)');
    expect(bench.state?.detail).toContain(`error ${shown}`);
    expect(bench.pass(1_000)).toEqual(['1000 open 0']);
  });

  it('gives up a link on which the register is not answered', () => {
    const bench = new SessionBench(settings());
    bench.tell({ type: 'started' });
    bench.tell(opened);
    expect(bench.pass(5_000)).toEqual(['5000 destroy']);
    expect(bench.axes).toBe('unknown (register_timeout), link backoff (register_timeout)');
  });

  it('is registering no longer once it is stopped', () => {
    const bench = new SessionBench(settings());
    bench.tell({ type: 'started' });
    bench.tell(opened);
    expect(bench.tell({ type: 'stopped', reason: 'stopped' })).toEqual(['end']);
    expect(bench.axes).toBe('unknown (stopped), link disabled');
  });

  it('says what came instead of frames when nothing valid does', () => {
    const bench = new SessionBench(settings({ transport: 'serial' }));
    bench.tell({ type: 'started' });
    bench.tell(opened);
    const report = {
      count: 3,
      reason: 'no_header',
      expected: 'a header',
      sample: new Uint8Array(3),
    } as const;
    bench.tell({ type: 'bytesDiscarded', report: { ...report, seen: 'a telnet negotiation: IAC WILL 44' } });
    bench.tell({ type: 'bytesDiscarded', report: { ...report, seen: 'ff00' } });
    bench.pass(5_000);
    expect(bench.axes).toBe('unknown (register_timeout), link backoff (register_timeout)');
    expect(bench.state?.detail).toContain(
      '6 bytes came that are no frames: a telnet negotiation: IAC WILL 44',
    );
  });

  it('tells a loopback plug by its own register', () => {
    const bench = new SessionBench(settings({ transport: 'serial' }));
    bench.tell({ type: 'started' });
    bench.tell(opened);
    expect(bench.message(registerRequest(OUR_REGISTER))).toEqual(['destroy']);
    expect(bench.axes).toBe('unknown (echo), link failed (echo)');
    expect(bench.pass(1_000)).toEqual(['1000 open 0']);
  });

  describe('whose line returns what we send only once it is online', () => {
    /** Lets time pass on a line that returns every beat, and every answer. Gives all orders. */
    const looped = (bench: SessionBench, beats: number): string[] => {
      const orders: string[] = [];
      for (let i = 0; i < beats; i++) {
        orders.push(...bench.pass(3_000));
        if (!bench.session.connected) return orders;
        const answers = bench.message(request('heartbeat'));
        orders.push(...answers);
        for (const _ of answers) orders.push(...bench.message(reply('heartbeat')));
      }
      return orders;
    };

    it('is told by the answer that we withhold, and then by its register', () => {
      const bench = online();
      bench.message(reply('heartbeat'));
      expect(looped(bench, 4)).toEqual([
        '3000 send heartbeat request',
        'send heartbeat reply 0',
        '6000 send heartbeat request',
        'send heartbeat reply 0',
        '9000 send heartbeat request',
        '12000 destroy',
      ]);
      expect(bench.axes).toBe('offline (echo), link failed (echo)');
      bench.pass(1_000);
      bench.tell(opened);
      expect(bench.message(registerRequest(OUR_REGISTER))).toEqual(['destroy']);
      expect(bench.axes).toBe('offline (echo), link failed (echo)');
    });

    it('is told all the same where our question for the time comes back, too', () => {
      const bench = online();
      bench.message(reply('heartbeat'));
      looped(bench, 1);
      bench.message(request('datetime'));
      looped(bench, 2);
      bench.message(request('datetime'));
      expect(looped(bench, 1)).toContain('12000 destroy');
    });

    it('is not taken for a peer that beats at the very same moments', () => {
      const bench = online();
      bench.message(reply('heartbeat'));
      let [atOnce, withheld] = [0, 0];
      for (let i = 0; i < 20; i++) {
        bench.pass(3_000);
        atOnce += bench.message(request('heartbeat')).length;
        withheld += bench.message(reply('heartbeat')).length;
      }
      expect(bench.axes).toBe('online, link connected');
      // Once it has shown that it is there, it is not doubted again.
      expect({ atOnce, withheld }).toEqual({ atOnce: 19, withheld: 1 });
    });

    it('is not suspected where the peer beats at times of its own', () => {
      const bench = online();
      for (let i = 0; i < 20; i++) {
        bench.message(reply('heartbeat'));
        bench.pass(1_500);
        expect(bench.message(request('heartbeat'))).toEqual(['send heartbeat reply 0']);
        bench.pass(1_500);
      }
      expect(bench.axes).toBe('online, link connected');
    });
  });

  it('answers a foreign register with -1, and goes on', () => {
    const bench = online();
    const foreign = registerRequest({ ...OUR_REGISTER, imei: '490154203237518' });
    expect(bench.message(foreign)).toEqual(['send register reply -1']);
    expect(bench.axes).toBe('online, link connected');
  });

  it('doubles its pause with every failure, and only a success starts it anew', () => {
    const bench = new SessionBench(settings());
    bench.tell({ type: 'started' });
    const pauses: number[] = [];
    const fail = () => {
      bench.tell(refusedByHost);
      const before = bench.now;
      while (bench.state?.link.status !== 'connecting') bench.pass(50);
      pauses.push(bench.now - before);
    };
    for (let i = 0; i < 4; i++) fail();
    // A link that opens but never gets an answer is no success.
    bench.tell(opened);
    bench.tell(hungUp);
    expect(bench.pass(15_999)).toEqual([]);
    expect(bench.pass(1)).toHaveLength(1);
    bench.tell(opened);
    bench.message(reply('register'));
    bench.tell(hungUp);
    expect(bench.axes).toBe('offline (link_closed), link backoff (link_closed)');
    expect(bench.pass(1_000)).toHaveLength(1);
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000]);
  });

  it('tries its addresses in turn before it pauses, and the first one first after a loss', () => {
    const bench = new SessionBench(settings({ addresses: ['a:1', 'b:1'] }));
    expect(bench.tell({ type: 'started' })).toEqual(['open 0']);
    expect(bench.tell(refusedByHost)).toEqual(['open 1']);
    expect(bench.state?.link.address).toBe('b:1');
    bench.tell({ ...opened, address: 'b:1' });
    bench.message(reply('register'));
    expect(bench.axes).toBe('online, link connected');
    expect(bench.tell(hungUp)).toEqual([]);
    expect(bench.pass(1_000)).toEqual(['1000 open 0']);
    expect(bench.pass(10_000)).toEqual(['11000 destroy', '11000 open 1']);
    expect(bench.tell(refusedByHost)).toEqual([]);
    expect(bench.axes).toBe('offline (link_closed), link backoff (connect_refused)');
  });

  it('closes a link whose bytes are no frames, and says what it saw', () => {
    const bench = online();
    const fault = {
      reason: 'intruder',
      length: 0x48545450,
      expected: 'a length of at most 1048576',
      seen: 'an HTTP response',
      sample: new Uint8Array(),
    } as const;
    expect(bench.tell({ type: 'streamFaulted', fault })).toEqual(['destroy']);
    expect(bench.axes).toBe('offline (bad_frame), link backoff (bad_frame)');
    expect(bench.state?.detail).toContain('an HTTP response');
  });

  it('shows in the state what is odd about its line, and logs it once', () => {
    const bench = online();
    const remark = { reason: 'telnet', detail: 'a telnet negotiation: IAC DO 1; set the port' } as const;
    const chunk = { type: 'chunkReceived', bytes: 3, pending: 0, remark } as const;
    const [log, ...others] = bench.session
      .handle(chunk, bench.instant())
      .filter(({ type }) => type === 'log');
    expect(log).toEqual({ type: 'log', level: 'warn', reason: 'telnet', text: remark.detail });
    expect(others).toEqual([]);
    bench.tell(chunk);
    expect(bench.session.state.link).toMatchObject({ status: 'connected', ...remark });
    bench.message(reply('heartbeat'));
    expect(bench.session.state.link).toMatchObject({ status: 'connected', ...remark });
    bench.tell(hungUp);
    bench.pass(1_000);
    bench.tell(opened);
    expect(bench.state?.link).not.toHaveProperty('detail', remark.detail);
    const logged = bench.session.handle(chunk, bench.instant()).filter(({ type }) => type === 'log');
    expect(logged).toEqual([]);
    expect(bench.state?.link.status).toBe('connected');
  });

  it('closes a link whose half frame does not grow for 30 s', () => {
    const bench = online(settings({ heartbeat: { intervalMs: 60_000, missed: 3, from: 'client' } }));
    bench.tell({ type: 'chunkReceived', bytes: 3, pending: 3 });
    bench.pass(29_000);
    bench.tell({ type: 'chunkReceived', bytes: 1, pending: 4 });
    expect(bench.pass(29_999)).toEqual([]);
    expect(bench.pass(1)).toEqual(['59000 destroy']);
    expect(bench.axes).toBe('offline (frame_stalled), link backoff (frame_stalled)');
  });

  it('stops: closes, and is disabled', () => {
    const bench = online();
    expect(bench.tell({ type: 'stopped', reason: 'stopped' })).toEqual(['end']);
    expect(bench.axes).toBe('offline (stopped), link disabled');
    expect(bench.pass(100_000)).toEqual([]);
  });
});

describe('deadlines that are evaluated late', () => {
  it('are evaluated again after one turn of reading, which may bring the sign of life', () => {
    const bench = online();
    expect(bench.stall(11_000)).toEqual(['read once']);
    expect(bench.session.nextDeadline()).toBeUndefined();
    bench.message(reply('heartbeat'));
    expect(bench.tell({ type: 'deadlineReached', afterReading: true })).toEqual(['send heartbeat request']);
    expect(bench.axes).toBe('online, link connected');
  });

  it('do not count the time in which we slept as the silence of the peer', () => {
    const bench = online();
    bench.now = 10;
    bench.message(reply('heartbeat'));
    expect(bench.stall(3_600_000)).toEqual(['read once']);
    expect(bench.tell({ type: 'deadlineReached', afterReading: true })).toEqual(['send heartbeat request']);
    expect(bench.axes).toBe('online, link connected');
    expect(bench.pass(11_000).filter((order) => order.endsWith('destroy'))).toHaveLength(1);
    expect(bench.states).toContain('offline (silent), link backoff (silent)');
  });

  it('however little, let what lies in the socket be read first', () => {
    const bench = online();
    bench.now = 10;
    bench.message(reply('heartbeat'));
    bench.pass(4_500);
    expect(bench.stall(1)).toEqual(['read once']);
    bench.message(reply('heartbeat'));
    bench.tell({ type: 'deadlineReached', afterReading: true });
    expect(bench.states.some((state) => state.startsWith('stale'))).toBe(false);
  });
});
