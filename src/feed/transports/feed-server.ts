import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ServerOptions, WebSocketServer } from 'ws';

import {
  type Admission,
  type Answer,
  bearerToken,
  type Caller,
  callerOf,
  chosenProtocol,
  protocolToken,
  refusal,
  refusedToken,
  type Verdict,
  writeAnswer,
} from '../../access/index.ts';
import type { ClientEntry } from '../../contract/feed/index.ts';
import { plainAddress } from '../../system/index.ts';
import { refusedCaller, requestedClientId } from '../hub/admission.ts';
import {
  type Arrival,
  SubscriberRegistry,
  type SubscriberRegistryOptions,
} from '../hub/subscriber-registry.ts';
import type { Transport } from '../hub/transport.ts';
import { FeedSocket, textFrame } from './websocket.ts';

export interface FeedServerOptions extends Admission, SubscriberRegistryOptions {}

/** The feed over WebSocket; other transports use the same `subscriberRegistry`. */
export class FeedServer {
  readonly subscriberRegistry: SubscriberRegistry;
  readonly #options: FeedServerOptions;
  readonly #transport: Transport;
  readonly #sockets: WebSocketServer;

  constructor(options: FeedServerOptions) {
    this.#options = options;
    this.subscriberRegistry = new SubscriberRegistry(options);
    this.#transport = this.subscriberRegistry.transport('websocket', textFrame);
    const { closeTimeoutMs } = this.subscriberRegistry.limits;
    // Newer than the published types.
    const settings: ServerOptions & { readonly closeTimeout: number; readonly WebSocket: typeof FeedSocket } =
      {
        noServer: true,
        WebSocket: FeedSocket,
        clientTracking: false,
        perMessageDeflate: false,
        autoPong: false,
        // One message or ping a turn of the loop for each connection: a burst of thousands does not delay the others.
        allowSynchronousEvents: false,
        closeTimeout: closeTimeoutMs,
        handleProtocols: chosenProtocol,
      };
    this.#sockets = new WebSocketServer(settings);
    // The answer of `ws` has another form than all answers here.
    this.#sockets.on('wsClientError', (error, socket) => writeAnswer(socket, badHandshake(error.message)));
  }

  /** All connections, over any transport. */
  clients(): readonly ClientEntry[] {
    return this.subscriberRegistry.clients();
  }

  /** Whether any subscriber follows this topic. */
  hasAudience(topic: string): boolean {
    return this.subscriberRegistry.subscribedTo(topic);
  }

  /** Bytes that wait for all subscribers together, roughly. */
  get heldBytes(): number {
    return this.subscriberRegistry.heldBytes;
  }

  /** Takes over the connection of an upgrade to `/ws` or `/ws/<client_id>`, or refuses it with an HTTP answer. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, known?: Caller): void {
    const wanted = requestedClientId(request.url ?? '');
    const caller = known ?? callerOf(request, this.#options.trustedProxies);
    const address = plainAddress(caller.remoteAddress);
    const refused =
      refusedCaller(caller, this.#options, this.subscriberRegistry.auth.required) ??
      ('id' in wanted ? undefined : wanted);
    if (refused !== undefined || !('id' in wanted)) {
      this.subscriberRegistry.log('refused', address, undefined, String(refused?.body));
      if (refused !== undefined) writeAnswer(socket, refused);
      return;
    }
    const retryAfterS = this.subscriberRegistry.retryAfterS(address);
    if (retryAfterS !== undefined) {
      const message = 'More connections come than can be taken in now; come back later.';
      writeAnswer(
        socket,
        refusal(503, 'too_busy', message, { 'Retry-After': String(retryAfterS), Connection: 'close' }),
      );
      return;
    }
    const { headers } = request;
    const bearer = bearerToken(headers);
    const token = bearer ?? protocolToken(headers);
    const conclude = (verdict: Verdict | undefined): void => {
      // A browser shows a page the code of a close, but not the status of a refused handshake.
      if (verdict?.ok === false && bearer !== undefined) {
        this.subscriberRegistry.log('refused', address, wanted.id, verdict.message);
        writeAnswer(socket, refusedToken(verdict));
      } else {
        // `ws` takes the limit of a socket from its server when it is opened.
        this.#sockets.options.maxPayload = this.subscriberRegistry.limits.maxMessageBytes;
        this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
          // The server makes no others.
          if (webSocket instanceof FeedSocket)
            this.#admit(webSocket, request.socket, { address, wantedId: wanted.id, verdict });
        });
      }
    };
    const verdict = token === undefined ? undefined : this.subscriberRegistry.auth.verify(token, address);
    if (!(verdict instanceof Promise)) {
      conclude(verdict);
      return;
    }
    // The peer may close before its token is verified.
    const lost = (): void => void socket.destroy();
    socket.once('error', lost);
    void verdict.then((each) => {
      socket.removeListener('error', lost);
      if (!socket.destroyed) conclude(each);
    });
  }

  /** Closes every connection with a time to reconnect, spread over some seconds. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.subscriberRegistry[Symbol.asyncDispose]();
  }

  #admit(
    webSocket: FeedSocket,
    socket: Socket,
    arrival: Pick<Arrival, 'address' | 'wantedId' | 'verdict'>,
  ): void {
    const carried = { ...arrival, transportSocket: webSocket, socket };
    webSocket.carry(this.subscriberRegistry, this.subscriberRegistry.admit(this.#transport, carried));
  }
}

function badHandshake(problem: string): Answer {
  return refusal(400, 'bad_request', `${problem}.`, { 'Sec-WebSocket-Version': '13' });
}
