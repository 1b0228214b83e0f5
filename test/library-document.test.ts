import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROJECT_ROOT, readProjectFile } from './support/project-files.ts';
import { startBridge } from './support/test-bridge.ts';

const programs = [...readProjectFile('docs/library.md').matchAll(/```js\n([\s\S]*?)```/g)].map(
  ([, text = '']) => text,
);

describe('docs/library.md', () => {
  let folder: string;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-library-'));
    await mkdir(join(folder, 'node_modules'));
    await symlink(PROJECT_ROOT, join(folder, 'node_modules/heartwire'), 'dir');
    await symlink(join(PROJECT_ROOT, 'node_modules/ws'), join(folder, 'node_modules/ws'), 'dir');
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  async function start(program: string) {
    const file = join(folder, `program-${children.length}.mjs`);
    await writeFile(file, program);
    const child = spawn(process.execPath, [file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        said += String(text);
      });
    }
    const code = new Promise((resolve) => child.once('close', resolve));
    return { said: () => said, code };
  }

  it('has two programs', () => expect(programs).toHaveLength(2));

  it('runs the bridge in a process of your own', async () => {
    await writeFile(
      join(folder, 'devices.yaml'),
      `server: { port: 0 }
devices:
  - { id: psu-1, link: "tcp:127.0.0.1:1", register: { appid: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, imei: "490154203237518" } }
  - { id: wrong, link: "tcp:127.0.0.1" }
`,
    );
    const { said, code } = await start(programs[0] ?? '');
    expect(await code).toBe(0);
    for (const line of [/^psu-1 unknown$/m, /^wrong unknown$/m, /^devices\.yaml:4:\d+: error: /m])
      expect(said()).toMatch(line);
  });

  it('speaks the device protocol', async () => {
    await using bridge = await startBridge('listeners: [{ link: "tcp-listen:127.0.0.1:0", clock: {} }]');
    const device = (programs[1] ?? '').replace('connect(9089,', `connect(${bridge.devicePort},`);
    const { said, code } = await start(device);
    const state = () => bridge.bridge.store.document('devices/490154203237518/state');
    await expect.poll(state).toMatchObject({ status: 'online', clock: { samples: 1 } });
    await bridge[Symbol.asyncDispose]();
    expect([await code, said()]).toEqual([0, 'register 0\n']);
  });
});
