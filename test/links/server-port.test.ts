import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ServerPort, type ServerPortOptions } from '../../src/links/server-port.ts';
import { systemClock } from '../../src/system/clock.ts';

const noTls = (): never => {
  throw new Error('No TLS is asked for.');
};

describe('the port of a server', () => {
  const ports: ServerPort[] = [];
  afterEach(() => Promise.all(ports.splice(0).map((port) => port.close())));

  const made = async (more: Partial<ServerPortOptions> = {}): Promise<[ServerPort, Server]> => {
    const options = {
      server: 'The page',
      keys: 'server',
      host: '127.0.0.1',
      port: 0,
      clock: systemClock,
    } as const;
    const port = new ServerPort({ ...options, ...more });
    ports.push(port);
    return [port, await port.make(() => createServer(), noTls)];
  };

  it('is the one that was taken, and is taken once', async () => {
    const [port, server] = await made();
    const taken = await port.listen(server);
    expect(server.address()).toMatchObject({ port: taken, address: '127.0.0.1' });
    await expect(port.make(() => createServer(), noTls)).rejects.toMatchObject({
      code: 'bad_argument',
      message: 'The page was started already.',
    });
  });

  it.each([
    ['server', '--port or server.port in devices.yaml'],
    ['server.tcp', 'Take another port with server.tcp.port in devices.yaml'],
  ] as const)('that is in use names the key of %s', async (keys, fix) => {
    const [port, server] = await made();
    const taken = await port.listen(server);
    const [second, other] = await made({ port: taken, keys });
    await expect(second.listen(other)).rejects.toMatchObject({
      code: 'address_in_use',
      fix: expect.stringContaining(fix),
    });
  });

  it('of a failed accept goes on', async () => {
    const failures: string[] = [];
    const [port, server] = await made({ failed: ({ code }) => failures.push(code) });
    await port.listen(server);
    server.emit('error', new Error('EMFILE'));
    expect([failures, server.listening]).toEqual([['listen_failed'], true]);
  });

  it('is given back once, also where it was never taken', async () => {
    const [unused] = await made();
    await unused.close();
    const [port, server] = await made();
    await port.listen(server);
    const closed = once(server, 'close');
    await Promise.all([port.close(), port.close(), closed]);
    expect(server.listening).toBe(false);
  });
});
