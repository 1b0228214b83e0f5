import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  AdmissionControl,
  ConnectionLimiter,
  DEFAULT_REQUEST_LIMITS,
} from '../../src/access/admission-control.ts';
import { parseBlock } from '../../src/contract/address-match.ts';
import { FakeClock } from '../support/fake-clock.ts';

const LIMITS = { maxConnectionsPerAddress: 2, connectsPerSecondPerAddress: 10, connectBurstPerAddress: 100 };

function socketFrom(remoteAddress: string): Socket {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
  return socket;
}

function arriving(limits: Partial<typeof LIMITS> = {}, clock = new FakeClock()) {
  const limiter = new ConnectionLimiter({ ...LIMITS, ...limits }, clock);
  return (address: string, handshake = false) => {
    const socket = socketFrom(address);
    const served = limiter.accepts(socket, handshake);
    return { socket, served, cut: socket.destroyed };
  };
}

const fates = (arrivals: ReadonlyArray<{ readonly served: boolean; readonly cut: boolean }>) =>
  arrivals.map(({ served, cut }) => (served ? 'served' : cut ? 'cut' : 'answered'));

describe('how many connections of one address are served', () => {
  it('twice what it may have subscribers; then they are answered, then cut off', () => {
    const arrive = arriving();
    const arrivals = Array.from({ length: 8 }, () => arrive('10.0.0.7'));
    expect(fates(arrivals)).toEqual([...Array(4).fill('served'), 'answered', 'answered', 'cut', 'cut']);
    expect(arrive('10.0.0.8').served).toBe(true);
  });

  it('as many again once they are closed', async () => {
    const arrive = arriving();
    const arrivals = Array.from({ length: 5 }, () => arrive('10.0.0.7'));
    for (const { socket } of arrivals) socket.destroy();
    await expect.poll(() => arrive('10.0.0.7').served).toBe(true);
  });

  it('none more where an answer would cost a handshake first', () => {
    const arrive = arriving();
    const arrivals = Array.from({ length: 5 }, () => arrive('10.0.0.7', true));
    expect(fates(arrivals)).toEqual([...Array(4).fill('served'), 'cut']);
  });

  it('as many as the limits that hold now allow; who is in stays', () => {
    const clock = new FakeClock();
    const limiter = new ConnectionLimiter(LIMITS, clock);
    const arrive = (count: number) =>
      Array.from({ length: count }, () => {
        const socket = socketFrom('10.0.0.7');
        return { socket, served: limiter.accepts(socket, false), cut: socket.destroyed };
      });
    const first = arrive(4);
    limiter.follow({ ...LIMITS, maxConnectionsPerAddress: 3 });
    expect(fates(arrive(3))).toEqual(['served', 'served', 'answered']);
    limiter.follow({ ...LIMITS, maxConnectionsPerAddress: 1 });
    expect(fates(arrive(1))).toEqual(['cut']);
    expect(first.some(({ socket }) => socket.destroyed)).toBe(false);
    limiter.follow({
      maxConnectionsPerAddress: 100,
      connectsPerSecondPerAddress: 1,
      connectBurstPerAddress: 1,
    });
    clock.advance(60_000);
    expect(fates(arrive(2))).toEqual(['served', 'answered']);
  });

  it('any number from this machine', () => {
    const arrive = arriving();
    const arrivals = Array.from({ length: 50 }, (_, at) => arrive(at % 2 === 0 ? '127.0.0.1' : '::1'));
    expect(new Set(fates(arrivals))).toEqual(new Set(['served']));
  });

  it('only so many in a second, over all networks of 64 bits that are one customer', () => {
    const clock = new FakeClock();
    const arrive = arriving({ maxConnectionsPerAddress: 1_000, connectBurstPerAddress: 3 }, clock);
    const from = (count: number) =>
      fates(Array.from({ length: count }, (_, at) => arrive(`2001:db8:1:2::${at}`)));
    expect(from(4)).toEqual(['served', 'served', 'served', 'answered']);
    clock.advance(200);
    expect(from(3)).toEqual(['served', 'served', 'answered']);
  });
});

describe('a connection too many', () => {
  const named = { host: '127.0.0.1', hosts: ['bridge.lab'], origins: [] };
  const requestOver = (socket: Socket): IncomingMessage => {
    const request = new IncomingMessage(socket);
    request.headers.host = 'bridge.lab';
    return request;
  };

  it('hears with its first request what is wrong and when to come back', () => {
    const admissionControl = new AdmissionControl(
      named,
      { ...DEFAULT_REQUEST_LIMITS, ...LIMITS, maxConnectionsPerAddress: 1 },
      new FakeClock(),
    );
    const sockets = Array.from({ length: 3 }, () => socketFrom('10.0.0.7'));
    for (const socket of sockets) admissionControl.accept(socket, false);
    const verdicts = sockets.map((socket) => admissionControl.admit(requestOver(socket)));
    expect(verdicts.map(({ ok }) => ok)).toEqual([true, true, false]);
    expect(verdicts[2]).toMatchObject({
      answer: {
        status: 429,
        headers: { 'Retry-After': expect.stringMatching(/^\d+$/), Connection: 'close' },
        body: expect.stringContaining('too_many_connections'),
      },
    });
  });

  it('is none where it comes from a trusted proxy: it carries many', () => {
    const proxy = parseBlock('10.0.0.0/24');
    const admission = { ...named, trustedProxies: proxy === undefined ? [] : [proxy] };
    const admissionControl = new AdmissionControl(
      admission,
      { ...DEFAULT_REQUEST_LIMITS, ...LIMITS, maxConnectionsPerAddress: 1 },
      new FakeClock(),
    );
    const sockets = Array.from({ length: 20 }, () => socketFrom('10.0.0.7'));
    for (const socket of sockets) admissionControl.accept(socket, false);
    expect(sockets.every((socket) => admissionControl.admit(requestOver(socket)).ok)).toBe(true);
  });
});
