import { connect } from 'node:net';
import { refuse } from './address.ts';
import type { LinkEnd } from './link.ts';
import type { LinkTransport } from './link-transport.ts';
import { type SocketDialler, TcpLink } from './tcp.ts';
import { connectEnd, systemCode } from './tcp-end.ts';

/** A socket in the file system, as programs of the same machine open them; on Windows a named pipe. */
export interface UnixAddress {
  readonly scheme: 'unix';
  readonly path: string;
}

/** What the kernel has room for, without the zero byte at the end; macOS has 103. */
const MOST_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;
const FIX = 'Write unix:PATH, for example unix:/run/gpsd.sock or unix:./device.sock.';

const socketAt = (path: string): SocketDialler => ({
  transport: 'unix',
  address: path,
  dial: () => connect({ path }),
  failed: (error) => socketEnd(error, path),
});

function socketEnd(error: unknown, path: string): LinkEnd {
  const code = systemCode(error);
  switch (code) {
    case 'ENOENT':
      return {
        code: 'connect_refused',
        detail: `There is no socket ${path} now. Start the program that makes it, or correct the path.`,
      };
    case 'ECONNREFUSED':
      return {
        code: 'connect_refused',
        detail: `No program listens at ${path}. Start the one that made it, or correct the path.`,
      };
    case 'EACCES':
    case 'EPERM':
      return {
        code: 'connect_failed',
        detail: `This user may not open ${path} (${code}). Change its owner or group, or those of its folder.`,
      };
    case 'EPROTOTYPE':
      return {
        code: 'connect_failed',
        detail: `${path} is a socket for datagrams (EPROTOTYPE), and this link needs one for a stream.`,
      };
    case 'EAGAIN':
      return {
        code: 'connect_refused',
        detail: `The program behind ${path} accepts no connection now (EAGAIN): too many wait already.`,
      };
    default:
      return connectEnd(error, path);
  }
}

export const unix: LinkTransport<UnixAddress> = {
  parse(path) {
    if (path === '') return refuse('The path of the socket is missing.', FIX);
    if (path.includes('\0')) return refuse('The path of the socket holds a zero byte.', FIX);
    if (path.endsWith('/')) return refuse('This is the path of a folder.', FIX);
    if (Buffer.byteLength(path) > MOST_PATH_BYTES && process.platform !== 'win32') {
      return refuse(
        `The path of the socket is longer than ${MOST_PATH_BYTES} bytes, which is all that the system takes.`,
        'Use a shorter one, or a symbolic link to it.',
      );
    }
    return { ok: true, value: { scheme: 'unix', path } };
  },
  label: ({ path }) => path,
  dial: ({ path }, { idleAfterMs }) => TcpLink.dial(socketAt(path), { idleAfterMs }),
};
