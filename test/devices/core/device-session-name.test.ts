import { describe, expect, it } from 'vitest';
import { SessionBench, settings } from '../../support/session-bench.ts';

describe('a device whose host is a name', () => {
  const dialled = settings({ addresses: ['meter.example:9089'], connectTimeoutMs: 1_000 });

  it('has all of its time to connect once the name is resolved', () => {
    const bench = new SessionBench(dialled);
    expect(bench.tell({ type: 'started' })).toEqual(['open 0']);
    bench.tell({ type: 'linkResolving' });
    expect(bench.pass(5_000)).toEqual([]);
    expect(bench.axes).toBe('unknown, link connecting');
    bench.tell({ type: 'linkDialling' });
    expect(bench.pass(999)).toEqual([]);
    expect(bench.pass(1)).toEqual(['6000 destroy']);
    expect(bench.axes).toBe('unknown, link backoff (connect_timeout)');
  });

  it('is dialled again after a pause where the name is not resolved, and is not said to have been dialled', () => {
    const bench = new SessionBench(dialled);
    bench.tell({ type: 'started' });
    bench.tell({ type: 'linkResolving' });
    bench.now = 5_000;
    bench.tell({ type: 'linkClosed', code: 'name_not_resolved', detail: 'no name server answered' });
    expect(bench.axes).toBe('unknown, link backoff (name_not_resolved)');
    expect(bench.pass(1_000)).toEqual(['6000 open 0']);
  });

  it('is given up as not resolved where a look-up does not end', () => {
    const bench = new SessionBench(dialled);
    bench.tell({ type: 'started' });
    bench.tell({ type: 'linkResolving' });
    expect(bench.pass(30_000)).toEqual(['30000 destroy']);
    expect(bench.axes).toBe('unknown, link backoff (name_not_resolved)');
  });

  it('knows of a name only while it connects', () => {
    const bench = new SessionBench(dialled);
    bench.tell({ type: 'started' });
    bench.tell({ type: 'linkResolving' });
    bench.tell({ type: 'linkDialling' });
    bench.tell({ type: 'linkOpened', address: 'meter.example:9089' });
    bench.tell({ type: 'linkDialling' });
    expect(bench.axes).toBe('registering, link connected');
  });
});
