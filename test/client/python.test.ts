import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SimulatedFleet } from '../../src/simulator/simulated-fleet.ts';
import { systemClock } from '../../src/system/clock.ts';
import { freePort } from '../support/free-port.ts';
import { needs } from '../support/needs.ts';
import { needsPythonPackages } from '../support/needs-python.ts';
import { PROJECT_ROOT, projectFiles, readProjectFile } from '../support/project-files.ts';
import { PYTHON_ENV, PythonFeed } from '../support/python-feed.ts';
import { RunningProgram } from '../support/running-program.ts';
import { startBridge } from '../support/test-bridge.ts';

const python = needs('python3');
const withWebsockets = needsPythonPackages('websockets');
const files = projectFiles(['clients/python/heartwire'], ['.py']);

/** Parses every file as Python 3.9 does. */
const PARSE = `import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path, encoding="utf-8").read(), path, feature_version=(3, 9))`;

function runPython(args: readonly string[]): readonly [status: number | null, output: string] {
  const { status, stdout, stderr } = spawnSync(python.path, args, {
    cwd: join(PROJECT_ROOT, 'clients/python'),
    env: PYTHON_ENV,
    encoding: 'utf8',
  });
  return [status, `${stdout}${stderr}`];
}

describe.runIf(python.run)('the Python client', () => {
  it('passes the cases that every client runs, and its own tests', () => {
    const [status, output] = runPython([
      '-W',
      'error',
      '-m',
      'unittest',
      'discover',
      '-t',
      '.',
      '-s',
      'tests',
    ]);
    expect([status, output]).toEqual([0, expect.stringMatching(/Ran \d\d+ tests/)]);
  });

  it('is written in the Python that it promises', () => {
    expect(readProjectFile('clients/python/pyproject.toml')).toContain('requires-python = ">=3.9"');
    expect(files.length).toBeGreaterThan(8);
    expect(runPython(['-c', PARSE, ...files.map((file) => join(PROJECT_ROOT, file))])).toEqual([0, '']);
  });

  it('follows 20,000 changes to the last one', async () => {
    await using bridge = await startBridge(
      'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]',
      '{ port: 0, tcp: { port: 0 } }',
    );
    const { store } = bridge.bridge;
    await using feed = new PythonFeed(python.path, `tcp://127.0.0.1:${bridge.linesPort}`);
    await expect.poll(async () => (await feed.view()).state).toBe('connected');
    for (let n = 1; n <= 20_000; n++) {
      store.publishState(`devices/d${n % 100}/state`, { device: `d${n % 100}`, n });
      if (n % 500 === 0) await new Promise(setImmediate);
    }
    const expected = Array.from({ length: 100 }, (_, d) => (d === 0 ? 20_000 : 19_900 + d)).sort();
    await expect
      .poll(async () => (await feed.view()).view.map(({ n }) => n).sort(), { timeout: 30_000 })
      .toEqual(expected);
  });
});

const transports = [
  { name: 'JSON lines', need: python, urlOf: (_http: number, lines: number) => `tcp://127.0.0.1:${lines}` },
  { name: 'a WebSocket', need: withWebsockets, urlOf: (http: number) => `http://127.0.0.1:${http}` },
];

describe.each(transports)('the Python client over $name', ({ need, urlOf }) => {
  let folder: string;
  let http: string;
  let url: string;
  let fleet: SimulatedFleet;
  let bridge: RunningProgram;
  let feed: PythonFeed;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-python-'));
    const [port, lines, devices] = [await freePort(), await freePort(), await freePort()];
    http = `http://127.0.0.1:${port}`;
    url = urlOf(port, lines);
    await writeFile(
      join(folder, 'devices.yaml'),
      `server: { port: ${port}, tcp: { port: ${lines} } }
defaults: { heartbeat: { interval: 1s, missed: 3 } }
listeners: [{ link: "tcp-listen:127.0.0.1:${devices}", unknown: accept }]
`,
    );
    fleet = new SimulatedFleet(
      {
        address: { scheme: 'tcp', host: '127.0.0.1', port: devices },
        count: 5,
        seed: 1,
        heartbeatEveryMs: 1_000,
        reconnect: { initialMs: 50, maxMs: 200 },
      },
      { clock: systemClock },
    );
    await fleet.start();
  });
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  afterEach(async () => {
    await feed?.[Symbol.asyncDispose]();
    bridge?.[Symbol.dispose]();
  });

  const begin = async (): Promise<void> => {
    bridge = new RunningProgram(['run', 'devices.yaml'], folder);
    await bridge.said(/(Heartwire is at)/);
  };
  const open = async (): Promise<void> => {
    await begin();
    feed = new PythonFeed(need.path, url);
    await convergence();
  };
  /** The view is what the bridge says over HTTP, and says so. */
  const convergence = (): Promise<void> =>
    expect
      .poll(
        async () => {
          const { devices } = (await (await fetch(`${http}/api/devices`)).json()) as {
            devices: ReadonlyArray<{ readonly status: string }>;
          };
          const { state, view } = await feed.view();
          const online = devices.filter(({ status }) => status === 'online').length;
          return state === 'connected' && online === 5 && isDeepStrictEqual(view, devices);
        },
        { timeout: 40_000 },
      )
      .toBe(true);
  const state = async (): Promise<string> => (await feed.view()).state;

  it.runIf(need.run)(
    'survives that the bridge is killed and started again, and leaves no outcome open',
    async () => {
      await open();
      for (const each of fleet.devices) each.freeze();
      const [first] = (await feed.view()).view;
      await feed.command(String(first?.device), 'datetime');
      bridge.child.kill('SIGKILL');
      for (const each of fleet.devices) each.thaw();
      await bridge.exited;
      await begin();
      expect(await feed.outcome()).toEqual({ code: 'command_outcome_unknown' });
      await convergence();
      const { states } = await feed.view();
      expect(states.slice(-3)).toEqual(['stale', 'recovering', 'connected']);
      expect(await feed.end()).toEqual([0, '']);
    },
  );

  it.runIf(need.run)('heeds a bridge that is drained', async () => {
    await open();
    bridge.child.kill('SIGTERM');
    await expect
      .poll(() => feed.view())
      .toMatchObject({
        state: 'stale',
        reason: expect.stringMatching(/draining|connection_lost|unreachable/),
      });
    await bridge.exited;
    await begin();
    await convergence();
  });

  it.runIf(need.run)(
    'calls the view of a frozen bridge stale, and the present again when it thaws',
    async () => {
      await open();
      bridge.child.kill('SIGSTOP');
      await expect.poll(state, { timeout: 60_000 }).toBe('stale');
      expect((await feed.view()).reason).toBe('silent');
      bridge.child.kill('SIGCONT');
      await convergence();
    },
  );
});
