import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What the endpoint does with a request: a status with headers and a body, or it never answers. */
export type Behaviour = Answer | 'hang' | ((received: Received) => Answer);

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The other side of an output: an HTTP server that does what it is told to. Use with `await using`. */
export class Endpoint implements AsyncDisposable {
  /** What it took, in order. */
  readonly taken: Received[] = [];
  /** What it did not take. */
  readonly refused: Received[] = [];
  #behaviour: Behaviour = { status: 204 };
  /** Requests that were not answered, while it hangs. */
  readonly #hanging: Array<() => void> = [];
  readonly #server: Server;
  #url = '';

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('error', () => undefined);
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const received = { path: request.url ?? '', headers: request.headers, body };
        const judge = (): void => {
          const behaviour = this.#behaviour;
          if (behaviour === 'hang') return void this.#hanging.push(judge);
          if (response.destroyed) return;
          const answer = typeof behaviour === 'function' ? behaviour(received) : behaviour;
          (answer.status < 300 ? this.taken : this.refused).push(received);
          response.writeHead(answer.status, answer.headers).end(answer.body);
        };
        judge();
      });
    });
  }

  /** From now on; requests that hang are answered so too, as those of a process that was frozen are. */
  set behaviour(behaviour: Behaviour) {
    this.#behaviour = behaviour;
    for (const judge of this.#hanging.splice(0)) judge();
  }

  get url(): string {
    return this.#url;
  }

  static async start(): Promise<Endpoint> {
    const endpoint = new Endpoint();
    await endpoint.listen(0);
    return endpoint;
  }

  /** From now on. */
  async behave(behaviour: Behaviour): Promise<void> {
    this.behaviour = behaviour;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    // A listening TCP server has an address with a port.
    this.#url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** As a process that is gone: connections end, and no other is taken. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }
}
