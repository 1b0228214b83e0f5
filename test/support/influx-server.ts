import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { needs } from './needs.ts';
import { ServerProcess } from './server-process.ts';

const need = needs('influxd');

/** Whether the real InfluxDB can be run here; hand it to `describe.runIf`. */
export const hasInflux = need.run;

const DATABASE = 'bench';

/**
 * The InfluxDB of this machine on a port of its own. Debian has version 1, which takes the same lines at `/write`: what
 * comes to `/api/v2/write` is passed on there. Use with `await using`.
 */
export class InfluxServer extends ServerProcess implements AsyncDisposable {
  readonly #port: number;
  readonly #folder: string;
  readonly #front: Server;

  private constructor(port: number, rpcPort: number) {
    super();
    this.#port = port;
    this.#folder = mkdtempSync(join(tmpdir(), 'heartwire-influxd-'));
    const at = (name: string) => JSON.stringify(join(this.#folder, name));
    writeFileSync(
      join(this.#folder, 'influxd.conf'),
      `reporting-disabled = true
bind-address = "127.0.0.1:${rpcPort}"
[meta]
dir = ${at('meta')}
[data]
dir = ${at('data')}
wal-dir = ${at('wal')}
[http]
bind-address = "127.0.0.1:${port}"
log-enabled = false
[monitor]
store-enabled = false
`,
    );
    this.#front = createServer((incoming, answer) => {
      const { searchParams } = new URL(incoming.url ?? '', 'http://front');
      const path = `/write?db=${searchParams.get('bucket')}&precision=${searchParams.get('precision')}`;
      const on = request({ port, host: '127.0.0.1', path, method: 'POST' }, (response) => {
        answer.writeHead(response.statusCode ?? 500, response.headers);
        response.on('error', () => answer.destroy());
        response.pipe(answer);
      });
      on.on('error', () => answer.destroy());
      incoming.on('error', () => on.destroy());
      answer.on('close', () => on.destroy());
      incoming.pipe(on);
    });
  }

  /** The address that an output gets. */
  get url(): string {
    // A listening TCP server has an address with a port.
    return `http://127.0.0.1:${(this.#front.address() as AddressInfo).port}`;
  }

  static async start(): Promise<InfluxServer> {
    for (let attempt = 1; ; attempt++) {
      const server = new InfluxServer(await freePort(), await freePort());
      await new Promise<void>((resolve) => server.#front.listen(0, '127.0.0.1', resolve));
      try {
        await server.begin();
        await server.query(`CREATE DATABASE ${DATABASE}`);
        return server;
      } catch (error) {
        await server[Symbol.asyncDispose]();
        // Another test may have taken a port meanwhile.
        if (attempt === 5) throw error;
      }
    }
  }

  /** Starts it, again after a kill; resolves once it answers. */
  async begin(): Promise<void> {
    const child = spawn(need.path, ['-config', join(this.#folder, 'influxd.conf')], { stdio: 'ignore' });
    this.child = child;
    const endsAt = performance.now() + 30_000;
    while (!(await this.#answers())) {
      if (child.exitCode !== null) throw new Error('influxd ended at once');
      if (performance.now() > endsAt) throw new Error('influxd does not answer');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  #answers(): Promise<boolean> {
    return this.query('SHOW DATABASES').then(
      () => true,
      () => false,
    );
  }

  /** The rows of the first series, each by the name of its columns. */
  async query(text: string): Promise<ReadonlyArray<Readonly<Record<string, unknown>>>> {
    const search = new URLSearchParams({ db: DATABASE, q: text, epoch: 'ns' });
    const response = await fetch(`http://127.0.0.1:${this.#port}/query?${search}`, { method: 'POST' });
    const { results } = (await response.json()) as {
      results: ReadonlyArray<{
        readonly error?: string;
        readonly series?: ReadonlyArray<{
          readonly columns: readonly string[];
          readonly values?: unknown[][];
        }>;
      }>;
    };
    const [{ error, series = [] } = {}] = results;
    if (error !== undefined) throw new Error(`${text}: ${error}`);
    const [{ columns, values = [] } = { columns: [] }] = series;
    return values.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    const closed = new Promise((resolve) => this.#front.close(resolve));
    this.#front.closeAllConnections();
    await closed;
    rmSync(this.#folder, { recursive: true });
  }
}
