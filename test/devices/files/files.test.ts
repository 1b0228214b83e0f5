import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bridge } from '../../../src/app/bridge.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { BridgeConfig, FilesConfig } from '../../../src/config/model.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { declaredProtocol } from '../../support/declared.ts';
import { FileDevice } from '../../support/file-device.ts';
import { ask } from '../../support/http.ts';

const MIB = 1024 * 1024;
let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-files-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function bridgeTo(port: number, files?: FilesConfig): Promise<{ bridge: Bridge; httpPort: number }> {
  const text = `server: { port: 0 }
devices:
  - id: oven-1
    link: tcp:127.0.0.1:${port}
    register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }
    reconnect: { initial: 100ms, max: 100ms, jitter: none }`;
  const { config } = loadConfig(text, 'test.yaml');
  if (config === undefined) throw new Error('the configuration is wrong');
  const messages = declaredProtocol();
  const devices = config.devices.map((device) =>
    device.kind === 'dialled' ? { ...device, messages } : device,
  );
  const whole: BridgeConfig = { ...config, devices, ...(files === undefined ? {} : { files }) };
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const bridge = new Bridge({ config: whole, clock: systemClock, log: silent, version: '0.0.0-test' });
  const { port: httpPort } = await bridge.start();
  return { bridge, httpPort };
}

const online = (bridge: Bridge) => expect.poll(() => bridge.directory.get('oven-1')?.status).toBe('online');

describe('a file of 10 MB', () => {
  it('arrives intact over a link that is cut five times', { timeout: 60_000 }, async () => {
    await using device = new FileDevice();
    const { bridge } = await bridgeTo(await device.listen());
    await using _ = bridge;
    await online(bridge);
    const file = randomBytes(10 * MIB);
    const cuts = new Set([1, 2_000, 2_001, 7_777, 10_239]);
    device.cut = (index) => cuts.delete(index);
    const shares: number[] = [];
    let largest = 0;
    const progress = await bridge.sendFile(
      'oven-1',
      {
        size: file.length,
        read: async (offset, length) => {
          largest = Math.max(largest, length);
          return file.subarray(offset, offset + length);
        },
      },
      { progressed: ({ bytes, size }) => shares.push(bytes / size) },
    );
    expect(device.sha256).toBe(createHash('sha256').update(file).digest('hex'));
    expect(device.links).toBe(6);
    expect(device.repeated).toBe(5);
    expect(progress).toEqual({ bytes: file.length, size: file.length, repeated: 5, resumed: 5 });
    expect(largest).toBe(1_024);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });
});

/** A chunk by hand: id, transfer, index, total, length, data, CRC-32 over id, length and data. */
function chunk(transfer: number, index: number, total: number, data: Buffer): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt8(0x20, 0);
  head.writeUInt16BE(transfer, 1);
  head.writeUInt32BE(index, 3);
  head.writeUInt32BE(total, 7);
  head.writeUInt16BE(data.length, 11);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(data, crc32(Buffer.from([0x20, ...head.subarray(11, 13)]))));
  return Buffer.concat([head, data, crc]);
}

interface Listing {
  readonly files: { readonly id: string; readonly bytes: number }[];
}

describe('a file of a device', () => {
  const limits = { maxFileBytes: 4 * MIB, budgetBytes: 6 * MIB, maxFiles: 100, deviceShare: 1 };

  it('lands in the uploads over a link that breaks, and is served', { timeout: 30_000 }, async () => {
    await using device = new FileDevice();
    const { bridge, httpPort } = await bridgeTo(await device.listen(), { dir, ...limits });
    await using _ = bridge;
    await online(bridge);
    const file = randomBytes(300_000);
    const total = Math.ceil(file.length / 1_000);
    for (let index = 0; index < total; ) {
      if (index === 100 && device.links === 1) {
        device.hangUp();
        await expect.poll(() => device.links).toBe(2);
        await online(bridge);
      }
      const error = await device.send(
        chunk(7, index, total, file.subarray(index * 1_000, (index + 1) * 1_000)),
      );
      if (error === 0) index += 1;
      else expect(error).toBeUndefined();
    }
    const { files } = (await ask(httpPort, '/api/files')).json() as Listing;
    expect(files).toMatchObject([{ bytes: 300_000 }]);
    const [{ id } = { id: '' }] = files;
    expect(id).toMatch(/^oven-1\.\d{8}T\d{9}Z-7\.bin$/);
    const served = await fetch(`http://127.0.0.1:${httpPort}/api/files/${id}`);
    expect(served.headers.get('content-disposition')).toBe(`attachment; filename="${id}"`);
    expect(Buffer.from(await served.arrayBuffer()).equals(file)).toBe(true);
    expect(await readdir(dir)).toEqual([id]);
  });

  it('is refused where it is damaged, out of order, or too large', async () => {
    await using device = new FileDevice();
    const { bridge, httpPort } = await bridgeTo(await device.listen(), {
      dir,
      maxFileBytes: 1_500,
      budgetBytes: MIB,
      maxFiles: 100,
      deviceShare: 1,
    });
    await using _ = bridge;
    await online(bridge);
    const data = Buffer.alloc(1_000, 1);
    const damaged = chunk(1, 0, 9, data);
    damaged.writeUInt8(7, 500);
    expect(await device.send(damaged)).toBe(-1);
    expect(await device.send(chunk(1, 3, 9, data))).toBe(-1);
    expect(await device.send(chunk(1, 0, 9, data))).toBe(0);
    expect(await device.send(chunk(1, 1, 9, data))).toBe(-1);
    expect((await ask(httpPort, '/api/files')).json()).toEqual({ files: [] });
  });

  it.each(['..%2F..%2Fetc%2Fpasswd', '%2e%2e', 'oven-1.part', ''])('is not to be had as %s', async (id) => {
    await using device = new FileDevice();
    const { bridge, httpPort } = await bridgeTo(await device.listen(), { dir, ...limits });
    await using _ = bridge;
    expect((await ask(httpPort, `/api/files/${id}`)).status).toBe(404);
  });
});
