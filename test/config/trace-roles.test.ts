import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readConfig } from '../../src/config/read.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
});
afterEach(() => rm(folder, { recursive: true }));

const head = (meta: string) => `#heartwire-trace 1\n#start 2026-01-01T00:00:00.000Z\n${meta}\n`;
const REGISTER = 'register: { appid: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, imei: "490154203237518" }';

/** The roles of devices whose links are these traces, and what is wrong. */
async function rolesOf(...devices: readonly string[]) {
  const path = join(folder, 'devices.yaml');
  const list = devices.map((each, index) => `  - { id: d${index}, ${each} }\n`).join('');
  await writeFile(path, `devices:\n${list}`);
  const { config, problems } = await readConfig(path);
  return [config?.devices.map(({ session }) => session.role), problems.map(({ code }) => code)];
}
const trace = (name: string) => `link: "replay:${join(folder, name)}"`;

it('a device that is a trace has the role of the trace, unless one is given', async () => {
  await writeFile(join(folder, 's.trace'), `${head('#meta role=server')}0 c1 < 00\nnonsense\n`);
  await writeFile(join(folder, 's2.trace'), head('#meta role=server'));
  await writeFile(join(folder, 'p.trace.gz'), gzipSync(head('#meta device=x role=server')));
  await writeFile(join(folder, 'c.trace'), head('#meta role=client'));
  expect(
    await rolesOf(
      trace('s.trace'),
      `link: ["replay:${join(folder, 'p.trace.gz')}?speed=10"]`,
      `${trace('c.trace')}, ${REGISTER}`,
      `${trace('s2.trace')}, role: client, ${REGISTER}`,
    ),
  ).toEqual([['server', 'server', 'client', 'client'], []]);
});

it('a trace that says no role, or cannot be read, leaves the role of a device that is dialled', async () => {
  await writeFile(join(folder, 'n.trace'), head('#meta device=x'));
  await writeFile(join(folder, 'none.trace'), 'no trace');
  await writeFile(join(folder, 'odd.trace'), head('#meta role=bystander'));
  await writeFile(join(folder, 'cut.trace.gz'), gzipSync(head('#meta role=server')).subarray(0, 12));
  execFileSync('mkfifo', [join(folder, 'pipe.trace')]);
  const names = ['n.trace', 'none.trace', 'odd.trace', 'cut.trace.gz', 'pipe.trace', 'missing.trace'];
  const [roles, problems] = await rolesOf(...names.map((name) => `${trace(name)}, ${REGISTER}`));
  expect(roles).toEqual(names.map(() => 'client'));
  expect(problems).toEqual([]);
  expect((await rolesOf(trace('n.trace')))[1]).toEqual(['config_not_registered']);
});
