import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { platform } from 'node:os';

/** CPU time of all threads of a process so far, in us, as the scheduler counts it. */
export function cpuOf(pid: number): number {
  let us = 0;
  for (const each of cpuByThread(pid).values()) us += each;
  return us;
}

/** The same of each thread, by its number. */
export function cpuByThread(pid: number): ReadonlyMap<string, number> {
  return new Map(
    readdirSync(`/proc/${pid}/task`).map((thread) => [
      thread,
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1_000,
    ]),
  );
}

/** What a process holds of memory, in MiB. */
export function rssOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** The processors that this process may use: `0-1,4` as 0, 1, 4. */
function allowed(): readonly number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return list.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

let pins: { readonly server: number; readonly clients: number } | undefined | 'unknown' = 'unknown';

/** Servers get one processor and clients another one, where there are two and `taskset` is installed. */
function pinned(): { readonly server: number; readonly clients: number } | undefined {
  if (pins !== 'unknown') return pins;
  pins = undefined;
  if (platform() !== 'linux' || spawnSync('taskset', ['--version']).status !== 0) return undefined;
  const [server, ...others] = allowed();
  const clients = others.at(-1);
  if (server !== undefined && clients !== undefined) pins = { server, clients };
  return pins;
}

/** `any`: it is not kept on one. */
export type Processor = 'server' | 'clients' | 'any';

/** A command line that keeps the program on its processor. */
export function onProcessor(of: Processor, command: readonly string[]): [string, string[]] {
  const pin = pinned();
  const [program = '', ...args] =
    pin === undefined || of === 'any' ? command : ['taskset', '-c', String(pin[of]), ...command];
  return [program, args];
}

/** How the processes of a bench are placed, in words. */
export function placement(): string {
  const pin = pinned();
  return pin === undefined
    ? 'not pinned'
    : `servers pinned to processor ${pin.server}, clients to processor ${pin.clients}`;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
