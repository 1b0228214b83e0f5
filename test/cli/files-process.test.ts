import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileDevice } from '../support/file-device.ts';
import { RunningProgram } from '../support/running-program.ts';

const MESSAGES = `version: 1
messages:
  - name: file_chunk
    id: 0x20
    from: any
    reply: status
    fields:
      - { name: transfer, type: u16 }
      - { name: index, type: u32 }
      - { name: total, type: u32 }
      - { name: file_crc, type: u32 }
      - { name: data, type: bytes, length: u16, max: 1024 }
`;
const CHUNK = 1_000;
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** A file in chunks, by hand. */
class ChunkedFile {
  readonly bytes = randomBytes(200 * CHUNK + 17);
  readonly total = 201;
  readonly #crc = crc32(this.bytes);

  chunk(index: number): Buffer {
    const data = this.bytes.subarray(index * CHUNK, (index + 1) * CHUNK);
    const head = Buffer.alloc(17);
    head.writeUInt8(0x20, 0);
    head.writeUInt16BE(7, 1);
    head.writeUInt32BE(index, 3);
    head.writeUInt32BE(this.total, 7);
    head.writeUInt32BE(this.#crc, 11);
    head.writeUInt16BE(data.length, 15);
    return Buffer.concat([head, data]);
  }
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('a device that sends a file through a bridge that is restarted', () => {
  const file = new ChunkedFile();

  async function configure(device: FileDevice): Promise<void> {
    await writeFile(join(folder, 'messages.yaml'), MESSAGES);
    await writeFile(
      join(folder, 'devices.yaml'),
      `server: { port: 0 }
messages: messages.yaml
files: { dir: files }
devices:
  - id: oven-1
    link: tcp:127.0.0.1:${await device.listen()}
    register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }
`,
    );
  }

  /** A bridge that the device is connected to. */
  async function start(device: FileDevice): Promise<{ bridge: RunningProgram; url: string }> {
    const links = device.links;
    const bridge = new RunningProgram(['run', 'devices.yaml', '--quiet'], folder);
    const url = await bridge.said(/Heartwire is at (\S+)/);
    await expect.poll(() => device.links, { timeout: 10_000 }).toBeGreaterThan(links);
    return { bridge, url };
  }

  /** Sends the chunks from one to before another, each once the former one was answered; resolves with the errors. */
  async function send(device: FileDevice, from: number, to: number): Promise<(number | undefined)[]> {
    const errors: (number | undefined)[] = [];
    for (let index = from; index < to; index++) errors.push(await device.send(file.chunk(index)));
    return errors;
  }

  const taken = (count: number) => Array.from({ length: count }, () => 0);

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'goes on where it was after %s, and the file is the same',
    { timeout: 60_000 },
    async (signal) => {
      await using device = new FileDevice();
      await configure(device);
      {
        const { bridge } = await start(device);
        using _ = bridge;
        expect(await send(device, 0, 100)).toEqual(taken(100));
        bridge.child.kill(signal);
        // Whether this one is stored before the end nobody knows, the device neither.
        await device.send(file.chunk(100));
        await bridge.exited;
      }
      const { bridge, url } = await start(device);
      using _ = bridge;
      expect(await send(device, 100, file.total)).toEqual(taken(file.total - 100));
      // What a listing holds is part of the contract.
      const { files } = (await (await fetch(`${url}/api/files`)).json()) as {
        files: { id: string; bytes: number }[];
      };
      expect(files).toMatchObject([{ bytes: file.bytes.length }]);
      const [{ id } = { id: '' }] = files;
      const served = await (await fetch(`${url}/api/files/${id}`)).arrayBuffer();
      expect(sha256(new Uint8Array(served))).toBe(sha256(file.bytes));
      expect(await readdir(join(folder, 'files'))).toEqual([id]);
    },
  );

  it('is refused where what is there was changed meanwhile, and sends it from its beginning', {
    timeout: 60_000,
  }, async () => {
    await using device = new FileDevice();
    await configure(device);
    {
      const { bridge } = await start(device);
      using _ = bridge;
      expect(await send(device, 0, 10)).toEqual(taken(10));
      bridge.child.kill('SIGKILL');
      await bridge.exited;
    }
    const part = (await readdir(join(folder, 'files'))).find((name) => name.endsWith('.part'));
    await writeFile(join(folder, 'files', part ?? ''), randomBytes(10 * CHUNK));
    const { bridge, url } = await start(device);
    using _ = bridge;
    expect(await send(device, 10, 11)).toEqual([-1]);
    expect(await send(device, 0, file.total)).toEqual(taken(file.total));
    expect(await (await fetch(`${url}/api/files`)).json()).toMatchObject({
      files: [{ bytes: file.bytes.length }],
    });
  });
});
