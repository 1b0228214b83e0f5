import { SimulatedFleet } from '../../src/simulator/simulated-fleet.ts';
import { systemClock } from '../../src/system/clock.ts';

/** Whose it is, for `match` in a configuration. */
export const SIMULATED_IMEI = '490154203237518';

/** Such a device beats every second, so that its silence is soon noticed. */
export const QUICK_HEARTBEAT = 'defaults: { heartbeat: { interval: 1s, missed: 3 } }';

/** One simulated device that dials in to a port of this machine, and comes back quickly. Use with `await using`. */
export async function dialIn(port: number): Promise<SimulatedFleet> {
  const fleet = new SimulatedFleet(
    {
      address: { scheme: 'tcp', host: '127.0.0.1', port },
      count: 1,
      seed: 1,
      heartbeatEveryMs: 1_000,
      reconnect: { initialMs: 100, maxMs: 500 },
      identities: [{ appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: SIMULATED_IMEI }],
    },
    { clock: systemClock },
  );
  await fleet.start();
  return fleet;
}
