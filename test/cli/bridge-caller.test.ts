import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { BridgeCaller } from '../../src/cli/bridge-connection.ts';
import { FakeClock } from '../support/fake-clock.ts';

let server: WebSocketServer;
let caller: BridgeCaller;
let socket: WebSocket;

beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connected = once(server, 'connection');
  // Its time stands still: what waits for a time-out never ends.
  caller = new BridgeCaller(`ws://127.0.0.1:${port}/ws`, new FakeClock());
  [socket] = await connected;
  socket.send(JSON.stringify({ type: 'welcome', payload: { auth: 'optional' } }));
});
afterEach(() => {
  caller[Symbol.dispose]();
  server.close();
});

const call = () => caller.call('p1', 'set', {}, 5_000);

describe('a bridge that goes away', () => {
  it('with a command leaves open what became of it, and says so', async () => {
    socket.once('message', () => socket.terminate());
    await expect(call()).rejects.toMatchObject({
      code: 'bridge_unreachable',
      message: expect.stringContaining('gave no answer'),
      fix: expect.stringContaining('done or not'),
    });
  });

  it('between two commands is noticed by the next one at once', async () => {
    socket.once('message', () => {
      socket.send(JSON.stringify({ type: 'response', payload: { reply_to: '1', result: {} } }));
    });
    expect(await call()).toEqual({ ok: true, result: {} });
    const gone = once(socket, 'close');
    socket.close(4000, 'draining');
    await gone;
    await new Promise((resolve) => setImmediate(resolve));
    await expect(call()).rejects.toMatchObject({ code: 'bridge_unreachable' });
  });
});
