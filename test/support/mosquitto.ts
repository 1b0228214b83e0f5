import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { freePort } from './free-port.ts';
import { needs } from './needs.ts';
import { ServerProcess } from './server-process.ts';

const need = needs('mosquitto');

/** Whether the real mosquitto can be run here; hand it to `describe.runIf`. */
export const hasMosquitto = need.run;

/** The mosquitto of this machine on a port of its own; it keeps nothing over a restart. Use with `await using`. */
export class Mosquitto extends ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly #folder: string;

  private constructor(port: number, config: string) {
    super();
    this.port = port;
    this.url = `mqtt://127.0.0.1:${port}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'heartwire-mosquitto-'));
    this.configure(config);
  }

  /** For when it begins the next time. */
  configure(config: string): void {
    writeFileSync(join(this.#folder, 'mosquitto.conf'), `listener ${this.port} 127.0.0.1\n${config}\n`);
  }

  /** `config`: further lines; anybody may connect where it is left out. */
  static async start(config = 'allow_anonymous true'): Promise<Mosquitto> {
    const broker = new Mosquitto(await freePort(), config);
    await broker.begin();
    return broker;
  }

  file(name: string, text: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  async begin(): Promise<void> {
    this.child = spawn(need.path, ['-c', join(this.#folder, 'mosquitto.conf')], { stdio: 'ignore' });
    const endsAt = performance.now() + 15_000;
    while (!(await this.#answers())) {
      if (performance.now() > endsAt) throw new Error(`mosquitto does not answer at ${this.url}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #answers(): Promise<boolean> {
    const options = { reconnectPeriod: 0, connectTimeout: 500 };
    const client = await connectAsync(this.url, options, false).catch(
      (error: Error & { code?: unknown }) => error,
    );
    // A number is what the broker itself says.
    if (client instanceof Error) return typeof client.code === 'number';
    await client.endAsync(true);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }
}

/** What a subscriber of a broker has: the last message of each topic, and all that came. */
export class BrokerWatcher implements AsyncDisposable {
  readonly last = new Map<string, string>();
  readonly all: Array<{ readonly topic: string; readonly text: string; readonly retain: boolean }> = [];
  readonly client: MqttClient;

  private constructor(client: MqttClient) {
    this.client = client;
    client.on('message', (topic, payload, { retain }) => {
      const text = payload.toString();
      this.all.push({ topic, text, retain });
      if (text === '') this.last.delete(topic);
      else this.last.set(topic, text);
    });
  }

  static async connect(url: string): Promise<BrokerWatcher> {
    const client = await connectAsync(url, { reconnectPeriod: 100, protocolVersion: 5 });
    const watcher = new BrokerWatcher(client);
    client.on('connect', () => void client.subscribe('#', { qos: 1 }));
    await client.subscribeAsync('#', { qos: 1 });
    return watcher;
  }

  json(topic: string): unknown {
    const text = this.last.get(topic);
    return text === undefined ? undefined : JSON.parse(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.endAsync(true);
  }
}
