import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RunningProgram } from '../support/running-program.ts';

/** The files that a run of the program has loaded, as V8 lists them at its end. */
async function loadedBy(yaml: string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'heartwire-loaded-'));
  try {
    await writeFile(join(folder, 'devices.yaml'), yaml);
    const argv = ['run', 'devices.yaml', '--port', '0', '--quiet'];
    using program = new RunningProgram(argv, folder, { NODE_V8_COVERAGE: join(folder, 'loaded') });
    await program.said(/Heartwire is at (\S+)/);
    program.child.kill('SIGTERM');
    await program.exited;
    const files = await readdir(join(folder, 'loaded'));
    const texts = await Promise.all(files.map((file) => readFile(join(folder, 'loaded', file), 'utf8')));
    return texts.flatMap((text) =>
      (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

it('nothing of a backplane is loaded where none is configured', async () => {
  const devices = 'devices:\n  - { id: pump, link: "tcp:127.0.0.1:1", role: server }\n';
  const isOfIt = (url: string): boolean =>
    /ioredis|backplane/.test(url.replace(/.*\/(?=dist|node_modules)/, ''));
  const without = await loadedBy(devices);
  expect(without.length).toBeGreaterThan(5);
  expect(without.filter(isOfIt)).toEqual([]);
  // No server need be there.
  const shared = await loadedBy(`backplane: { url: "redis://127.0.0.1:1", instance: north }\n${devices}`);
  expect(shared.filter(isOfIt).length).toBeGreaterThan(0);
}, 120_000);
