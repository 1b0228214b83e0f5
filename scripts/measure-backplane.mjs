// node scripts/measure-backplane.mjs [DEVICES]
// What one device costs in Redis or Valkey: runs a server, one instance and simulated devices that dial in, and asks the server
// by MEMORY USAGE. docs/background/scale.md and scripts/scale.mjs have the figures.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { encodeFrame } from '../dist/lib/index.js';

const DEVICES = Number(process.argv[2] ?? 1_000);
const SHARDS = 64;
const program = fileURLToPath(new URL('../dist/bin/heartwire.js', import.meta.url));
const server = ['redis-server', 'valkey-server'].find((each) => spawnSync(each, ['--version']).status === 0);
if (server === undefined) throw new Error('Neither redis-server nor valkey-server is installed.');

async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

/** The lines of the reply of one inline command. */
function ask(port, line) {
  return new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(`${line}\r\nQUIT\r\n`));
    socket.on('data', (data) => {
      said += data;
    });
    socket.on('end', () => resolve(said.split('\r\n')));
    socket.on('error', reject);
  });
}

const integer = (lines) => Number(/^:(\d+)/.exec(lines[0])?.[1] ?? 0);

async function until(what, check) {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (await check().catch(() => false)) return;
    await sleep(200);
  }
  throw new Error(`${what} did not happen within two minutes`);
}

/** Of all shards together. */
async function total(port, command, key) {
  let sum = 0;
  for (let shard = 0; shard < SHARDS; shard++)
    sum += integer(await ask(port, command.replace('KEY', `heartwire:{${shard}}:${key}`)));
  return sum;
}

const MESSAGES = `version: 1
enums: { mode: { 0: idle, 1: heating, 2: cooling } }
messages:
  - name: telemetry
    id: 0x10
    from: device
    every: 2s
    fields:
      - { name: uptime, type: u32, unit: s }
      - { name: temperature, type: i16, scale: 0.01, unit: "°C", limits: { warn: [-50, 150] } }
      - { name: humidity, type: u8, unit: "%" }
      - { name: mode, type: u8, enum: mode }
      - { name: voltage, type: u16, scale: 0.001, unit: V }
      - { name: current, type: i16, unit: mA }
`;

/** With its check digit. */
function imeiOf(n) {
  const digits = `4901542${String(n).padStart(7, '0')}`;
  let sum = 0;
  for (const [at, digit] of [...digits].entries()) {
    const value = Number(digit) * (at % 2 === 0 ? 1 : 2);
    sum += value > 9 ? value - 9 : value;
  }
  return `${digits}${(10 - (sum % 10)) % 10}`;
}

const devices = [];
const stops = [];

async function dialIn(n) {
  const fields = { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: imeiOf(n) };
  const socket = connect(devicePort, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(encodeFrame({ name: 'register', kind: 'request', fields }));
  await once(socket, 'data');
  socket.resume();
  devices.push(socket);
}

/** Its frame: a length of four bytes, a zero, and what `MESSAGES` declares. */
function telemetry(n, uptime) {
  const frame = Buffer.from('0000000d10000f424007d028012ee00020', 'hex');
  frame.writeUInt32BE(uptime, 5);
  frame.writeInt16BE((n + uptime) % 4_000, 9);
  return frame;
}

const folder = await mkdtemp(join(tmpdir(), 'heartwire-measure-'));
const [port, devicePort, http] = [await freePort(), await freePort(), await freePort()];
const children = [];
const run = (command, ...args) => {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
  return child;
};
try {
  await writeFile(join(folder, 'messages.yaml'), MESSAGES);
  await writeFile(
    join(folder, 'devices.yaml'),
    `server: { port: ${http} }
backplane: { url: "redis://127.0.0.1:${port}", instance: north }
history: false
messages: messages.yaml
listeners: [{ link: "tcp-listen:127.0.0.1:${devicePort}", max_connections_per_address: 100000, heartbeat: { interval: 10s } }]
`,
  );
  run(server, '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no');
  await until('an answer of the server', async () => (await ask(port, 'PING'))[0] === '+PONG');
  run(process.execPath, program, 'run', '--quiet', '--no-watch');
  await until('an answer of the instance', async () => (await fetch(`http://127.0.0.1:${http}/healthz`)).ok);
  for (let n = 0; n < DEVICES; n++) await dialIn(n);
  let uptime = 0;
  const timer = setInterval(() => {
    uptime++;
    for (const [n, socket] of devices.entries()) socket.write(telemetry(n, uptime));
  }, 2_000);
  stops.push(() => clearInterval(timer));
  // A state and counts of each; and some updates of each in the streams.
  await until('every device', async () => (await total(port, 'HLEN KEY', 'docs')) >= 2 * DEVICES);
  await until('some updates', async () => (await total(port, 'XLEN KEY', 'log')) >= 10 * DEVICES);
  const docs = await total(port, 'MEMORY USAGE KEY SAMPLES 0', 'docs');
  const own = await total(port, 'MEMORY USAGE KEY SAMPLES 0', 'own');
  const entries = await total(port, 'XLEN KEY', 'log');
  const log = await total(port, 'MEMORY USAGE KEY SAMPLES 0', 'log');
  console.log(
    JSON.stringify({
      devices: DEVICES,
      bytesPerDevice: Math.round((docs + own) / DEVICES),
      bytesPerEntry: Math.round(log / entries),
      entries,
    }),
  );
} finally {
  for (const stop of stops) stop();
  for (const socket of devices) socket.destroy();
  for (const child of children.reverse()) {
    if (child.exitCode !== null) continue;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  await rm(folder, { recursive: true, force: true });
}
