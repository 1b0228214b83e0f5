import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bridge } from '../../../src/app/bridge.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { LoadedConfig } from '../../../src/config/report.ts';
import { HeartwireError } from '../../../src/errors.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { declaredProtocol } from '../../support/declared.ts';
import { FileDevice } from '../../support/file-device.ts';

const OTHER = (interval: string) =>
  `  - { id: other, match: { imei: "356938035643809" }, heartbeat: { interval: ${interval} } }\n`;
const MESSAGES = new Map([['messages.yaml', { protocol: declaredProtocol(), problems: [] }]]);
let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-'));
});
afterEach(() => rm(dir, { recursive: true }));

const oven = (port: number, interval = '3s') => `  - id: oven-1
    link: tcp:127.0.0.1:${port}
    messages: messages.yaml
    heartbeat: { interval: ${interval} }
    register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }
    reconnect: { initial: 100ms, max: 100ms, jitter: none }
`;
const load = (...devices: string[]): LoadedConfig =>
  loadConfig(
    `server: { port: 0 }\nfiles: { dir: "${dir}" }\ndevices:\n${devices.join('')}`,
    'test.yaml',
    MESSAGES,
  );

async function started(loaded: LoadedConfig): Promise<Bridge> {
  const { config, problems } = loaded;
  if (config === undefined) throw new Error(JSON.stringify(problems));
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const bridge = new Bridge({ config, clock: systemClock, log: silent, version: '0.0.0-test' });
  await bridge.start();
  await expect.poll(() => bridge.directory.get('oven-1')?.status).toBe('online');
  return bridge;
}

/** A chunk by hand: id, transfer, index, total, length, data, CRC-32 over id, length and data. */
function chunk(index: number, total: number, data: Buffer): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt8(0x20, 0);
  head.writeUInt16BE(7, 1);
  head.writeUInt32BE(index, 3);
  head.writeUInt32BE(total, 7);
  head.writeUInt16BE(data.length, 11);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(data, crc32(Buffer.from([0x20, ...head.subarray(11, 13)]))));
  return Buffer.concat([head, data, crc]);
}

describe('a reload in the middle of a file', () => {
  it('does not touch what a device sends that did not change', async () => {
    await using device = new FileDevice();
    const port = await device.listen();
    await using bridge = await started(load(oven(port), OTHER('3s')));
    const file = randomBytes(40_000);
    for (let index = 0; index < 40; index += 1) {
      const piece = file.subarray(index * 1_000, (index + 1) * 1_000);
      expect(await device.send(chunk(index, 40, piece))).toBe(0);
      if (index % 10 === 5) await bridge.apply(load(OTHER(`${index}s`), oven(port)));
    }
    expect(device.links).toBe(1);
    await expect.poll(() => readdir(dir)).toEqual([expect.stringMatching(/^oven-1\..*-7\.bin$/)]);
  });

  it('lets a file of ours go on to a device that was configured anew, and ends that to one that is gone', async () => {
    await using device = new FileDevice();
    const port = await device.listen();
    await using bridge = await started(load(oven(port)));
    const file = randomBytes(200_000);
    let at = 0;
    const source = {
      size: file.length,
      read: async (offset: number, length: number) => {
        if (offset > 50_000 && at++ === 0) await bridge.apply(load(oven(port, '4s')));
        return file.subarray(offset, offset + length);
      },
    };
    await bridge.sendFile('oven-1', source);
    expect(device.links).toBe(2);
    expect(device.sha256).toBe(createHash('sha256').update(file).digest('hex'));

    const gone = {
      size: file.length,
      read: async (offset: number, length: number) => {
        if (offset > 50_000) await bridge.apply(load(OTHER('3s')));
        return file.subarray(offset, offset + length);
      },
    };
    const failure = await bridge.sendFile('oven-1', gone, { transfer: 2 }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(HeartwireError);
    expect(failure).toMatchObject({ code: 'device_unknown' });
  });
});
