import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { cProgram } from './c-programs.ts';
import type { Mark } from './fan-out-clients.ts';
import { onProcessor } from './processes.ts';

/** How a group of subscribers connects, and what it counts. */
export interface GroupOrder {
  readonly port: number;
  readonly count: number;
  readonly framing: 'frames' | 'lines' | `fixed:${number}`;
  /** An HTTP request to be answered first. */
  readonly head?: string;
  /** Written behind it, in hex; several take turns, and one may be of several writes with `+` between them. */
  readonly greetings?: readonly string[];
  readonly ready?: Mark;
  /** Absent where every message counts. */
  readonly counted?: Mark;
}

/** What the device of a group says, over and over, with a number that grows. */
export interface FrameOrder {
  readonly hex: string;
  /** Where the number stands: 32 bits, big-endian, or ten decimal places. */
  readonly counter?: `be32:${number}` | `dec:${number}`;
  /** What stands before the number in the message that subscribers get: the last one of each is checked for it. */
  readonly before?: string;
}

/** From the write of the device to the arrival at each subscriber. */
export interface Delays {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly mostUs: number;
}

const mark = (of: Mark | undefined): string => (of === undefined ? '-' : `${of.at}:${of.byte}`);
const hex = (text: string): string => Buffer.from(text).toString('hex');

/** Subscribers and their device in a process that shares nothing with a server: `subscribers.c`. */
export class CSubscribers {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  private constructor(path: string) {
    this.#child = spawn(...onProcessor('clients', [path]), { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Returns why there are none where they cannot be compiled. */
  static start(): CSubscribers | string {
    const program = cProgram('subscribers');
    return 'missing' in program ? program.missing : new CSubscribers(program.path);
  }

  /** Resolves with the number of the group. */
  async connect({ port, count, framing, head, greetings, ready, counted }: GroupOrder): Promise<number> {
    const rest = [
      head === undefined ? '-' : hex(head),
      greetings === undefined || greetings.length === 0
        ? '-'
        : greetings.map((each) => each.replaceAll(' ', '+')).join(','),
    ];
    const order = ['connect', port, count, framing, mark(ready), mark(counted), ...rest];
    return Number((await this.#ask(order.join(' '))).split(' ')[1]);
  }

  /** `answered`: the device is ready when something came back. */
  async device(group: number, port: number, greeting: string | undefined, frame: FrameOrder): Promise<void> {
    await this.#ask(`device ${group} ${port} ${greeting ?? '-'} ${greeting === undefined ? 0 : 1}`);
    const before = frame.before === undefined ? '-' : hex(frame.before);
    await this.#ask(`frame ${group} ${frame.hex} ${frame.counter ?? '-'} ${before}`);
  }

  /**
   * So many ticks: the device of each group writes so many frames at once, and the next follows when every subscriber
   * of the group has them all, and not one more.
   */
  async round(
    groups: readonly number[],
    ticks: number,
    perTick: number,
    pauseUs = 1_000,
  ): Promise<ReadonlyMap<number, Delays>> {
    const answer = await this.#ask(`round ${ticks} ${perTick} ${pauseUs} ${groups.join(' ')}`);
    const figures = answer.split(' ').slice(1).map(Number);
    return new Map(
      groups.map((group, index) => {
        const [, p50Us = Number.NaN, p99Us = Number.NaN, mostUs = Number.NaN] = figures.slice(4 * index);
        return [group, { p50Us, p99Us, mostUs }];
      }),
    );
  }

  /** Resolves when exactly so many messages have come since the last time. */
  async received(group: number, messages: number): Promise<void> {
    await this.#ask(`await ${messages} ${group}`);
  }

  async closeGroup(group: number): Promise<void> {
    await this.#ask(`close ${group}`);
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end();
    await exited;
  }

  async #ask(order: string): Promise<string> {
    this.#child.stdin.write(`${order}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error('the subscribers have ended');
    if (value.startsWith('failed '))
      throw new Error(`${order.slice(0, 60)}: ${value.slice('failed '.length)}`);
    return value;
  }
}
