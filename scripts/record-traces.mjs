// Records the traces of fixtures/traces/ that are made by a machine: a bridge with --record against simulated devices.
// The same seeds make the same devices and damage; times and ports are those of the run, so the golden output is
// written anew with them. Look at what changed before it is committed.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../dist/bin/heartwire.js', import.meta.url));
const fixtures = fileURLToPath(new URL('../fixtures/traces/', import.meta.url));
const REGISTER = '{ appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }';

/** A command in a process of its own. */
function start(cwd, ...argv) {
  const child = spawn(process.execPath, [program, ...argv], {
    cwd,
    env: { ...process.env, TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('close', resolve));
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  return {
    async said(pattern) {
      while (!pattern.test(out)) await pause(20);
      return pattern.exec(out)[1];
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function record(name, { config, simulate, dialIn, ms }) {
  const folder = mkdtempSync(join(tmpdir(), 'heartwire-'));
  const run = async (yaml) => {
    writeFileSync(join(folder, 'devices.yaml'), yaml);
    const bridge = start(folder, 'run', 'devices.yaml', '--port', '0', '--record', 'traces', '--quiet');
    await bridge.said(/Heartwire is at (\S+)/);
    return bridge;
  };
  let [bridge, devices] = [];
  if (dialIn) {
    bridge = await run(config());
    const port = await bridge.said(/Devices may dial in at \S+:(\d+)/);
    devices = start(folder, 'simulate', '--connect', `127.0.0.1:${port}`, ...simulate);
  } else {
    devices = start(folder, 'simulate', '--listen', '0', ...simulate);
    bridge = await run(config(await devices.said(/listens at \S+:(\d+)/)));
  }
  await pause(ms);
  await devices.stop();
  await pause(300);
  await bridge.stop();
  const [recorded] = readdirSync(join(folder, 'traces'));
  renameSync(join(folder, 'traces', recorded), join(fixtures, `${name}.trace`));
  rmSync(folder, { recursive: true });
  const golden = ['replay', `${name}.trace`, '--expect', `${name}.golden.jsonl`, '--update'];
  spawnSync(process.execPath, [program, ...golden], { cwd: fixtures, stdio: 'inherit' });
}

const listening = () => 'listeners: [{ link: "tcp-listen:127.0.0.1:0", heartbeat: { interval: 500ms } }]\n';
const dialled = (more) => (port) =>
  `devices: [{ id: psu-1, link: "tcp:127.0.0.1:${port}", register: ${REGISTER}, heartbeat: { interval: 500ms }${more} }]\n`;

await record('recorded-dial-in', {
  dialIn: true,
  config: listening,
  simulate: ['--every', '500ms', '--ask-time', '700ms', '--early', 'heartbeat', '--imei', '490154203237518'],
  ms: 3_000,
});
await record('recorded-dialled', {
  config: dialled(', clock: { every: 1s, time_zone: UTC }'),
  simulate: ['--time-zone', 'UTC', '--clock-offset', '2s'],
  ms: 3_000,
});
await record('recorded-noise', {
  config: dialled(', line: serial'),
  simulate: ['--fault', 'garbage=0.4,drop=0.03,corrupt=0.02', '--seed', '7'],
  ms: 6_000,
});
await record('recorded-stall', {
  config: dialled(''),
  simulate: ['--fault', 'stall=3s', '--seed', '3'],
  ms: 9_000,
});
