import { HeartwireError } from '../errors.ts';
import type { CliIo } from './command.ts';

/** Where a bridge is looked for when nobody says where it is. */
export const DEFAULT_BRIDGE_URL = 'http://127.0.0.1:8080';

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
