import type { Argv } from 'yargs';
import { DEFAULT_BRIDGE_URL } from './bridge-url.ts';

export interface BridgeArgs {
  url: string | undefined;
  origin: string | undefined;
  'token-file': string | undefined;
}

/**
 * How every command names the bridge that it talks to. A token is never written on the command line, where every user of
 * the machine could read it.
 */
export function bridgeOptions<T>(yargs: Argv<T>): Argv<T & BridgeArgs> {
  return yargs
    .option('url', {
      type: 'string',
      requiresArg: true,
      describe: `The bridge (HEARTWIRE_URL, or ${DEFAULT_BRIDGE_URL})`,
    })
    .option('origin', {
      type: 'string',
      requiresArg: true,
      describe: 'Origin header, for a bridge on another machine (one of its server.origins)',
    })
    .option('token-file', {
      type: 'string',
      requiresArg: true,
      describe: 'A file with the token, instead of HEARTWIRE_TOKEN; on the command line others could read it',
    });
}
