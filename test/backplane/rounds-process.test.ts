import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { needsPythonPackages } from '../support/needs-python.ts';
import { PythonFeed } from '../support/python-feed.ts';
import { hasRedis, RedisServer } from '../support/redis-server.ts';
import { RunningProgram } from '../support/running-program.ts';
import { Seeded } from '../support/seeded.ts';

const python = needsPythonPackages('websockets');
const INSTANCES = ['north', 'south', 'gateway'] as const;
type Instance = (typeof INSTANCES)[number];
const PATIENCE = { timeout: 90_000, interval: 250 };

interface Shown {
  readonly reason?: string;
  readonly link?: { readonly status?: string };
}

/** Why what is shown may not be so; `none`, whatever the device itself is. */
const doubtOf = (device: Shown | undefined): string =>
  device?.reason?.endsWith('_lost') === true ? device.reason : 'none';

/** A device that counts who is connected to it, and says a line now and then. */
class CountingDevice implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.resume();
  });

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** The instances as processes of their own, each with a client in Python. */
class World implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly device: CountingDevice;
  readonly clients: readonly PythonFeed[];
  readonly #processes = new Map<Instance, RunningProgram>();

  private constructor(redis: RedisServer, device: CountingDevice, ports: ReadonlyMap<Instance, number>) {
    this.redis = redis;
    this.device = device;
    this.clients = [...ports.values()].map(
      (port) => new PythonFeed(python.path, `ws://127.0.0.1:${port}/ws`),
    );
  }

  static async start(): Promise<World> {
    const redis = await RedisServer.start();
    const device = new CountingDevice();
    const devicePort = await device.listen();
    const ports = new Map<Instance, number>();
    for (const instance of INSTANCES) {
      ports.set(instance, await freePort());
      await writeFile(
        join(redis.folder, `${instance}.yaml`),
        `server: { port: ${ports.get(instance)} }
backplane: { url: "${redis.url}", instance: ${instance}, lease: 3s }
history: false
defaults: { reconnect: { initial: 100ms, max: 500ms } }
devices:
  - { id: rack, link: "tcp:127.0.0.1:${devicePort}", session: none }
`,
      );
    }
    const world = new World(redis, device, ports);
    for (const instance of INSTANCES) world.run(instance);
    return world;
  }

  run(instance: Instance): void {
    const command = instance === 'gateway' ? 'gateway' : 'run';
    const argv = [command, `${instance}.yaml`, '--no-watch', '--quiet'];
    this.#processes.set(instance, new RunningProgram(argv, this.redis.folder));
  }

  async kill(instance: Instance): Promise<void> {
    const running = this.#processes.get(instance);
    running?.[Symbol.dispose]();
    await running?.exited;
  }

  /** What the client of the gateway learns of why the device is in doubt. */
  async doubt(): Promise<string> {
    return doubtOf((await this.clients[2]?.view())?.view[0] as Shown | undefined);
  }

  /** Every client shows the same, nothing of it is in doubt, and one instance has the device. */
  async converges(): Promise<void> {
    const shown = async (): Promise<unknown> => {
      const views = await Promise.all(this.clients.map((client) => client.view()));
      const links = views.map(({ state, view }) => {
        const device = view[0] as Shown | undefined;
        return [state, view.length, device?.link?.status, doubtOf(device)];
      });
      return { links, connections: this.device.connections };
    };
    const links = INSTANCES.map(() => ['connected', 1, 'connected', 'none']);
    await expect.poll(shown, PATIENCE).toEqual({ links, connections: 1 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients) await client[Symbol.asyncDispose]();
    for (const instance of INSTANCES) await this.kill(instance);
    await this.device[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
  }
}

describe.runIf(hasRedis && python.run)('instances that are killed, and a server that fails', () => {
  it('come back to one truth at every client, in seeded rounds', { timeout: 600_000 }, async () => {
    await using world = await World.start();
    await world.converges();
    const seeded = new Seeded(7);
    const faults: ReadonlyArray<() => Promise<void>> = [
      async () => {
        const instance = INSTANCES[seeded.below(INSTANCES.length)] ?? 'north';
        await world.kill(instance);
        world.run(instance);
      },
      async () => {
        await world.redis.kill();
        await world.redis.run();
      },
      async () => {
        world.redis.signal('SIGSTOP');
        // Longer than a lease: every instance has to notice it.
        await expect.poll(() => world.doubt(), PATIENCE).toBe('backplane_lost');
        world.redis.signal('SIGCONT');
      },
    ];
    for (let round = 0; round < Number(process.env.HEARTWIRE_ROUNDS ?? 4); round++) {
      await faults[round % faults.length]?.();
      await world.converges();
    }
  });

  it('move a device within the lease when its owner is killed', { timeout: 300_000 }, async () => {
    await using world = await World.start();
    await world.converges();
    await world.kill('north');
    // Whoever had it, the other one has it now.
    await expect
      .poll(async () => [await world.doubt(), world.device.connections], PATIENCE)
      .toEqual(['none', 1]);
    await world.kill('south');
    await expect.poll(() => world.doubt(), PATIENCE).toBe('owner_lost');
  });
});
