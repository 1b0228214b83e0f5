import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bridge } from '../../src/app/bridge.ts';
import { readConfig } from '../../src/config/read.ts';
import { systemClock } from '../../src/system/clock.ts';

/** What the device of these tests says: lines of `volts,mode`. */
export const MESSAGES = `version: 1
protocol: { framing: { type: delimiter, delimiter: ["\\n"] } }
messages:
  - name: line
    from: device
    separator: ","
    fields:
      - { name: volts, type: number, unit: V, limits: { alarm: [0, 30] } }
      - { name: mode, type: text }
`;

/** A device that says lines when the test wants it to, at one port for as long as the world lives. */
export class LineDevice implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  });

  get connected(): boolean {
    return this.#sockets.size > 0;
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port; // A listening TCP server has an address of this kind.
  }

  say(line: string): void {
    for (const socket of this.#sockets) socket.write(`${line}\n`);
  }

  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export interface LoggedLine {
  readonly level: string;
  readonly code: unknown;
  readonly text: string;
}

/** A device `meter`, and bridges that keep its history in one folder, one after the other. */
export class HistoryWorld implements AsyncDisposable {
  readonly device = new LineDevice();
  readonly log: LoggedLine[] = [];
  url = '';
  #folder = '';
  #port = 0;
  #bridge: Bridge | undefined;

  get file(): string {
    return join(this.#folder, 'history', 'devices.db');
  }

  get folder(): string {
    return this.#folder;
  }

  async open(): Promise<this> {
    this.#folder = await mkdtemp(join(tmpdir(), 'heartwire-history-'));
    this.#port = await this.device.listen();
    await writeFile(join(this.#folder, 'messages.yaml'), MESSAGES);
    return this;
  }

  /** `more` goes into devices.yaml. */
  async start(more = ''): Promise<Bridge> {
    const path = join(this.#folder, 'devices.yaml');
    const device = `{ id: meter, link: "tcp:127.0.0.1:${this.#port}", session: none, messages: messages.yaml, reconnect: { initial: 100ms, max: 100ms } }`;
    await writeFile(path, `server: { port: 0 }\ndevices:\n  - ${device}\n${more}`);
    const { config, problems } = await readConfig(path);
    if (config === undefined) throw new Error(JSON.stringify(problems));
    const note = (level: string) => (fields: object, text: string) =>
      void this.log.push({ level, code: 'code' in fields ? fields.code : undefined, text });
    const bridge = new Bridge({
      config,
      historyFile: config.history && this.file,
      clock: systemClock,
      log: { info: note('info'), warn: note('warn'), error: note('error') },
      version: '0.0.0-test',
    });
    this.#bridge = bridge;
    this.url = (await bridge.start()).url;
    return bridge;
  }

  async stop(): Promise<void> {
    await this.#bridge?.[Symbol.asyncDispose]();
    this.#bridge = undefined;
  }

  /** The answer to a GET of a path below `/api/history/`. */
  async get(path: string, token?: string): Promise<{ readonly status: number; readonly body: HistoryBody }> {
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const response = await fetch(`${this.url}/api/history/${path}`, { headers });
    return { status: response.status, body: (await response.json()) as HistoryBody };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.device[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What the routes answer, as far as tests read it. */
export interface HistoryBody {
  readonly code?: string;
  readonly message?: string;
  readonly unit?: string;
  readonly type?: string;
  readonly resolution_ms?: number;
  readonly points?: readonly (readonly [number, number | null, number | null, number | string])[];
  readonly gaps?: readonly (readonly [number, number, string])[];
  readonly events?: readonly (Readonly<Record<string, unknown>> & {
    readonly at: number;
    readonly kind: string;
  })[];
  readonly before?: string;
  readonly next?: number;
  readonly devices?: readonly Readonly<Record<string, unknown>>[];
}
