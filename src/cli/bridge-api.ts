import { HeartwireError } from '../errors.ts';
import { bridgeUnreachable } from './bridge-connection.ts';
import { TOKEN_FIX } from './bridge-options.ts';
import type { CliIo } from './command.ts';

const ANSWER_WITHIN_MS = 30_000;

/** How the HTTP API of a bridge is reached. */
export interface BridgeApi {
  /** Of its feed, as `feedUrl` makes it. */
  readonly url: string;
  readonly origin: string | undefined;
  readonly token: string | undefined;
}

/**
 * What a bridge answers to a GET.
 *
 * @throws HeartwireError `bridge_unreachable`, `bridge_refused`
 */
export async function askBridge({ url, origin, token }: BridgeApi, path: string, io: CliIo): Promise<string> {
  const base = url.replace(/^ws/, 'http').replace(/\/ws(?:\/[^/]*)?$/, '');
  const headers = {
    ...(origin === undefined ? {} : { Origin: origin }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${base}${path}`, { headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    text = await response.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw bridgeUnreachable(url, cause instanceof Error ? cause.message : String(cause), io.program);
  }
  if (response.ok) return text;
  throw new HeartwireError(
    'bridge_refused',
    messageOf(text) ?? `It answered with HTTP status ${response.status}.`,
    {
      seen: path,
      ...(response.status === 401 || response.status === 403 ? { fix: TOKEN_FIX } : {}),
    },
  );
}

function messageOf(text: string): string | undefined {
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === 'object' && said !== null && 'message' in said ? String(said.message) : undefined;
  } catch {
    // No answer of a bridge.
    return undefined;
  }
}
