import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Endpoint } from '../test/support/endpoint.ts';
import { hasMosquitto, Mosquitto } from '../test/support/mosquitto.ts';
import { OutputWorld } from '../test/support/output-world.ts';
import { startBridge } from '../test/support/test-bridge.ts';
import type { Bench, BenchRow } from './support/bench.ts';
import { changeValues, LateWatcher, p99 } from './support/late-feed.ts';

const PHASE_MS = 2_500;
/** Outputs that begin announce all devices once; that is over by then. */
const WARM_UP_MS = 2_500;
const SETTLE_MS = 500;
const ROUNDS = 2;
/** How long after the start of a phase another side that was killed comes back. */
const BACK_AFTER_MS = 500;

interface Harm {
  readonly name: string;
  begin(): Promise<void> | void;
  /** Goes on while the feed is measured. */
  during?(): Promise<void>;
  end(): Promise<void> | void;
}

async function* compare(harms: readonly Harm[], outputs: string): AsyncGenerator<BenchRow> {
  await using bridge = await startBridge('listeners: [{ link: "tcp-listen:127.0.0.1:0" }]');
  await using world = new OutputWorld({ store: bridge.bridge.store });
  const watcher = await LateWatcher.connect(bridge.url);
  const change = (ms: number): Promise<void> =>
    changeValues(bridge, ms, (device, values) => world.sample(device, 't', values));
  const measure = async (entries: string, harm?: Harm): Promise<number> => {
    await world.outputs.apply([]);
    if (entries !== '') await world.apply(entries);
    await change(entries === '' ? SETTLE_MS : WARM_UP_MS);
    await harm?.begin();
    watcher.take();
    await Promise.all([change(PHASE_MS), harm?.during?.()]);
    return p99(watcher.take());
  };
  const heap = (): number => process.memoryUsage().rss / 2 ** 20;
  await measure('');
  for (const harm of harms) {
    const without: number[] = [];
    const during: number[] = [];
    let grown = 0;
    let lost = 0;
    // In turns: what else the machine does adds to both, and the least of each is what the work itself takes.
    for (let round = 0; round < ROUNDS; round++) {
      // The other side is harmed in both: what that costs this process is no work of an output.
      without.push(await measure('', harm));
      await harm.end();
      const rss = heap();
      during.push(await measure(outputs, harm));
      grown = Math.max(grown, heap() - rss);
      lost += (world.outputs.status() ?? []).reduce((total, each) => total + Number(each.lost), 0);
      await harm.end();
    }
    const [figure, peer] = [Math.min(...during), Math.min(...without)];
    yield {
      name: `feed p99 with all outputs, ${harm.name}`,
      figure: `${figure.toFixed(2)} ms, ${lost} lost, ${grown.toFixed(0)} MiB more`,
      peer: `${peer.toFixed(2)} ms without outputs`,
      ratio: (figure / peer).toFixed(2),
      target: {
        text: '<= 1.5 x or 3 ms more; 64 MiB',
        met: (figure <= peer * 1.5 || figure - peer <= 3) && grown <= 64,
      },
    };
  }
  watcher.close();
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const bench: Bench = {
  about:
    'How late the feed of 1,000 devices is while the other side of an output is killed, frozen, failing or back again.',
  async *run() {
    if (!hasMosquitto) return;
    const folder = mkdtempSync(join(tmpdir(), 'heartwire-bench-'));
    await using broker = await Mosquitto.start();
    await using endpoint = await Endpoint.start();
    const port = Number(new URL(endpoint.url).port);
    const outputs = `  - mqtt: { url: "${broker.url}", home_assistant: true }
  - influx: { url: "${endpoint.url}", bucket: b, batch: 100ms, buffer_mb: 1, buffer_dir: ${join(folder, 'buffer')}, disk_mb: 4 }
  - webhook: { url: "${endpoint.url}", for: 0s }`;
    const harms: Harm[] = [
      { name: 'all sides well', begin: () => undefined, end: () => undefined },
      { name: 'broker killed', begin: () => broker.kill(), end: () => broker.begin() },
      {
        name: 'broker restarted',
        begin: () => broker.kill(),
        during: () => pause(BACK_AFTER_MS).then(() => broker.begin()),
        end: () => undefined,
      },
      { name: 'broker frozen', begin: () => broker.freeze(), end: () => broker.thaw() },
      {
        name: 'endpoint hangs',
        begin: () => endpoint.behave('hang'),
        end: () => endpoint.behave({ status: 204 }),
      },
      {
        name: 'endpoint answers 500',
        begin: () => endpoint.behave({ status: 500 }),
        end: () => endpoint.behave({ status: 204 }),
      },
      { name: 'endpoint gone', begin: () => endpoint.stop(), end: () => endpoint.listen(port) },
      {
        name: 'endpoint restarted',
        begin: () => endpoint.stop(),
        during: () => pause(BACK_AFTER_MS).then(() => endpoint.listen(port)),
        end: () => undefined,
      },
    ];
    yield* compare(harms, outputs);
    rmSync(folder, { recursive: true });
  },
};
