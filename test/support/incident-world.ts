import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import type { IncidentDocument, StateDocument } from '../../src/contract/feed/index.ts';
import type { ReplayLine } from '../../src/replay/index.ts';
import { withResolvers } from '../../src/system/index.ts';
import type { Trace } from '../../src/testing/trace-fixture.ts';

/** What the meter of these tests says: lines of a number and a word. */
export const METER = `version: 1
protocol: { framing: { type: delimiter, delimiter: "\\n" } }
messages:
  - name: line
    from: device
    separator: ","
    fields: [{ name: volts, type: number, unit: V }, { name: mode, type: text }]
`;
export const METER_FILES = new Map([['meter.yaml', loadMessages(METER, 'meter.yaml')]]);

/** It is dialled again so late that its trace ends before. */
export const meterYaml = (port: number): string =>
  `devices: [{ id: meter, link: "tcp:127.0.0.1:${port}", session: none, silence: 60s, messages: meter.yaml, reconnect: { initial: 60s, max: 60s } }]\n`;

/** A device in a process of its own: it says half a line every few milliseconds, and says so to its parent. */
const PEER = `
const { createServer } = require('node:net');
const pieces = process.stdout;
let n = 0;
const server = createServer((socket) => {
  socket.on('error', () => undefined);
  const timer = setInterval(() => {
    const line = 10 + n / 2 + ',run\\n';
    socket.write(n % 2 === 0 ? line.slice(0, 2) : (10 + (n - 1) / 2 + ',run\\n').slice(2));
    n += 1;
    pieces.write('said ' + n + '\\n');
  }, 5);
  socket.on('close', () => clearInterval(timer));
});
server.listen(0, '127.0.0.1', () => pieces.write('port ' + server.address().port + '\\n'));
`;

/** A TCP peer that a test kills in the middle of what it says. */
export class MortalPeer implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  #said = 0;
  #killAfter = Number.POSITIVE_INFINITY;

  private constructor(process: ChildProcess) {
    this.#process = process;
    this.#exited = once(process, 'exit');
  }

  static async start(): Promise<{ readonly peer: MortalPeer; readonly port: number }> {
    const child = spawn(process.execPath, ['-e', PEER], { stdio: ['ignore', 'pipe', 'inherit'] });
    const peer = new MortalPeer(child);
    const { promise, resolve } = withResolvers<number>();
    createInterface(child.stdout).on('line', (line) => {
      const [word, number] = line.split(' ');
      if (word === 'port') resolve(Number(number));
      else peer.#count(Number(number));
    });
    return { peer, port: await promise };
  }

  /** Ends it without a word once it has said so many pieces more. */
  async killAfter(pieces: number): Promise<void> {
    this.#killAfter = this.#said + pieces;
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  #count(said: number): void {
    this.#said = said;
    if (said >= this.#killAfter) this.#process.kill('SIGKILL');
  }
}

export async function incidentsAt(url: string): Promise<IncidentDocument[]> {
  // The route answers with documents of this kind.
  return ((await (await fetch(`${url}/api/incidents`)).json()) as { incidents: IncidentDocument[] })
    .incidents;
}

/** A person asks for an incident; gives the text of the reply. */
export async function noteOf(url: string, device: string, text: string): Promise<string> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  try {
    await once(socket, 'open');
    const answer = new Promise<string>((resolve) => {
      socket.on('message', (data) => {
        if (String(data).includes('"response"')) resolve(String(data));
      });
    });
    socket.send(JSON.stringify({ type: 'command', id: '1', device, message: 'note', fields: { text } }));
    return await answer;
  } finally {
    socket.terminate();
  }
}

/** A status as the notes of an incident and a replay both have it. */
export type ToldState = readonly [device: string, status: string, reason: string, link: string];

const STATE_NOTE = /^(?:(\S+): )?status (\w+)(?:: (\w+).*)?; link (\w+)(?: \(\w+\))?$/;

/** The statuses that the notes of a trace tell of; notes of a link name no device. */
export function statesInNotes({ events }: Trace, device: string): ToldState[] {
  return events.flatMap(({ fact }) => {
    const said = fact.kind === 'note' ? STATE_NOTE.exec(fact.text) : null;
    const [, member = device, status = '', reason = '', link = ''] = said ?? [];
    return said === null ? [] : [[member, status, reason, link] as const];
  });
}

/** The statuses of a replay, where the status or the link is another one than before. */
export function statesInReplay(lines: readonly ReplayLine[]): ToldState[] {
  const before = new Map<string, string>();
  return lines.flatMap(({ device, state }) => {
    if (state === undefined) return [];
    // A replay publishes documents of this kind.
    const { status, reason = '', link } = state as unknown as StateDocument;
    const key = `${status} ${link.status}`;
    if (before.get(device) === key) return [];
    before.set(device, key);
    return [[device, status, reason, link.status] as const];
  });
}
