// Types the lines of the three doors of README.md, word for word, as a newcomer does in a fresh clone with an empty home, and
// waits for a live value in a browser. Prints for each door how many lines were typed and how long it took.
//   node scripts/newcomer.mjs              every door, each in a clone of its own; needs the ports of the README
//   node scripts/newcomer.mjs --here 1     the first door on what is built here, with free ports: without clone and install
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));
const here = process.argv.includes('--here');
const wanted = process.argv.slice(2).filter((word) => /^\d+$/.test(word));
const MOST_LINES = 12;
const MOST_MS = 180_000;
const PORTS = /\b(?:4001|5023|5173|8080|8081|9089)\b/g;
/** What the page of each door shows, once a value is live. */
const LIVE = [
  /tank[\s\S]*online[\s\S]*°C/,
  /(?:online[\s\S]*){20}/,
  /is connected[\s\S]*supply: online [\s\S]*volts/,
];

/** The doors of the README: what is typed, and which address is opened then. */
function doorsOf(readme) {
  const [, part = ''] = /\n## Three doors\n([\s\S]*?)\n## /.exec(readme) ?? [];
  return part
    .split(/^### /m)
    .slice(1)
    .map((text) => ({
      title: text.split('\n')[0],
      lines: /```sh\n([\s\S]*?)```/.exec(text)?.[1].trimEnd().split('\n') ?? [],
      address: /Open <(http:\S+)>/.exec(text)?.[1] ?? '',
    }));
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

/** What is typed where nothing is cloned: with free ports, without the line that installs and builds. */
async function typedHere(folder, { lines, address }) {
  const ports = new Map();
  const text = [...lines, address].join('\n');
  for (const [port] of `${text} 8080`.matchAll(PORTS))
    if (!ports.has(port)) ports.set(port, await freePort());
  const mapped = (each) => each.replace(PORTS, (port) => ports.get(port) ?? port);
  mkdirSync(join(folder, '.bin'));
  const npx = `#!/bin/sh\nshift\nexec "${process.execPath}" "${root}dist/bin/heartwire.js" "$@"\n`;
  writeFileSync(join(folder, '.bin/npx'), npx);
  chmodSync(join(folder, '.bin/npx'), 0o755);
  cpSync(join(root, 'examples/plain-page'), join(folder, 'examples/plain-page'), { recursive: true });
  const page = join(folder, 'examples/plain-page/index.html');
  writeFileSync(page, mapped(readFileSync(page, 'utf8')));
  const port = (line) =>
    line.replace(/heartwire (?:run|demo)/, (found) => `${found} --port ${ports.get('8080')}`);
  return {
    lines: lines.filter((line) => !line.startsWith('npm ')).map((line) => port(mapped(line))),
    address: mapped(address),
    path: `${join(folder, '.bin')}:${process.env.PATH}`,
  };
}

/** What the programs that a shell waited for have computed, which other work on the machine does not change; Linux only. */
function machineTime(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .map(Number);
    // utime, stime, cutime and cstime, in hundredths of a second.
    return 10 * (fields[11] + fields[12] + fields[13] + fields[14]);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

async function through(door, index, browser) {
  const folder = mkdtempSync(join(tmpdir(), 'heartwire-newcomer-'));
  let cwd = folder;
  if (!here) {
    cwd = join(folder, 'heartwire');
    const cloned = spawnSync('git', ['clone', '--quiet', '--depth', '1', `file://${root}`, cwd]);
    if (cloned.status !== 0) throw new Error(`git clone: ${cloned.stderr}`);
  }
  const { lines, address, path } = here ? await typedHere(folder, door) : { ...door, path: process.env.PATH };
  const home = join(folder, 'home');
  mkdirSync(home);
  const startedAt = Date.now();
  // A group of its own, because the shell has children.
  const env = { PATH: path, HOME: home, LANG: 'C.UTF-8' };
  const shell = spawn('bash', ['-e'], { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const closed = new Promise((resolve) => shell.once('close', resolve));
  let said = '';
  let ended = false;
  closed.then(() => {
    ended = true;
  });
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk) => (said += chunk));
  shell.stdin.write(`${lines.join('\n')}\n`);
  const inTime = () => !ended && Date.now() - startedAt < (here ? 2 : 4) * MOST_MS;
  const pause = () => new Promise((resolve) => setTimeout(resolve, 250));
  const page = await browser.newPage({ locale: 'en' });
  let live = false;
  let shown = '';
  let ms = 0;
  let machineMs = 0;
  try {
    while (inTime() && !(await fetch(address).catch(() => undefined))?.ok) await pause();
    if (inTime()) await page.goto(address);
    while (inTime() && !live) {
      shown = await page.innerText('body');
      live = LIVE[index].test(shown);
      // A page that came before the bridge was there is loaded again.
      if (shown.trim() === '') await page.reload();
      if (!live) await pause();
    }
  } finally {
    ms = Date.now() - startedAt;
    machineMs = machineTime(shell.pid);
    if (!ended) process.kill(-shell.pid, 'SIGKILL');
    await closed;
    await page.close();
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  if (!live) console.error(`${door.title}: no live value\n${said}\n${shown}`);
  console.log(
    `${door.title}: ${door.lines.length} lines typed, ${live ? 'a live value' : 'NO live value'} after ${(ms / 1_000).toFixed(1)} s, of which this machine computed ${(machineMs / 1_000).toFixed(1)} s`,
  );
  return live && door.lines.length <= MOST_LINES && (here || Math.min(ms, machineMs) <= MOST_MS);
}

const doors = doorsOf(readFileSync(join(root, 'README.md'), 'utf8'));
if (doors.length !== LIVE.length) throw new Error(`README.md has ${doors.length} doors`);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
let passed = true;
for (const [index, door] of doors.entries()) {
  if (wanted.length === 0 || wanted.includes(String(index + 1)))
    passed = (await through(door, index, browser)) && passed;
}
await browser.close();
process.exitCode = passed ? 0 : 1;
