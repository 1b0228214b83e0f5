import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SimulatedFleet } from '../src/simulator/simulated-fleet.ts';
import { needs } from './support/needs.ts';
import { needsPythonPackages } from './support/needs-python.ts';
import { PROJECT_ROOT, readProjectFile } from './support/project-files.ts';
import { PYTHON_ENV } from './support/python-feed.ts';
import { dialIn, QUICK_HEARTBEAT, SIMULATED_IMEI } from './support/simulated-device.ts';
import { startBridge, type TestBridge } from './support/test-bridge.ts';

const blocksOf = (path: string): readonly string[] =>
  [...readProjectFile(path).matchAll(/```python\n([\s\S]*?)```/g)].map(([, text = '']) => text);
const [states = '', items = '', command = '', asyncio = '', events = ''] =
  blocksOf('docs/reference/python.md');
const example = (name: string): string => readProjectFile(`clients/python/examples/${name}`);

/** The cells of a notebook as one program, in an event loop as Jupyter runs it. */
function programOf(notebook: string): string {
  // The shape of a notebook, as far as it is read here.
  const { cells } = JSON.parse(notebook) as {
    readonly cells: ReadonlyArray<{ readonly cell_type: string; readonly source: readonly string[] }>;
  };
  const lines = cells
    .filter((cell) => cell.cell_type === 'code')
    // Jupyter prints what the last line of a cell gives.
    .flatMap(({ source }) => source.map((line, at) => (at === source.length - 1 ? `print(${line})` : line)))
    .flatMap((text) => text.split('\n'));
  return `import asyncio\nasync def main():\n${lines.map((line) => `    ${line}`).join('\n')}\nasyncio.run(main())`;
}

describe('docs/reference/python.md', () => {
  let bridge: TestBridge;
  let fleet: SimulatedFleet;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-python-'));
    bridge = await startBridge(
      `${QUICK_HEARTBEAT}
devices: [{ id: psu-1, match: { imei: "${SIMULATED_IMEI}" } }]
listeners: [{ link: "tcp-listen:127.0.0.1:0" }]
`,
      '{ port: 0, tcp: { port: 0 } }',
      undefined,
      undefined,
      undefined,
      join(folder, 'devices.db'),
    );
    fleet = await dialIn(bridge.devicePort);
    await vi.waitFor(() => {
      expect(bridge.bridge.store.document('devices/psu-1/state')?.status).toBe('online');
    }, 30_000);
  });
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]();
    await bridge[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  /** The text with the ports that were free here, and not another letter changed. */
  const here = (text: string): string =>
    text
      .replaceAll('127.0.0.1:8080', new URL(bridge.url).host)
      .replaceAll('127.0.0.1:8081', `127.0.0.1:${bridge.linesPort}`);

  async function run(python: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
    const env = { ...PYTHON_ENV, ...more };
    const child = spawn(python, args, { env, cwd: PROJECT_ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        said += String(text);
      });
    }
    const [code] = await once(child, 'close');
    return `${said}exit ${code}`;
  }

  const plain = needs('python3');
  describe.runIf(plain.run)('without any package', () => {
    it('follows the states, by the document and by the README of the package', async () => {
      expect(await run(plain.path, ['-c', here(states)])).toBe('psu-1 online\nexit 0');
      const [readme = ''] = blocksOf('clients/python/README.md');
      expect(await run(plain.path, ['-c', here(readme)])).toBe('psu-1 online\nexit 0');
    });

    it('reads the feed with a socket alone', async () => {
      const said = await run(plain.path, [
        '-c',
        example('plain_lines.py'),
        '127.0.0.1',
        String(bridge.linesPort),
      ]);
      expect(said).toBe('devices/psu-1/state online\nexit 0');
    });
  });

  const withWebsockets = needsPythonPackages('websockets');
  describe.runIf(withWebsockets.run)('with websockets', () => {
    it('waits for a state and follows events', async () => {
      expect(await run(withWebsockets.path, ['-c', here(items)])).toMatch(/^psu-1 \{'at': .*\}\nexit 0$/);
    });

    it('sends commands', async () => {
      expect(await run(withWebsockets.path, ['-c', here(command)])).toMatch(
        /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n\d+ clients\nexit 0$/,
      );
    });

    it('does the same with asyncio', async () => {
      expect(await run(withWebsockets.path, ['-c', here(asyncio)])).toMatch(
        /^the view is connected\n\{.*'error': 0.*\}\n\w+\nthe view is closed\nexit 0$/,
      );
    });

    it('asks what was', async () => {
      await expect
        .poll(() => run(withWebsockets.path, ['-c', here(events)]), { timeout: 20_000 })
        .toMatch(/^(\d+ \w+ \w*\n)*\d+ online \nexit 0$/);
    });

    it('runs the notebook', async () => {
      const program = here(programOf(example('notebook.ipynb')));
      expect(await run(withWebsockets.path, ['-c', program])).toMatch(
        /^\{'psu-1': 'online'\}\n.*'count': \d[\s\S]*exit 0$/,
      );
    });
  });

  const withPytest = needsPythonPackages('pytest, websockets');
  it.runIf(withPytest.run)('tests a recorded device with pytest', async () => {
    const HEARTWIRE = `${process.execPath} ${join(PROJECT_ROOT, 'dist/bin/heartwire.js')}`;
    const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'clients/python/examples'];
    expect(await run(withPytest.path, args, { HEARTWIRE })).toMatch(/1 passed[\s\S]*exit 0$/);
  });
});
