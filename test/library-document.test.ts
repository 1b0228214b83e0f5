import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProgramFolder } from './support/program-folder.ts';
import { readProjectFile } from './support/project-files.ts';
import { startBridge } from './support/test-bridge.ts';

const programs = [...readProjectFile('docs/reference/library.md').matchAll(/```js\n([\s\S]*?)```/g)].map(
  ([, text = '']) => text,
);

describe('docs/reference/library.md', () => {
  let folder: ProgramFolder;

  beforeAll(async () => {
    folder = await ProgramFolder.make();
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  it('has two programs', () => expect(programs).toHaveLength(2));

  it('runs the bridge in a process of your own', async () => {
    await writeFile(
      join(folder.path, 'devices.yaml'),
      `server: { port: 0 }
devices:
  - { id: psu-1, link: "tcp:127.0.0.1:1", register: { appid: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, imei: "490154203237518" } }
  - { id: wrong, link: "tcp:127.0.0.1" }
`,
    );
    const { said, code } = await folder.start(programs[0] ?? '');
    expect(await code).toBe(0);
    for (const line of [/^psu-1 unknown$/m, /^wrong unknown$/m, /^devices\.yaml:4:\d+: error: /m])
      expect(said()).toMatch(line);
  });

  it('speaks the device protocol', async () => {
    await using bridge = await startBridge('listeners: [{ link: "tcp-listen:127.0.0.1:0", clock: {} }]');
    const device = (programs[1] ?? '').replace('connect(9089,', `connect(${bridge.devicePort},`);
    const { said, code } = await folder.start(device);
    const state = () => bridge.bridge.store.document('devices/490154203237518/state');
    await expect.poll(state).toMatchObject({ status: 'online', clock: { samples: 1 } });
    await bridge[Symbol.asyncDispose]();
    expect([await code, said()]).toEqual([0, 'register 0\n']);
  });
});
