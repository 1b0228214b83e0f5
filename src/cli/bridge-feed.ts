import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import {
  type Client,
  type ClientStatus,
  connect,
  type Decode,
  type SocketConstructor,
} from '../client/index.ts';
import { HeartwireError } from '../errors.ts';
import { lookupOf } from '../links/names/as-lookup.ts';
import { systemClock } from '../system/clock.ts';
import { withResolvers } from '../system/with-resolvers.ts';
import { TOKEN_MEND } from './bridge-options.ts';
import type { CliIo } from './command.ts';

export interface OpenFeedOptions {
  /** As `feedUrl` makes it. */
  readonly url: string;
  readonly origin: string | undefined;
  /** Shown to a bridge that asks for one; HEARTWIRE_TOKEN where it is left out. */
  readonly token?: string | undefined;
  /** Sees every message before the command does. */
  readonly decode: Decode;
  /** Wait for a bridge that is not there yet. */
  readonly retry: boolean;
  readonly io: CliIo;
  /** Told of lost and new connections. */
  note(text: string): void;
}

/** A bridge's feed as long as a command follows it. */
export interface OpenFeed extends Disposable {
  readonly client: Client;
  /** Fulfilled once the command is told to stop. @throws HeartwireError `bridge_refused`, `bridge_unreachable` */
  readonly ended: Promise<void>;
  /** The command has what it wanted. */
  end(): void;
}

/** Connects a command to a bridge, until it is told to stop or nobody reads what it prints. */
export function openFeed(options: OpenFeedOptions): OpenFeed {
  const { url, origin, decode, retry, io, note, token = io.env.HEARTWIRE_TOKEN } = options;
  const { promise: ended, resolve: done, reject } = withResolvers<void>();
  // Whoever waits hears of it all the same; what fails before that must not end the process.
  ended.catch(() => undefined);
  const resolve = (): void => done();
  const refuse = (why: string): void => reject(refused(url, why));
  const client = connect(url, {
    WebSocket: bridgeSocket({
      origin,
      refused: (why) => refuse(`The bridge at ${url} refused this connection: ${why}.`),
    }),
    decode,
    ...(token === undefined ? {} : { token }),
  });
  client.on('error', (error) => {
    if (!error.retry) refuse(`The bridge refused: ${error.message}`);
  });
  let reached = false;
  client.on('status', (status) => {
    if (status.state === 'connected') {
      if (reached) note('connected again');
      reached = true;
    } else if (status.state === 'closed') {
      refuse(`The bridge at ${url} refused this connection: ${whyOf(status)}.`);
    } else if (status.retryAt !== undefined && (reached || retry)) {
      const seconds = ((status.retryAt - systemClock.now().wallMs) / 1000).toFixed(1);
      const what = reached ? 'lost' : 'no answer from';
      note(`${what} the bridge at ${url} (${whyOf(status)}); next try in ${seconds} s`);
    } else if (status.retryAt !== undefined)
      reject(bridgeUnreachable(url, whyOf(status), io.program, '; --retry waits for it'));
  });
  const unwatch = [io.onSignal('SIGINT', resolve), io.onSignal('SIGTERM', resolve)];
  io.outClosed.addEventListener('abort', resolve, { once: true });
  if (io.outClosed.aborted) resolve();
  return {
    client,
    ended,
    end: resolve,
    [Symbol.dispose]() {
      for (const each of unwatch) each();
      io.outClosed.removeEventListener('abort', resolve);
      client.close();
    },
  };
}

/** Why a client is not connected, in words. */
export function whyOf({ detail, reason, code }: ClientStatus): string {
  return detail ?? reason?.replaceAll('_', ' ') ?? `closed with code ${code}`;
}

function refused(url: string, message: string): HeartwireError {
  return new HeartwireError('bridge_refused', message.replace(/\.\.$/, '.'), {
    seen: url,
    fix: `Check the address, the topics and the token. ${TOKEN_MEND}`,
  });
}

export interface BridgeSocketOptions {
  /** Sent as the `Origin` header; bridges on other machines want one that they know. */
  readonly origin: string | undefined;
  /** The bridge answered with HTTP instead of a WebSocket, and would do so again. */
  readonly refused: (why: string) => void;
}

const CONNECT_LIMIT_MS = 10_000;

/** The WebSocket of this program, for `connect` of the client. */
function bridgeSocket({ origin, refused }: BridgeSocketOptions): SocketConstructor {
  return class extends WebSocket {
    constructor(url: string) {
      super(url, {
        handshakeTimeout: CONNECT_LIMIT_MS,
        lookup: lookupOf(),
        perMessageDeflate: false,
        ...(origin === undefined ? {} : { origin }),
      });
      this.on('unexpected-response', (_request, response) => this.#answered(response));
    }

    /** The answer says why, in its body. */
    #answered(response: IncomingMessage): void {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('close', () => {
        const status = response.statusCode ?? 0;
        const said = messageIn(Buffer.concat(chunks).toString('utf8'));
        const why = `it answered with HTTP status ${status}${said === undefined ? '' : `: ${said}`}`;
        this.emit('error', new Error(why));
        if (status >= 400 && status < 500 && status !== 429) refused(why);
        this.terminate();
      });
    }
  };
}

function messageIn(text: string): string | undefined {
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === 'object' && said !== null && 'message' in said ? String(said.message) : undefined;
  } catch {
    // No answer of a bridge; its status says enough.
    return undefined;
  }
}

/** No bridge answered at `url`, as `feedUrl` makes it. `why` is the word of the socket, `program` what starts a bridge. */
export function bridgeUnreachable(url: string, why: string, program: string, more = ''): HeartwireError {
  return new HeartwireError(
    'bridge_unreachable',
    `The bridge at ${url} could not be reached: ${oneLine(why)}.`,
    {
      seen: url,
      fix:
        mendOf(url, why) ??
        `Start it with "${program} run", or say where it is with --url or HEARTWIRE_URL${more}.`,
    },
  );
}

/** Something answers there; what stands between is TLS. */
function mendOf(url: string, why: string): string | undefined {
  const secure = url.startsWith('wss:');
  if (secure && /self-signed|unable to (?:get|verify)/.test(why)) {
    return 'Name its certificate, or that of its authority, in NODE_EXTRA_CA_CERTS; docs/deploy.md shows how.';
  }
  if (secure && /wrong version number|packet length too long/.test(why)) {
    return 'It seems to serve no TLS: write http:// in --url or HEARTWIRE_URL.';
  }
  if (!secure && /socket hang up|ECONNRESET/.test(why)) {
    return 'If it serves TLS, write https:// in --url or HEARTWIRE_URL.';
  }
  return undefined;
}

/** OpenSSL ends its words with a colon and a new line. */
const oneLine = (why: string): string => why.replace(/\s+/g, ' ').replace(/[\s:.]+$/, '');
