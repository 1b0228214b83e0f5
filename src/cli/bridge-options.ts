import type { Argv } from 'yargs';
import { HeartwireError } from '../errors.ts';
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
      coerce: originText,
      requiresArg: true,
      describe: 'Origin header, for a bridge on another machine (one of its server.origins)',
    })
    .option('token-file', {
      type: 'string',
      requiresArg: true,
      describe: 'A file with the token, instead of HEARTWIRE_TOKEN; on the command line others could read it',
    });
}

/** @throws HeartwireError `bad_argument` for what no header can carry */
function originText(given: unknown): string {
  // yargs hands an option that was given twice over as an array.
  if (Array.isArray(given)) throw new HeartwireError('bad_argument', '--origin is given twice.');
  const text = String(given);
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new HeartwireError(
    'bad_argument',
    `--origin is an origin such as https://panel.example, not ${JSON.stringify(text)}.`,
    {
      seen: text,
    },
  );
}
