import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { TransportName } from '../../../src/feed/hub/transport.ts';
import { BridgeFace } from '../../support/bridge-face.ts';
import { DOORS, DoorClient } from '../../support/door-client.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { passSeconds } from '../../support/pass-seconds.ts';
import { ThrottlingProxy } from '../../support/throttling-proxy.ts';

/** A bridge, and one subscriber whose cable can be pulled beside one whose cannot. */
class Cable {
  readonly clock = new FakeClock();
  readonly face: BridgeFace;
  readonly proxy: ThrottlingProxy;
  readonly far: DoorClient;
  readonly near: DoorClient;

  private constructor(
    clock: FakeClock,
    face: BridgeFace,
    proxy: ThrottlingProxy,
    [far, near]: readonly [DoorClient, DoorClient],
  ) {
    this.clock = clock;
    this.face = face;
    this.proxy = proxy;
    this.far = far;
    this.near = near;
  }

  static async lay(door: TransportName): Promise<Cable> {
    const clock = new FakeClock();
    const face = await BridgeFace.open({ feed: { clock, closeTimeoutMs: 50 } });
    const proxy = await ThrottlingProxy.start(door === 'json_lines' ? face.linesPort : face.port);
    const far = await DoorClient.follow(door, { port: proxy.port, linesPort: proxy.port });
    return new Cable(clock, face, proxy, [far, await DoorClient.follow(door, face)]);
  }

  pass(seconds: number): Promise<void> {
    return passSeconds(this.clock, this.face, seconds, [this.near]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of [this.far, this.near]) client[Symbol.dispose]();
    await this.proxy[Symbol.asyncDispose]();
    await this.face[Symbol.asyncDispose]();
  }
}

/** How often it was asked whether it is there. */
const asked = ({ pings, comments }: DoorClient): number => pings + comments;

describe.each(DOORS)('a subscriber over %s', (door) => {
  it('is asked for a sign of life every 20 s, also through a network that is slow', async () => {
    await using cable = await Cable.lay(door);
    cable.proxy.delayMs = 20;
    for (const times of [1, 2, 3]) {
      await cable.pass(20);
      for (const client of [cable.far, cable.near]) {
        await expect.poll(() => asked(client)).toBe(times);
        if (door === 'sse') continue;
        // What it answered has come before this.
        client.say({ type: 'ping', id: `heard ${times}` });
        await client.until(() => client.view.replies.has(`heard ${times}`));
      }
    }
    expect(cable.face.subscribers).toBe(2);
  });

  it('whose cable is pulled is closed once its socket is full, and the other one gets all', async () => {
    await using cable = await Cable.lay(door);
    cable.proxy.halfOpen();
    for (let round = 0; cable.face.heldBytes <= 64 * 1024; round++) {
      cable.face.store.publishState('devices/d1/state', { round, text: 'x'.repeat(16_000) });
      await turn();
    }
    await cable.pass(31);
    await expect.poll(() => cable.face.endings(door)).toEqual({ slow_consumer: 1 });
    expect(cable.face.subscribers).toBe(1);
    await expect
      .poll(() => cable.near.view.documents()['devices/d1/state'])
      .toEqual(cable.face.store.document('devices/d1/state'));
  });

  it('whose machine has forgotten the connection is let go by the next sign of life that it is asked for', async () => {
    await using cable = await Cable.lay(door);
    cable.proxy.reset();
    await cable.pass(20);
    await expect.poll(() => cable.face.endings(door)).toEqual({ lost: 1 });
    expect(cable.face.subscribers).toBe(1);
  });
});

describe('a subscriber that answers, and whose cable is pulled while all is quiet', () => {
  it.each(['websocket', 'json_lines'] as const)('is let go over %s 30 s after a ping', async (door) => {
    await using cable = await Cable.lay(door);
    // Over a WebSocket every client does; here, a client that did it once is expected to do it always.
    for (const client of [cable.far, cable.near]) {
      if (door !== 'json_lines') continue;
      client.answers = true;
      client.say({ type: 'pong' });
      client.say({ type: 'ping', id: 'heard' });
      await client.until(() => client.view.replies.has('heard'));
    }
    cable.proxy.halfOpen();
    await cable.pass(20);
    await expect.poll(() => asked(cable.near)).toBe(1);
    await cable.pass(9);
    expect(cable.face.endings(door)).toEqual({});
    await cable.pass(22);
    await expect.poll(() => cable.face.endings(door)).toEqual({ ping_timeout: 1 });
    expect(cable.face.subscribers).toBe(1);
  });

  it('is kept over sse while nothing is sent but comments: only the operating system could know', async () => {
    await using cable = await Cable.lay('sse');
    cable.proxy.halfOpen();
    await cable.pass(200);
    expect(cable.face.subscribers).toBe(2);
  });
});
