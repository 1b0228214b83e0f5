import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { WebSocket } from 'ws';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { parseExposition } from './exposition.ts';
import { startBridge } from './test-bridge.ts';

const METER = `
protocol: { framing: { type: gap, checksum: { algorithm: crc-16/modbus } }, address: { type: u8, at: 0 }, id: { type: u8, at: 1 } }
messages: [{ name: read, id: 4, from: host, reply: { fields: [{ name: v, type: u16 }] } }]
`;

/** A family as a real bridge told it, with all labels that were seen of it. */
export interface SeenFamily {
  readonly type: string;
  readonly help: string;
  readonly labels: ReadonlySet<string>;
}

export interface FullScrape {
  /** The last one, as it was told. */
  readonly text: string;
  readonly families: ReadonlyMap<string, SeenFamily>;
  /** Labels by the name of a series, `_bucket` and the like included. */
  readonly series: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Runs a bridge to which happens whatever makes a series of its own, and tells all that it tells. */
export async function fullScrape(): Promise<FullScrape> {
  const dir = await mkdtemp(join(tmpdir(), 'heartwire-metrics-'));
  const sockets: Socket[] = [];
  // It answers a register with something that is no frame.
  const noisy = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(Uint8Array.of(0xde, 0xad, 0xbe, 0xef, 0x99)));
  });
  noisy.listen(0, '127.0.0.1');
  await once(noisy, 'listening');
  const address = noisy.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const fields = { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' };
  const register = `register: { appid: ${fields.appid}, imei: "${fields.imei}" }`;
  try {
    await using bridge = await startBridge(
      `
metrics: { per_device: true, values: ["devices/+/values/#"] }
recording: { dir: ${JSON.stringify(join(dir, 'traces'))} }
files: { dir: ${JSON.stringify(join(dir, 'files'))} }
devices:
  - { id: noisy, link: "tcp:127.0.0.1:${port}", line: serial, record: true, ${register} }
  - { id: gone, link: "tcp:127.0.0.1:1", ${register} }
  - { id: meter, bus: line, address: 1, messages: meter.yaml }
  - { id: timely, label: Timely, group: bench, match: { imei: "${fields.imei}" }, heartbeat: { from: both, interval: 100ms }, clock: { every: 1s } }
  - { id: valued, match: { imei: "869858030720701" } }
buses:
  - { id: line, link: "tcp:127.0.0.1:1" }
listeners:
  - { link: "tcp-listen:127.0.0.1:0" }
outputs:
  - webhook: { url: "http://127.0.0.1:1/", on: [incident] }
`,
      undefined,
      undefined,
      new Map([['meter.yaml', loadMessages(METER, 'meter.yaml')]]),
    );
    const device = connect(bridge.devicePort, '127.0.0.1');
    sockets.push(device);
    device.write(encodeFrame({ name: 'register', kind: 'request', fields }));
    device.on('data', (data) => answer(device, data));
    // As a device with declared messages would say it.
    const { store } = bridge.bridge;
    store.publishState('declarations/d', { fields: { 't.v': { unit: 'V' } } });
    store.publishState('devices/valued/state', {
      ...store.document('devices/valued/state'),
      ...{ status: 'online', label: 'Valued', group: 'bench', declaration: 'd', values: { t: { v: 1.5 } } },
    });
    const subscriber = new WebSocket(`${bridge.url.replace('http', 'ws')}/ws`);
    await once(subscriber, 'message');
    subscriber.send(Uint8Array.of(1));
    await once(subscriber, 'close');
    return await untilAllIsTold(bridge.url);
  } finally {
    for (const socket of sockets) socket.destroy();
    noisy.close();
    await rm(dir, { recursive: true, force: true });
  }
}

function answer(device: Socket, data: Buffer): void {
  const asked = (id: number) => data.includes(Buffer.from([0, 0, 0, 1, id]));
  if (asked(1)) device.write(encodeFrame({ name: 'heartbeat', kind: 'reply', error: 0 }));
  const datetime = '2026-11-21 00:07:36';
  if (asked(2))
    device.write(encodeFrame({ name: 'datetime', kind: 'reply', error: 0, fields: { datetime } }));
}

async function untilAllIsTold(url: string): Promise<FullScrape> {
  let text = '';
  const series = new Map<string, Set<string>>();
  const families = new Map<string, SeenFamily>();
  const happens = [
    'discarded_bytes_total',
    'link_losses_total',
    'log_lines_total',
    'subscriber_closes_total',
  ];
  const known = ['last_frame_timestamp', 'last_round_trip', 'clock_offset'].map(
    (each) => `device_${each}_seconds`,
  );
  await vi.waitFor(
    async () => {
      text = await (await fetch(`${url}/metrics`)).text();
      const told = parseExposition(text);
      for (const { name, labels } of told.series) {
        const seen = series.get(name) ?? new Set();
        for (const label of Object.keys(labels)) seen.add(label);
        series.set(name, seen);
      }
      for (const [name, type] of told.types) {
        const labels = series.get(name) ?? series.get(`${name}_sum`) ?? new Set();
        families.set(name, { type, help: told.help.get(name) ?? '', labels });
      }
      expect([...happens, ...known].filter((each) => !series.has(`heartwire_${each}`))).toEqual([]);
    },
    { timeout: 15_000, interval: 100 },
  );
  return { text, families, series };
}
