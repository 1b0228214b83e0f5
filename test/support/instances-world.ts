import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { COUNTING_MESSAGES, CountingDevice } from './counting-device.ts';
import { freePort } from './free-port.ts';
import { PythonFeed, type PythonNumbers } from './python-feed.ts';
import { RedisServer } from './redis-server.ts';
import { RunningProgram } from './running-program.ts';
import { ThrottlingProxy } from './throttling-proxy.ts';

export const INSTANCES = ['north', 'south', 'gateway'] as const;
export type Instance = (typeof INSTANCES)[number];
export const PATIENCE = { timeout: 90_000, interval: 100 };

export interface WorldOptions {
  readonly python?: string;
  readonly devices?: readonly string[];
  /** Further keys of `server:`, and of the file. */
  readonly server?: string;
  readonly keys?: string;
}

interface Shown {
  readonly reason?: string;
  readonly link?: { readonly status?: string };
}

/** Why what is shown may not be so; `none`, whatever the device itself is. */
const doubtOf = (device: Shown | undefined): string =>
  device?.reason?.endsWith('_lost') === true ? device.reason : 'none';

/**
 * The instances as processes of their own, each with a way of its own to the server, and a client in Python. `north` and
 * `south` have the same devices, which are dialled.
 */
export class InstancesWorld implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly device: CountingDevice;
  readonly ports: ReadonlyMap<Instance, number>;
  readonly ways: ReadonlyMap<Instance, ThrottlingProxy>;
  readonly clients: ReadonlyMap<Instance, PythonFeed>;
  readonly #processes = new Map<Instance, RunningProgram>();
  readonly #others: AsyncDisposable[] = [];

  private constructor(
    redis: RedisServer,
    device: CountingDevice,
    ports: ReadonlyMap<Instance, number>,
    ways: ReadonlyMap<Instance, ThrottlingProxy>,
    python: string | undefined,
  ) {
    this.redis = redis;
    this.device = device;
    this.ports = ports;
    this.ways = ways;
    const clients = new Map<Instance, PythonFeed>();
    if (python !== undefined)
      for (const [instance, port] of ports)
        clients.set(instance, new PythonFeed(python, `ws://127.0.0.1:${port}/ws`, 'numbered_feed.py'));
    this.clients = clients;
  }

  /** Without `python` there are no clients in it. `devices` all are at the same port. */
  static async start({ python, devices = ['rack'], ...more }: WorldOptions = {}): Promise<InstancesWorld> {
    const args = ['--save', '', '--appendonly', 'no', '--enable-debug-command', 'yes'];
    const redis = await RedisServer.start({ args });
    const device = new CountingDevice();
    const devicePort = await device.listen();
    await writeFile(join(redis.folder, 'counting.yaml'), COUNTING_MESSAGES);
    const ports = new Map<Instance, number>();
    const ways = new Map<Instance, ThrottlingProxy>();
    for (const instance of INSTANCES) {
      const port = await freePort();
      const way = await ThrottlingProxy.start(redis.port);
      ports.set(instance, port);
      ways.set(instance, way);
      await writeFile(
        join(redis.folder, `${instance}.yaml`),
        `server: { port: ${port}${more.server ?? ''} }
${more.keys ?? ''}
backplane: { url: "redis://127.0.0.1:${way.port}", instance: ${instance}, lease: 3s }
history: false
defaults: { reconnect: { initial: 100ms, max: 500ms } }
devices:
${devices
  .map(
    (id) =>
      `  - { id: ${id}, link: "tcp:127.0.0.1:${devicePort}", session: none, messages: counting.yaml }\n`,
  )
  .join('')}`,
      );
    }
    const world = new InstancesWorld(redis, device, ports, ways, python);
    for (const instance of INSTANCES) world.run(instance);
    return world;
  }

  run(instance: Instance): void {
    const command = instance === 'gateway' ? 'gateway' : 'run';
    const argv = [command, `${instance}.yaml`, '--no-watch', '--quiet'];
    this.#processes.set(instance, new RunningProgram(argv, this.redis.folder));
  }

  async kill(instance: Instance, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<number | null> {
    const running = this.#processes.get(instance);
    running?.child.kill(signal);
    return (await running?.exited)?.code ?? null;
  }

  way(instance: Instance): ThrottlingProxy {
    const way = this.ways.get(instance);
    if (way === undefined) throw new Error(`no way of ${instance}`);
    return way;
  }

  url(instance: Instance): string {
    return `http://127.0.0.1:${this.ports.get(instance)}`;
  }

  /** It is disposed of with the world. */
  with<T extends AsyncDisposable>(other: T): T {
    this.#others.push(other);
    return other;
  }

  /** What the client of an instance learns of why the device is in doubt. */
  async doubt(instance: Instance = 'gateway'): Promise<string> {
    return doubtOf((await this.clients.get(instance)?.view())?.view[0] as Shown | undefined);
  }

  /**
   * Every client shows the same, nothing of it is in doubt, one instance has the device, and what the device says from now
   * on comes to all; until then nothing came twice, and every hole was a gap.
   */
  async converges(after: string): Promise<void> {
    const from = this.device.last;
    const shown = async (): Promise<unknown> => {
      const links = [];
      for (const client of this.clients.values()) {
        const { state, view } = await client.view();
        const device = view[0] as Shown | undefined;
        const { last } = await client.numbers();
        links.push([state, view.length, device?.link?.status, doubtOf(device), last > from]);
      }
      return { links, connections: this.device.connections };
    };
    const links = INSTANCES.map(() => ['connected', 1, 'connected', 'none', true]);
    await expect.poll(shown, { ...PATIENCE, message: after }).toEqual({ links, connections: 1 });
    const numbers = new Map<Instance, PythonNumbers>();
    for (const [instance, client] of this.clients) numbers.set(instance, await client.numbers());
    const faults = [...numbers].flatMap(([instance, { twice, silent }]) =>
      twice.length + silent.length === 0 ? [] : [{ instance, twice, silent }],
    );
    expect(faults, after).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients.values()) await client[Symbol.asyncDispose]();
    for (const instance of INSTANCES) await this.kill(instance);
    for (const way of this.ways.values()) await way[Symbol.asyncDispose]();
    await this.device[Symbol.asyncDispose]();
    for (const other of this.#others) await other[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
  }
}
