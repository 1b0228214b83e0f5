import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { descriptorOf } from '../../../src/feed/writes/descriptor.ts';
import { FeedWrites } from '../../../src/feed/writes/feed-writes.ts';
import { GroupWriter } from '../../../src/feed/writes/group-writer.ts';
import { loadNativeWrites } from '../../../src/feed/writes/native-writes.ts';
import {
  createBoard,
  DONE,
  FAILED,
  PUBLISHED,
  SETTLED,
  SHORT,
  setEntry,
  stateAt,
  writeSomeInScript,
} from '../../../src/feed/writes/write-board.ts';
import { WritePool } from '../../../src/feed/writes/write-pool.ts';
import { needs } from '../../support/needs.ts';

const native = loadNativeWrites();
const WAYS = [
  ['in script', writeSomeInScript],
  ...(native.on ? [['in the native part', native.writeSome] as const] : []),
] as const;

/** A connection, with the end that is written to and the end that reads. */
class Pair implements AsyncDisposable {
  readonly near: Socket;
  readonly far: Socket;
  readonly #server: ReturnType<typeof createServer>;

  private constructor(near: Socket, far: Socket, server: ReturnType<typeof createServer>) {
    this.near = near;
    this.far = far;
    this.#server = server;
  }

  static async open(): Promise<Pair> {
    const server = createServer({ pauseOnConnect: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port.');
    const far = connect(address.port, '127.0.0.1');
    // An event of a server carries the new socket.
    const [near] = (await once(server, 'connection')) as [Socket];
    return new Pair(near, far, server);
  }

  get descriptor(): number {
    return descriptorOf(this.near) ?? -1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.near.destroy();
    this.far.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

it.runIf(needs('cc').run)('the native part is built where there is a compiler', () => {
  expect(native).toMatchObject({ on: true });
});

describe.each(WAYS)('entries of a board, written %s', (_, writeSome) => {
  it('reach their sockets, as far as each takes them', async () => {
    await using one = await Pair.open();
    await using two = await Pair.open();
    const { head, entries, data } = createBoard(4, 64 * 1024 * 1024, true);
    data.set(Buffer.from('..hello'));
    let received = '';
    one.far.on('data', (chunk) => {
      received += String(chunk);
    });
    setEntry(entries, 0, one.descriptor, 2, 5);
    // Nothing reads it, and no system keeps as much.
    setEntry(entries, 1, two.descriptor, 0, data.length);
    setEntry(entries, 2, one.descriptor, 0, 2);
    Atomics.store(entries, stateAt(2), SETTLED);
    Atomics.store(head, PUBLISHED, 3);
    expect([writeSome(head, entries, data, 1), writeSome(head, entries, data, 9)]).toEqual([1, 2]);
    expect(writeSome(head, entries, data, 9)).toBe(0);
    await expect.poll(() => received).toBe('hello');
    const taken = Atomics.load(entries, stateAt(1));
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(data.length);
    expect([Atomics.load(entries, stateAt(0)), Atomics.load(entries, stateAt(2))]).toEqual([5, SETTLED]);
    expect([Atomics.load(head, DONE), Atomics.load(head, SHORT)]).toEqual([3, 1]);
  });

  it('of a socket that is full take nothing, and of one that is closed say why', async () => {
    await using pair = await Pair.open();
    const { head, entries, data } = createBoard(4, 64 * 1024 * 1024, false);
    setEntry(entries, 0, pair.descriptor, 0, data.length);
    setEntry(entries, 1, pair.descriptor, 0, data.length);
    setEntry(entries, 2, 1_000_000, 0, 1);
    Atomics.store(head, PUBLISHED, 3);
    writeSome(head, entries, data, 9);
    expect(Atomics.load(entries, stateAt(1))).toBeLessThan(data.length);
    // EBADF.
    expect(Atomics.load(entries, stateAt(2))).toBe(FAILED - 9);
  });

  it('go on where the counters begin again below zero', async () => {
    await using pair = await Pair.open();
    const { head, entries, data } = createBoard(4, 8, true);
    const last = 0x7fff_ffff;
    for (const at of [PUBLISHED, 1, DONE]) Atomics.store(head, at, last);
    setEntry(entries, last & 3, pair.descriptor, 0, 1);
    setEntry(entries, (last + 1) & 3, pair.descriptor, 0, 1);
    Atomics.store(head, PUBLISHED, (last + 2) | 0);
    expect(writeSome(head, entries, data, 9)).toBe(2);
    expect(Atomics.load(head, DONE)).toBe((last + 2) | 0);
  });
});

const failed = (why: string): void => {
  throw new Error(why);
};

describe('the ways to write', () => {
  it('are those that were asked for, as far as they are there', () => {
    using plain = new FeedWrites({ native: false, workers: 0 }, failed);
    expect(plain.groupWriter).toBeUndefined();
    expect(plain.status).toEqual({ native: false, whyNot: 'it is turned off', workers: 0 });
    using usual = new FeedWrites({ native: true, workers: 0 }, failed);
    expect(usual.status).toEqual(
      native.on ? { native: true, workers: 0 } : { native: false, whyNot: native.why, workers: 0 },
    );
    using all = new FeedWrites({ native: true, workers: 'auto' }, failed);
    const cores = availableParallelism();
    expect(all.status.workers).toBe(cores === 1 ? 0 : Math.min(8, cores));
  });

  it.each([true, false])('reach a hundred sockets by two threads (native: %s)', async (asked) => {
    using writes = new FeedWrites({ native: asked, workers: 2 }, failed);
    const { groupWriter } = writes;
    if (groupWriter === undefined) throw new Error('Threads write together.');
    const pairs = await Promise.all(Array.from({ length: 100 }, () => Pair.open()));
    const received = pairs.map(() => '');
    for (const [index, { far }] of pairs.entries()) {
      far.on('data', (chunk) => {
        received[index] += String(chunk);
      });
    }
    const member = { tookLess: () => failed('there is room'), broken: () => failed('no thread has failed') };
    for (const text of ['one,', 'two,', 'three']) {
      const bytes = Buffer.from(text);
      groupWriter.begin();
      for (const { descriptor } of pairs) groupWriter.add(member, descriptor, bytes);
      groupWriter.end();
      await expect.poll(() => groupWriter.busy).toBe(false);
    }
    await expect.poll(() => new Set(received)).toEqual(new Set(['one,two,three']));
    await Promise.all(pairs.map((pair) => pair[Symbol.asyncDispose]()));
  });
});

describe('threads that are no longer needed', () => {
  it('end by themselves, and what comes later is written without them', async () => {
    await using pair = await Pair.open();
    let received = '';
    pair.far.on('data', (chunk) => {
      received += String(chunk);
    });
    const board = GroupWriter.sharedBoard();
    const pool = new WritePool({
      threads: 2,
      board,
      nativeFile: undefined,
      done: () => writer.threadsDone(),
      lost: failed,
    });
    const writer = new GroupWriter(writeSomeInScript, pool);
    const pass = async (text: string): Promise<void> => {
      const bytes = Buffer.from(text);
      const member = { tookLess: () => failed('there is room'), broken: () => failed('nothing is broken') };
      writer.begin();
      for (let n = 0; n < 32; n++) writer.add(member, pair.descriptor, bytes);
      writer.end();
      await expect.poll(() => writer.busy).toBe(false);
    };
    await pass('a');
    await expect.poll(() => pool.running).toBe(2);
    pool[Symbol.dispose]();
    await expect.poll(() => pool.running).toBe(0);
    await pass('b');
    await expect.poll(() => received).toBe('a'.repeat(32) + 'b'.repeat(32));
  });
});

describe('threads that fail', () => {
  it('lose nothing, are replaced a few times, and then the main thread goes on alone', async () => {
    const reported: string[] = [];
    const board = GroupWriter.sharedBoard();
    using pool = new WritePool({
      threads: 2,
      board,
      nativeFile: '/no/such/file.node',
      done: () => writer.threadsDone(),
      lost: (why) => {
        reported.push(why);
        writer.abandon();
      },
    });
    const writer = new GroupWriter(writeSomeInScript, pool);
    const pairs = await Promise.all(Array.from({ length: 40 }, () => Pair.open()));
    const received = pairs.map(() => '');
    for (const [index, { far }] of pairs.entries())
      far.on('data', (chunk) => {
        received[index] += String(chunk);
      });
    const members = pairs.map(({ near }) => ({
      tookLess: (rest: Uint8Array) => void near.write(rest),
      broken: () => failed('no thread has begun'),
    }));
    let wanted = '';
    const pass = async (): Promise<void> => {
      const bytes = Buffer.from(String(wanted.length % 10));
      wanted += String(bytes);
      writer.begin();
      for (const [index, { descriptor }] of pairs.entries()) {
        const member = members[index];
        if (member !== undefined) writer.add(member, descriptor, bytes);
      }
      writer.end();
      await expect.poll(() => writer.busy).toBe(false);
    };
    while (pool.size > 0) await pass();
    await pass();
    await expect.poll(() => new Set(received)).toEqual(new Set([wanted]));
    expect(reported).toHaveLength(5);
    expect(reported[0]).toMatch(/^A thread that writes to subscribers failed: .*file\.node/);
    await Promise.all(pairs.map((pair) => pair[Symbol.asyncDispose]()));
  });
});

describe('the descriptor of a socket', () => {
  it('is that of plain TCP while it is open', async () => {
    await using pair = await Pair.open();
    expect(descriptorOf(pair.near)).toBeGreaterThan(2);
    pair.near.destroy();
    expect(descriptorOf(pair.near)).toBeUndefined();
  });
});
