import type { LinkEnd } from './link.ts';

/** The code that Node or the operating system gave to an error, or an empty string. */
export function systemCode(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

const text = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  // Where every address of a name failed, the aggregate itself says nothing.
  if (error instanceof AggregateError) return error.errors.map(text).join('; ');
  return error.message;
};

/** Why a TCP connection could not be opened: what was tried, and what to do. */
export function connectEnd(error: unknown, address: string): LinkEnd {
  const code = systemCode(error);
  switch (code) {
    case 'ECONNREFUSED':
      return {
        code: 'connect_refused',
        detail: `Nothing listens at ${address}. Start the device's server, or correct the port.`,
      };
    case 'ETIMEDOUT':
      return {
        code: 'connect_timeout',
        detail: `${address} did not answer. Check that the device is on, the address, and the firewalls between.`,
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
      return {
        code: 'connect_unreachable',
        detail: `There is no way to ${address} (${code}). Check the cable, the network and the route.`,
      };
    case 'EMFILE':
    case 'ENFILE':
      return {
        code: 'open_file_limit',
        detail: `${address} could not be dialled: no file descriptor is left (${code}). Raise the limit with \`ulimit -n\`.`,
      };
    case 'EACCES':
    case 'EPERM':
      return {
        code: 'connect_failed',
        detail: `The system does not allow connections to ${address} (${code}). Look at its firewall rules.`,
      };
    case 'EADDRNOTAVAIL':
      return {
        code: 'connect_failed',
        detail: `No local address or port is left to dial ${address} from (${code}). Check the address, and for connections left behind.`,
      };
    case 'EINVAL':
      return {
        code: 'connect_failed',
        detail: `${address} cannot be dialled (EINVAL). A link-local IPv6 address needs its scope, as in [fe80::1%eth0]:9089.`,
      };
    default:
      return {
        code: 'connect_failed',
        detail: `${address} could not be dialled: ${text(error)}. Check the address.`,
      };
  }
}

/** Why a connection that was open broke. */
export function brokenEnd(error: unknown, address: string): LinkEnd {
  const code = systemCode(error);
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return {
        code: 'link_reset',
        detail: `${address} reset the connection (${code}); its program may have crashed or restarted.`,
      };
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENETDOWN':
    case 'EHOSTDOWN':
      return {
        code: 'link_reset',
        detail: `${address} does not answer any more (${code}). Check its power and the network between.`,
      };
    default:
      return {
        code: 'link_error',
        detail: `The connection with ${address} failed: ${text(error)}.`,
      };
  }
}

/** Why a listening address could not be bound, or was lost. */
export function listenEnd(error: unknown, address: string, port: number): LinkEnd {
  const code = systemCode(error);
  switch (code) {
    case 'EADDRINUSE':
      return {
        code: 'address_in_use',
        detail: `Another program listens at ${address}. Stop it, or choose another port.`,
      };
    case 'EADDRNOTAVAIL':
      return {
        code: 'address_unavailable',
        detail: `The host of ${address} does not belong to this machine. Use 127.0.0.1, 0.0.0.0, or an address of this machine.`,
      };
    case 'EACCES':
    case 'EPERM':
      return {
        code: 'listen_failed',
        detail:
          port > 0 && port < 1024
            ? `Ports below 1024 need special rights, and ${address} was refused (${code}). Choose a port from 1024 on.`
            : `The system does not allow listening at ${address} (${code}). Choose another port.`,
      };
    case 'EMFILE':
    case 'ENFILE':
      return {
        code: 'open_file_limit',
        detail: `${address} could not be bound: no file descriptor is left (${code}). Raise the limit with \`ulimit -n\`.`,
      };
    default:
      return {
        code: 'listen_failed',
        detail: `Listening at ${address} failed: ${text(error)}. Check the host and the port.`,
      };
  }
}
