import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { SocketConstructor } from '../client/index.ts';
import { lookupOf } from '../links/names/name-resolver.ts';

export interface BridgeSocketOptions {
  /** Sent as the `Origin` header; bridges on other machines want one that they know. */
  readonly origin: string | undefined;
  /** The bridge answered with HTTP instead of a WebSocket, and would do so again. */
  readonly refused: (why: string) => void;
}

const CONNECT_LIMIT_MS = 10_000;

/** The WebSocket of this program, for `connect` of the client. */
export function bridgeSocket({ origin, refused }: BridgeSocketOptions): SocketConstructor {
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
