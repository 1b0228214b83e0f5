import { describe, expect, it } from 'vitest';
import type { CliIo } from '../../src/cli/command.ts';
import { END_DEADLINE_MS, endWithin, stopRequest } from '../../src/cli/lifecycle.ts';
import { FakeClock } from '../support/fake-clock.ts';

function fakeIo(): { io: CliIo; signal(): void; watched(): number; errors: string[] } {
  const callbacks = new Set<() => void>();
  const errors: string[] = [];
  const io: CliIo = {
    out: () => undefined,
    err: (text) => void errors.push(text),
    terminal: false,
    program: 'heartwire',
    env: {},
    cwd: '/',
    onSignal(_signal, callback) {
      const own = (): void => callback();
      callbacks.add(own);
      return () => void callbacks.delete(own);
    },
    onUncaught: () => () => undefined,
    outClosed: new AbortController().signal,
  };
  return { io, signal: () => [...callbacks][0]?.(), watched: () => callbacks.size, errors };
}

describe('a signal to end', () => {
  it('is heeded once; a second one is left to the system, which ends the process at once', async () => {
    const { io, signal, watched } = fakeIo();
    using stop = stopRequest(io);
    expect(watched()).toBe(3);
    signal();
    await stop.requested;
    expect(watched()).toBe(0);
  });
});

describe('a signal that the terminal is gone', () => {
  it.each([
    [{}, 3],
    [{ hangs: false }, 2],
  ])('with %o it is one of %i to end', (options, signals) => {
    const { io, watched } = fakeIo();
    using _stop = stopRequest(io, options);
    expect(watched()).toBe(signals);
  });
});

describe('ending', () => {
  it('waits for what is being closed', async () => {
    const { io, errors } = fakeIo();
    const clock = new FakeClock();
    let closed = false;
    const whole = {
      async [Symbol.asyncDispose]() {
        closed = true;
      },
    };
    await endWithin(whole, io, clock)[Symbol.asyncDispose]();
    expect(closed).toBe(true);
    expect(clock.timers).toBe(0);
    expect(errors).toEqual([]);
  });

  it('waits no longer than its deadline', async () => {
    const { io, errors } = fakeIo();
    const clock = new FakeClock();
    const never = { [Symbol.asyncDispose]: () => new Promise<void>(() => undefined) };
    const ended = endWithin(never, io, clock)[Symbol.asyncDispose]();
    clock.advance(END_DEADLINE_MS);
    await ended;
    expect(errors).toHaveLength(1);
  });
});
