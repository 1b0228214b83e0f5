import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { CSubscribers } from '../../bench/support/c-subscribers.ts';
import { listen } from '../../bench/support/fan-out-way.ts';

const SUBSCRIBERS = 5;

/** What a server makes of the number that a device said, for each of its subscribers. */
type Answer = (n: number) => string;

/** One round of 20 ticks of two frames, against a server that answers so. */
async function round(clients: CSubscribers, answer: Answer): Promise<void> {
  const subscribers = new Set<Socket>();
  const outside = createServer((socket) => {
    subscribers.add(socket.on('error', () => socket.destroy()));
    // It is accepted from here on, and not from when it connected.
    socket.write('ready\n');
  });
  const inside = createServer((device) => {
    device.on('error', () => device.destroy());
    device.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at += 4)
        for (const each of subscribers) each.write(answer(chunk.readUInt32BE(at)));
    });
  });
  const [port, devicePort] = [await listen(outside), await listen(inside)];
  try {
    const ready = { at: 0, byte: 'r'.charCodeAt(0) };
    const group = await clients.connect({ port, count: SUBSCRIBERS, framing: 'lines', ready });
    const frame = { hex: '00000000', counter: 'be32:0', before: '"n":' } as const;
    await clients.device(group, devicePort, undefined, frame);
    const delays = (await clients.round([group], 20, 2)).get(group);
    expect(delays?.p50Us).toBeGreaterThan(0);
    expect(delays?.mostUs).toBeGreaterThanOrEqual(delays?.p99Us ?? Number.POSITIVE_INFINITY);
  } finally {
    await clients.close();
    for (const each of subscribers) each.destroy();
    outside.close();
    inside.close();
  }
}

const first = CSubscribers.start();
if (typeof first === 'string') console.log(`skipped: subscribers in C: ${first}`);
else await first.close();

describe.skipIf(typeof first === 'string')('subscribers in C', () => {
  it.each<[string, Answer, string | undefined]>([
    ['take each message once', (n) => `{"n":${n}}\n`, undefined],
    ['refuse a message too many', (n) => `{"n":${n}}\n{"n":${n}}\n`, 'a message too many'],
    [
      'refuse a last message that is not the last',
      (n) => `{"n":${Math.min(n, 39)}}\n`,
      'the last message has no "n":40: {"n":39}',
    ],
  ])('%s', async (_, answer, problem) => {
    const clients = CSubscribers.start();
    if (typeof clients === 'string') throw new Error(clients);
    const done = round(clients, answer);
    if (problem === undefined) await done;
    else await expect(done).rejects.toThrow(problem);
  });
});
