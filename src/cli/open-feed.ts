import { type Client, type ClientStatus, connect, type Decode } from '../client/index.ts';
import { HeartwireError } from '../errors.ts';
import { systemClock } from '../system/clock.ts';
import { withResolvers } from '../system/with-resolvers.ts';
import { bridgeSocket } from './bridge-socket.ts';
import { TOKEN_MEND } from './bridge-token.ts';
import { bridgeUnreachable } from './bridge-unreachable.ts';
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
