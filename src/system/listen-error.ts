import { HeartwireError } from '../errors.ts';

/** Why a port could not be taken, and what to do next; `keys` is where the configuration says which. */
export function listenError(
  cause: unknown,
  host: string,
  port: number,
  keys: 'server' | 'server.tcp' = 'server',
): HeartwireError {
  const another = `${keys === 'server' ? '--port or ' : ''}${keys}.port in devices.yaml`;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'name_not_resolved' && cause instanceof HeartwireError) return cause;
  const address = `${urlHost(host)}:${port}`;
  const details = { seen: address, cause };
  if (code === 'EADDRINUSE') {
    return new HeartwireError('address_in_use', `Another program listens on ${address}.`, {
      ...details,
      fix: `Take another port with ${another} (0 takes any free one), or stop the other program.`,
    });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'host_unknown') {
    return new HeartwireError('address_unavailable', `${host} is no address of this machine.`, {
      ...details,
      fix: `Set ${keys}.host to an address of this machine: 127.0.0.1 for this machine only, 0.0.0.0 for all its networks.`,
    });
  }
  if (code === 'EACCES') {
    return new HeartwireError('listen_failed', `The system does not let this program listen on ${address}.`, {
      ...details,
      fix: `Ports below 1024 need special rights; take a higher one with ${another}.`,
    });
  }
  return new HeartwireError('listen_failed', `Listening on ${address} failed: ${String(cause)}.`, {
    ...details,
    fix: `Check ${keys}.host and ${keys}.port in devices.yaml.`,
  });
}

/** As a browser's address line takes it; a wildcard is reached over loopback. */
export function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
