import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelBridge } from '../support/model-bridge.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const DAY_MS = 86_400_000;

/** What lives on the heap once all that can go is gone. */
function heapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

describe('a week of broken connections', () => {
  it('leaves nothing behind', async () => {
    const clock = new FakeClock();
    const bridge = new ModelBridge(clock);
    let watchers = 0;
    const client = connect('ws://model', {
      WebSocket: bridge.WebSocket,
      clock,
      random: () => 0.5,
      watchReturn: () => {
        watchers += 1;
        return () => {
          watchers -= 1;
        };
      },
    });
    client.subscribe(['devices/+/state', 'devices/+/messages'], { onItem: () => undefined });
    let commands = 0;
    /** One day: a break every half minute of one kind after another, with devices that come, change and go. */
    const day = async (): Promise<void> => {
      for (let atMs = 0, turn = 0; atMs < DAY_MS; turn++) {
        const device = `devices/d${turn % 50}/state`;
        bridge.publish(device, turn % 7 === 0 ? undefined : { value: turn });
        bridge.happen(`devices/d${turn % 50}/messages`, {});
        bridge.tellPositions();
        const asked = client.command('a', 'set', { n: commands++ }).catch(() => undefined);
        const before = clock.now().monoMs;
        if (turn % 4 === 0) bridge.cut();
        else if (turn % 4 === 1) bridge.drain(5_000);
        else if (turn % 4 === 2) {
          bridge.restart();
          // And once more while it is being told what it missed.
          while (client.status.state !== 'recovering') clock.advance(1);
          clock.advance(1);
          bridge.cut();
        } else for (const socket of bridge.sockets) socket.dead = true;
        clock.advance(turn % 4 === 3 ? 60_000 : 30_000);
        await asked;
        expect(client.status.state).toBe('connected');
        atMs += clock.now().monoMs - before;
      }
      bridge.executed.clear();
    };

    // The engine compiles what runs often; Node 22 is still at it on the second day. And the last events of 10,000 topics
    // and epochs are remembered, so that memory is full of them before it is measured.
    for (let n = 1; n <= 9; n++) await day();
    const warm = { heap: heapBytes(), timers: clock.timers, sockets: bridge.sockets.size, watchers };
    const connections = bridge.connections;
    for (let n = 1; n <= 6; n++) await day();
    const afterTheWeek = { heap: heapBytes(), timers: clock.timers, sockets: bridge.sockets.size, watchers };

    expect(bridge.connections - connections).toBeGreaterThan(10_000);
    expect(afterTheWeek).toEqual({ ...warm, heap: expect.any(Number) });
    // Something of 20 bytes for each connection would already be more.
    expect(afterTheWeek.heap - warm.heap).toBeLessThan(200_000);
    expect(client.view.document('devices/d1/state')).toEqual(bridge.present['devices/d1/state']);

    client.close();
    clock.advance(60_000);
    expect({ timers: clock.timers, sockets: bridge.sockets.size, watchers }).toEqual({
      timers: 0,
      sockets: 0,
      watchers: 0,
    });
  });
});
