import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { dial } from '../../src/links/transports.ts';
import { linkContract } from '../support/link-contract.ts';
import { RecordedLink } from '../support/recorded-link.ts';
import { rawPeer } from '../support/tcp-pair.ts';

const folder = mkdtempSync(join(tmpdir(), 'hw-unix-'));
let count = 0;
const newPath = (): string => {
  count += 1;
  return join(folder, `${count}.sock`);
};

afterAll(() => rmSync(folder, { recursive: true }));

linkContract(
  'A link over a Unix socket',
  async () => {
    const path = newPath();
    const server = createServer();
    const connected = once(server, 'connection');
    const sockets: Socket[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    server.listen(path);
    await once(server, 'listening');
    return {
      link: dial({ scheme: 'unix', path }),
      peer: async () => {
        await connected;
        const [socket] = sockets;
        if (socket === undefined) throw new Error('The server accepted nobody.');
        return rawPeer(socket);
      },
      dispose: async () => {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
  { hangUpCodes: ['link_closed'], bulk: 65_536 },
);

describe('a Unix socket that is not there', () => {
  test.each([
    ['no file', () => newPath(), 'connect_refused'],
    [
      'a file that is no socket',
      () => {
        const path = newPath();
        writeFileSync(path, '');
        return path;
      },
      'connect_refused',
    ],
    ['no folder', () => join(folder, 'none', 'x.sock'), 'connect_refused'],
  ] as const)('%s', async (_, make, code) => {
    const path = make();
    const recorded = new RecordedLink(dial({ scheme: 'unix', path }));
    await expect.poll(() => recorded.end?.code).toBe(code);
    expect(recorded.end?.detail).toContain(path);
    expect(recorded.opened).toBe(false);
  });
});
