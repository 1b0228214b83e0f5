import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Link } from '../../src/links/link.ts';
import { dial, listen } from '../../src/links/transports.ts';
import type { LinkPair, RawPeer } from './link-contract.ts';

/** A plain socket as the other end. */
export function rawPeer(socket: Socket): RawPeer {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  return {
    write: (bytes) => void socket.write(bytes),
    received: () => Buffer.concat(chunks),
    stall: () => void socket.pause(),
    resume: () => void socket.resume(),
    hangUp: () => void socket.end(),
  };
}

/** We dial a plain server. */
export async function dialledPair(): Promise<LinkPair> {
  const server = createServer();
  const connected = once(server, 'connection');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // A listening TCP server has an address of this kind.
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  return {
    link: dial({ scheme: 'tcp', host: '127.0.0.1', port }),
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
}

/** A plain client dials our listener. */
export async function acceptedPair(): Promise<LinkPair> {
  const listener = listen({ scheme: 'tcp-listen', host: '127.0.0.1', port: 0 });
  let closed: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const sockets: Socket[] = [];
  const link = await new Promise<Link>((resolve, reject) => {
    listener.start({
      listening: (address) => {
        const socket = connect(Number(address.slice(address.lastIndexOf(':') + 1)), '127.0.0.1');
        sockets.push(socket);
      },
      accepted: (accepted) => resolve(accepted),
      closed: (end) => {
        reject(new Error(end.detail));
        closed();
      },
    });
  });
  const [socket] = sockets;
  if (socket === undefined) throw new Error('Nobody dialled.');
  const peer = rawPeer(socket);
  return {
    link,
    peer: async () => peer,
    dispose: async () => {
      socket.destroy();
      listener.close();
      await stopped;
    },
  };
}
