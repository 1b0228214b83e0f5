import { describe } from 'vitest';
import { Gate } from '../../support/gate.ts';
import { BrokerWatcher, hasMosquitto, Mosquitto } from '../../support/mosquitto.ts';
import { type OutputSide, outputContract, SECRET } from '../../support/output-contract.ts';
import type { OutputWorld } from '../../support/output-world.ts';

/** A real broker. What the output sends is not seen before the watcher is there: alarms are not retained. */
class Broker implements OutputSide {
  readonly #broker: Mosquitto;
  readonly #gate: Gate;
  readonly #seen = new Set<number>();
  #watcher: BrokerWatcher | undefined;

  private constructor(broker: Mosquitto, gate: Gate) {
    this.#broker = broker;
    this.#gate = gate;
  }

  static async start(): Promise<Broker> {
    const broker = await Mosquitto.start();
    const side = new Broker(broker, await Gate.start(broker.port));
    await side.#watch();
    return side;
  }

  async #watch(): Promise<void> {
    this.#watcher = await BrokerWatcher.connect(this.#broker.url);
    this.#watcher.client.on('message', (topic, payload) => {
      if (topic.endsWith('/alarms')) this.#seen.add(JSON.parse(payload.toString()).n);
    });
    this.#gate.open();
  }

  entry(): string {
    const password = this.#broker.file('password', `${SECRET}\n`);
    return `  - mqtt: { url: "mqtt://127.0.0.1:${this.#gate.port}", state_interval: 0s, username: me, password_file: ${password} }`;
  }

  publish(world: OutputWorld, n: number): void {
    world.store.publishEvent(`devices/d${n % 1_000}/alarms`, { n, message: 't', field: 'x', level: 'alarm' });
  }

  async received(): Promise<readonly number[]> {
    return [...this.#seen];
  }

  async kill(): Promise<void> {
    await this.#broker.kill();
    this.#gate.shut();
    await this.#watcher?.[Symbol.asyncDispose]();
  }

  async restart(): Promise<void> {
    await this.#broker.begin();
    await this.#watch();
  }

  freeze(): void {
    this.#broker.freeze();
  }

  thaw(): void {
    this.#broker.thaw();
  }

  async refuseLogin(): Promise<void> {
    await this.kill();
    this.#broker.configure('allow_anonymous false');
    await this.#broker.begin();
    this.#gate.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#gate[Symbol.asyncDispose]();
    await this.#broker[Symbol.asyncDispose]();
  }
}

describe.runIf(hasMosquitto)('mosquitto', () => {
  // As many as are on their way at once.
  outputContract('MQTT', () => Broker.start(), { tooMany: 5_000, padding: 0, greets: true, forgets: 64 });
});
