import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { type Bench, type BenchOptions, type BenchRow, median } from './support/bench.ts';
import { HOSTILE_KINDS, type HostileKind, type HostileOrder } from './support/hostile-clients.ts';
import type { HostileReport } from './support/hostile-server.ts';

const OTHERS = 20;
const PHASE_MS = { usual: 1_500, large: 5_000 } as const;
const ROUNDS = 3;
/** What hostile requests may make of it: so many times as long. */
const MOST_TIMES = 3;
/** What a hostile neighbour may add to the slowest hundredth of what the others are told. */
const MOST_MORE_MS = 10;

const child = (name: string): ChildProcess =>
  fork(fileURLToPath(import.meta.url).replace(/hostile(\.[jt]s)$/, `support/${name}$1`));

/** Those who do nothing wrong, and how long each message took to them. */
class Others {
  #delaysMs: number[] = [];
  readonly #sockets: WebSocket[] = [];

  static async connect(port: number): Promise<Others> {
    const others = new Others();
    for (let count = 0; count < OTHERS; count++) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { perMessageDeflate: false });
      others.#sockets.push(socket);
      await once(socket, 'open');
      socket.send('{"type":"subscribe","topics":["devices/+/messages"]}');
      socket.on('message', (data) => others.#heard(String(data)));
    }
    return others;
  }

  async p99(forMs: number): Promise<number> {
    this.#delaysMs = [];
    await sleep(forMs);
    const sorted = this.#delaysMs.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY;
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  #heard(text: string): void {
    const at = /"at":([\d.]+)/.exec(text)?.[1];
    if (at !== undefined) this.#delaysMs.push(performance.timeOrigin + performance.now() - Number(at));
  }
}

async function* run({ large }: BenchOptions): AsyncGenerator<BenchRow> {
  const [server, clients] = [child('hostile-server'), child('hostile-clients')];
  const report = async (): Promise<HostileReport> => {
    // It says nothing else.
    const [said] = (await once(server, 'message')) as [HostileReport];
    return said;
  };
  const tell = async (order: HostileOrder): Promise<void> => {
    const done = once(clients, 'message');
    clients.send(order);
    await done;
  };
  const { port } = await report();
  const others = await Others.connect(port);
  const phaseMs = large ? PHASE_MS.large : PHASE_MS.usual;
  const measure = async (kind: HostileKind): Promise<BenchRow> => {
    const [quiet, disturbed]: [number[], number[]] = [[], []];
    let rssMiB = 0;
    for (let round = 0; round < ROUNDS; round++) {
      quiet.push(await others.p99(phaseMs));
      await tell({ do: 'start', kind, port });
      disturbed.push(await others.p99(phaseMs));
      const next = report();
      server.send('report');
      rssMiB = Math.max(rssMiB, (await next).rssMiB);
      await tell({ do: 'stop' });
      await sleep(300);
    }
    const [without, beside] = [median(quiet), median(disturbed)];
    return {
      name: kind,
      figure: `p99 of the others ${beside.toFixed(1)} ms; server ${rssMiB.toFixed(0)} MiB`,
      peer: `without ${without.toFixed(1)} ms`,
      ratio: (beside / without).toFixed(2),
      target: kind.startsWith('pipelined')
        ? { text: `<= ${MOST_TIMES} x`, met: beside <= without * MOST_TIMES }
        : { text: `<= ${MOST_MORE_MS} ms more`, met: beside <= without + MOST_MORE_MS },
    };
  };
  try {
    await others.p99(phaseMs);
    for (const kind of HOSTILE_KINDS) yield await measure(kind);
  } finally {
    others.close();
    clients.disconnect();
    server.disconnect();
  }
}

/** What subscribers that mean no good do to the others. */
export const bench: Bench = {
  about: `how long a message takes to ${OTHERS} subscribers beside hostile ones of each kind, and without, in turns`,
  run,
};
