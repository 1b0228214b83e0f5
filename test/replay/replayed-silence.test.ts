import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfig } from '../../src/config/read.ts';
import { dialWire } from '../../src/devices/wire.ts';

it('a device that is a trace without idle lines gets its frames, where they end with silence', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
  await writeFile(
    join(folder, 'm.yaml'),
    `version: 1
protocol: { framing: { type: gap, checksum: { algorithm: sum-8 }, max_frame: 16 } }
messages:
  - { name: reading, from: device, reply: none, fields: [{ name: address, type: u8 }, { name: level, type: u16 }] }
`,
  );
  await writeFile(
    join(folder, 'x.trace'),
    `#heartwire-trace 1
#start 2026-01-01T00:00:00.000Z
#meta device=m transport=serial session=none
0 c1 = open /dev/ttyUSB0
0.1 c1 < 03 00 64
0.14 c1 < 67
0.2 c1 < 03 00 65 68
1 c1 * end
`,
  );
  const path = join(folder, 'devices.yaml');
  const link = `link: "replay:${join(folder, 'x.trace')}?speed=10"`;
  await writeFile(path, `devices: [{ id: m, session: none, messages: m.yaml, ${link} }]\n`);
  const { config, problems } = await readConfig(path);
  const [device] = config?.devices ?? [];
  if (device?.kind !== 'dialled') throw new Error(JSON.stringify(problems));
  const levels: unknown[] = [];
  await new Promise<void>((resolve) => {
    const ignored = (): void => undefined;
    const owner = {
      wireOpened: ignored,
      wireBytes: ignored,
      wireMessage: (_: unknown, message: object) =>
        void levels.push('fields' in message ? message.fields : message),
      wireDiscarded: (_: unknown, { reason }: { readonly reason: string }) => void levels.push(reason),
      wireFaulted: ignored,
      wireChunk: ignored,
      wireBroke: ignored,
      wireClosed: () => resolve(),
    };
    dialWire(device, 0, owner, {}).open();
  });
  expect(levels).toEqual([
    { address: 3, level: 100 },
    { address: 3, level: 101 },
  ]);
  await rm(folder, { recursive: true });
});
