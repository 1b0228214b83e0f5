import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { end, freePort } from './processes.ts';
import { type ProgramPorts, programRival, type Rival, startProgram } from './rivals.ts';

/** An instance with a device, gateways beside it, and the server that they share. */
export interface SharedFeedProcesses {
  readonly owner: Rival;
  readonly gateways: readonly ProgramPorts[];
  readonly serverPid: number;
}

/** Everything that was started; it ends together. */
export class InstanceProcesses {
  readonly #closers: Array<() => Promise<void>> = [];

  async alone(dist?: string): Promise<Rival> {
    return programRival('alone', await this.#kept(startProgram(dist)));
  }

  /** Over a server of its own, so that it costs others nothing. */
  async shared(gateways: number): Promise<SharedFeedProcesses> {
    const port = await freePort();
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const server: ChildProcess = spawn('redis-server', settings, { stdio: 'ignore' });
    this.#closers.push(() => end(server));
    const start = (
      instance: string,
      command: 'run' | 'gateway',
      processor: 'server' | 'clients' = 'server',
    ) => {
      const keys = `backplane: { url: "redis://127.0.0.1:${port}", instance: ${instance} }`;
      return this.#kept(startProgram(undefined, { keys, command, processor }));
    };
    const owner = await start('owner', 'run');
    const others: ProgramPorts[] = [];
    // Two gateways have two processors.
    for (let at = 0; at < gateways; at++)
      others.push(await start(`gateway-${at}`, 'gateway', at === 0 ? 'server' : 'clients'));
    for (const each of [owner, ...others]) await ready(each.port);
    return { owner: programRival('owner', owner), gateways: others, serverPid: server.pid ?? 0 };
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  async #kept(starting: Promise<ProgramPorts>): Promise<ProgramPorts> {
    const program = await starting;
    this.#closers.push(() => program.close());
    return program;
  }
}

/** The instance knows the others. */
async function ready(port: number): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const { status } = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => ({ status: 0 }));
    if (status === 200) return;
    await sleep(50);
  }
  throw new Error(`the instance at port ${port} is not ready`);
}
