import type { Argv } from 'yargs';
import { HeartwireError } from '../errors.ts';
import type { CliIo } from './command.ts';
import { secretText } from './files.ts';

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

export interface PeriodArgs {
  readonly from: string | undefined;
  readonly until: string | undefined;
}

/** Which time of the history a command is about. */
export function periodOptions<T>(yargs: Argv<T>): Argv<T & PeriodArgs> {
  return yargs
    .option('from', {
      type: 'string',
      requiresArg: true,
      describe: 'From then on: -1d, ISO 8601 or epoch ms (-1h)',
    })
    .option('until', {
      type: 'string',
      requiresArg: true,
      describe: 'Up to then; now where it is left out',
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

/** The address of a bridge by default. */
const DEFAULT_BRIDGE_URL = 'http://127.0.0.1:8080';

/**
 * The address of a bridge's feed: `host:port`, `http(s)://` and `ws(s)://` are all understood, `/ws` is filled in.
 *
 * @throws HeartwireError `bad_address`
 */
export function feedUrl(text: string): string {
  const candidate = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(candidate) ? new URL(candidate) : undefined;
  if (
    url === undefined ||
    !['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) ||
    url.hostname === ''
  ) {
    throw new HeartwireError('bad_address', `"${text}" is no address of a bridge.`, {
      seen: text,
      fix: `Write it as ${DEFAULT_BRIDGE_URL}, in --url or HEARTWIRE_URL.`,
    });
  }
  const secure = url.protocol === 'https:' || url.protocol === 'wss:';
  const path = url.pathname.replace(/\/+$/, '');
  return `${secure ? 'wss' : 'ws'}://${url.host}${/\/ws(\/[^/]+)?$/.test(path) ? path : `${path}/ws`}`;
}

/**
 * The feed of the bridge that a command is to talk to: named by `--url`, by HEARTWIRE_URL, or the one of this machine.
 *
 * @throws HeartwireError `bad_address`
 */
export function bridgeUrl(given: string | undefined, io: CliIo): string {
  return feedUrl(given ?? (io.env.HEARTWIRE_URL?.trim() || DEFAULT_BRIDGE_URL));
}

/** What is said where a bridge wants a token and has none. */
export const TOKEN_FIX =
  'Set HEARTWIRE_TOKEN, or name a file with --token-file; `heartwire token` makes one.';
const FILE_FIX = 'Write the token into it, and nothing else; `heartwire token` makes one.';

/**
 * The token to show to a bridge: from the file, or from HEARTWIRE_TOKEN.
 * @throws HeartwireError `bad_argument`
 */
export async function bridgeToken(file: string | undefined, io: CliIo): Promise<string | undefined> {
  const text =
    file === undefined ? io.env.HEARTWIRE_TOKEN : await secretText('the token', file, FILE_FIX, io);
  const token = text?.trim() ?? '';
  if (token === '' && file === undefined) return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const place = file ?? 'HEARTWIRE_TOKEN';
  throw new HeartwireError('bad_argument', `There is no token in ${place}: a token is one word.`, {
    seen: place,
    fix: FILE_FIX,
  });
}
