import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Bridge } from '../src/app/bridge.ts';
import { loadConfig } from '../src/config/load.ts';
import { systemClock } from '../src/system/clock.ts';
import { hasChromium, launchChromium } from './support/chromium.ts';
import { needs } from './support/needs.ts';
import { needsPythonPackages } from './support/needs-python.ts';
import { PROJECT_ROOT, readProjectFile } from './support/project-files.ts';

const page = readProjectFile('docs/reference/feed.md');
const [, examples = ''] = /## Try it\n([\s\S]*?)\n## /.exec(page) ?? [];

function blocks(language: string): string[] {
  return [...examples.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, block = '']) => block,
  );
}

interface Typed {
  readonly command: string;
  /** What is typed into it. */
  readonly input: string;
}

/** Every command of the console blocks with what is typed into it. */
const commands: readonly Typed[] = blocks('console').flatMap((block) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [command = '', ...lines] = text.trimEnd().split('\n');
      return { command, input: lines.map((line) => `${line.replace(/^> /, '')}\n`).join('') };
    }),
);

/** Nobody answers there, so the state of this device is the same from one question to the next. */
const CONFIG = `
server: { port: 0, tcp: { port: 0 } }
devices:
  - id: psu-1
    link: tcp:127.0.0.1:1
    register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }
    reconnect: { initial: 1h, max: 1h, jitter: none }
`;

const silent = { info: () => {}, warn: () => {}, error: () => {} };
const { config, problems } = loadConfig(CONFIG, 'examples');
const children: ChildProcess[] = [];
let bridge: Bridge;
let folder: string;
let url: string;
let lines: string;

beforeAll(async () => {
  if (config === undefined) throw new Error(JSON.stringify(problems));
  bridge = new Bridge({ config, clock: systemClock, log: silent, version: '0.0.0', random: () => 0.999 });
  const addresses = await bridge.start();
  url = addresses.url;
  lines = addresses.lines ?? '';
  folder = await mkdtemp(join(tmpdir(), 'heartwire-examples-'));
  await vi.waitFor(() => {
    expect(bridge.store.document('devices/psu-1/state')?.link).toMatchObject({ status: 'backoff' });
  });
});

afterEach(() => {
  // The whole group: npx and the shell have children of their own.
  for (const { pid, exitCode } of children.splice(0)) {
    if (pid !== undefined && exitCode === null) process.kill(-pid, 'SIGKILL');
  }
});

afterAll(async () => {
  await bridge[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** The text with the ports that were free here, and not another letter changed. */
function here(text: string): string {
  return text
    .replaceAll('127.0.0.1:8080', url.replace('http://', ''))
    .replaceAll('127.0.0.1 8081', lines.replace(':', ' '))
    .replaceAll('"127.0.0.1", 8081', `"127.0.0.1", ${lines.split(':')[1]}`);
}

interface Running {
  output(): string;
  type(text: string): void;
  readonly ended: Promise<number | null>;
}

/** Starts a program, types into it, and leaves its input open, as a person at a terminal does. */
function start(program: string, args: readonly string[], input: string, cwd = folder): Running {
  const env = { ...process.env, PYTHONUNBUFFERED: '1' };
  const child = spawn(program, args, { cwd, env, detached: true });
  children.push(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stdin.write(input);
  return {
    output: () => output,
    type: (text) => void child.stdin.write(text),
    ended: new Promise((resolve) => child.on('close', resolve)),
  };
}

function command(first: string): Typed {
  const found = commands.find((each) => each.command.startsWith(first));
  if (found === undefined) throw new Error(`docs/reference/feed.md has no example with ${first}`);
  return found;
}

/** Runs an example with the shell, as a person would paste it. */
const paste = ({ command: text, input }: Typed, cwd?: string) => start('sh', ['-c', here(text)], input, cwd);

const KNOWS_THE_DEVICE = /snapshot[\s\S]*devices\/psu-1\/state[\s\S]*backoff[\s\S]*synced/;

describe('the examples of docs/reference/feed.md', () => {
  it('are these, and each has a test', () => {
    expect(commands.map((each) => each.command.split(' ')[0])).toEqual(['npx', 'nc', 'curl', 'curl', 'curl']);
    expect([blocks('python').length, blocks('js').length]).toEqual([2, 1]);
  });

  it('wscat', async () => {
    const { command: text, input } = command('npx wscat');
    // In the project, so that npx takes the one that is installed here.
    const wscat = paste({ command: text, input: '' }, PROJECT_ROOT);
    await expect.poll(wscat.output).toContain('welcome');
    wscat.type(input);
    await expect.poll(wscat.output).toMatch(KNOWS_THE_DEVICE);
    expect(wscat.output()).toContain('bridge/status');
  });

  describe.runIf(needs('nc').run)('nc', () => {
    it('gets what it asks for', async () => {
      await expect.poll(paste(command('nc')).output).toMatch(KNOWS_THE_DEVICE);
    });
  });

  describe.runIf(needs('curl').run)('curl', () => {
    it('follows the stream', async () => {
      const { output } = paste(command('curl -N'));
      await expect.poll(output).toMatch(/^data: .*"snapshot"[\s\S]*psu-1[\s\S]*^id: .*\ndata: .*"synced"/m);
    });

    it('asks for one device, and for one only if it changed', async () => {
      const one = paste(command('curl http'));
      expect(await one.ended).toBe(0);
      expect(one.output()).toContain('"device":"psu-1"');
      const conditional = command('curl --etag');
      expect(await paste(conditional).ended).toBe(0);
      const file = join(folder, 'psu-1.json');
      const first = await readFile(file, 'utf8');
      expect(first).toContain('"device":"psu-1"');
      await writeFile(file, 'kept');
      expect(await paste(conditional).ended).toBe(0);
      expect(await readFile(file, 'utf8')).toBe('kept');
      expect((await stat(join(folder, 'psu-1.etag'))).size).toBeGreaterThan(10);
    });
  });

  const [overWebSocket = '', overTcp = ''] = blocks('python');
  const python = needsPythonPackages('websockets');
  describe.runIf(python.run)('Python with websockets', () => {
    it('prints what it hears', async () => {
      const { output } = start(python.path, ['-c', here(overWebSocket)], '');
      await expect.poll(output).toMatch(KNOWS_THE_DEVICE);
    });
  });

  const plain = needs('python3');
  describe.runIf(plain.run)('Python by itself', () => {
    it('prints what it hears', async () => {
      const { output } = start(plain.path, ['-c', here(overTcp)], '');
      await expect.poll(output).toMatch(KNOWS_THE_DEVICE);
    });

    it('reads one answer for one object', async () => {
      const [, bare = ''] = /```python\n([^`]*\.recv\([\s\S]*?)```/.exec(page) ?? [];
      const { output, ended } = start(plain.path, ['-c', here(bare)], '');
      expect(await ended).toBe(0);
      expect(output()).toMatch(/^\{'type': 'error', .*'code': '\w+'.*\}\n$/);
    });
  });

  describe.runIf(hasChromium)('a page in Chromium', () => {
    it('logs what it hears', async () => {
      await using browser = await launchChromium();
      const tab = await browser.newPage();
      const logged: string[] = [];
      tab.on('console', (message) => logged.push(message.text()));
      await tab.goto(`${url}/`);
      await tab.evaluate(`{ ${blocks('js')[0]} }`);
      await expect
        .poll(() => logged.map((text) => text.split(' ')[0]))
        .toEqual(expect.arrayContaining(['welcome', 'snapshot', 'synced']));
      bridge.store.publishState('devices/other/state', { device: 'other', status: 'online' });
      await expect.poll(() => logged.at(-1)).toMatch(/^(update|position)/);
    });
  });
});
