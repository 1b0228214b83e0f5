import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { FeedStore } from '../../src/feed/core/store.ts';
import { FeedServer } from '../../src/feed/transports/feed-server.ts';
import { HttpServer } from '../../src/server/http/http-server.ts';

/** An address of this machine by which it is somebody else to itself. */
const own = Object.values(networkInterfaces())
  .flat()
  .find((each) => each !== undefined && !each.internal && each.family === 'IPv4')?.address;
if (own === undefined) console.warn('skipped: this machine has no address but loopback');

describe.runIf(own !== undefined)('connections of one address that is not loopback', () => {
  const host = own ?? '';

  it('beyond the bound are answered with 429 and closed; the others go on', async () => {
    const store = new FeedStore({ epoch: 'e' });
    const names = { host, hosts: [], origins: [] };
    const feed = new FeedServer({ ...names, store });
    const server = new HttpServer({
      ...names,
      port: 0,
      store,
      feedServer: feed,
      maxConnectionsPerAddress: 2,
    });
    const { port } = await server.start();
    const open: Socket[] = [];
    const ask = async (socket: Socket): Promise<string> => {
      socket.write(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      // What an event carries is typed as unknown.
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      return chunk.toString();
    };
    for (let i = 0; i < 4; i += 1) {
      const socket = connect(port, host);
      open.push(socket);
      expect(await ask(socket)).toMatch(/^HTTP\/1\.1 200 /);
    }
    const fifth = connect(port, host);
    const ended = once(fifth, 'close');
    const refused = await ask(fifth);
    expect(refused).toMatch(/^HTTP\/1\.1 429 [\s\S]*Retry-After: \d+\r\n/);
    expect(refused).toContain('too_many_connections');
    await ended;
    for (const socket of open) expect(await ask(socket)).toMatch(/^HTTP\/1\.1 200 /);
    for (const socket of open) socket.destroy();
    await feed[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
});
