import { createServer, type Server, type Socket } from 'node:net';
import { Bridge } from '../../src/app/bridge.ts';
import { loadConfig } from '../../src/config/load.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { systemClock } from '../../src/system/clock.ts';

/** A device, or a gateway with several, on a free port: it answers what it is asked, or nothing. */
export class AnsweringServer {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(answer: (request: Uint8Array) => Uint8Array | undefined) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('data', (bytes) => {
        const reply = answer(bytes);
        if (reply !== undefined) socket.write(reply);
      });
    });
  }

  /** Resolves with its port. */
  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => {
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** A bridge of this `devices.yaml`, whose devices all have the messages of `m.yaml`. */
export function polledBridge(lines: readonly string[], messages: string): Bridge {
  const { protocol } = loadMessages(messages, 'm.yaml');
  if (protocol === undefined) throw new Error('the messages of the bench are wrong');
  const known = new Map([['m.yaml', { protocol, problems: [] }]]);
  const { config } = loadConfig(['server: { port: 0 }', ...lines].join('\n'), 'devices.yaml', known);
  if (config === undefined) throw new Error('the configuration of the bench is wrong');
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return new Bridge({ config, clock: systemClock, log, version: 'bench' });
}
