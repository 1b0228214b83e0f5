// Makes docs/images/away-and-back.png, an animated PNG: a device that loses its power and comes back, as the running page shows it.
// The device is a simulated one that is stopped (SIGSTOP) while its connection stays open, and goes on later.
// Needs Chromium: CHROMIUM=/usr/bin/chromium node scripts/away-and-back.mjs
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { chromium } from 'playwright-core';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const out = at('docs/images/away-and-back.png');
const STEP_MS = 500;
/** The first frame stands so long, and so does the last. */
const REST_MS = 1_500;
const SIZE = { width: 900, height: 300 };
const children = [];

function start(...argv) {
  const child = spawn(process.execPath, [at('dist/bin/heartwire.js'), ...argv], { cwd: folder });
  children.push(child);
  return child;
}

/** What a program prints, once it fits. */
const printed = (child, pattern) =>
  new Promise((resolve, reject) => {
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        text += chunk;
        const found = pattern.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
    child.once('exit', () => reject(new Error(text)));
  });

/** The chunks of a PNG, by their types. */
function chunksOf(png) {
  const chunks = [];
  for (let offset = 8; offset < png.length; ) {
    const length = png.readUInt32BE(offset);
    chunks.push({
      type: png.toString('latin1', offset + 4, offset + 8),
      data: png.subarray(offset + 8, offset + 8 + length),
    });
    offset += 12 + length;
  }
  return chunks;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(checksum(body), body.length + 4);
  return whole;
}

/** CRC-32; Node 20.19 has it in zlib only from 20.15 and 22.2 on, which our floor covers. */
const checksum = (bytes) => crc32(bytes);

/** An animated PNG of whole frames, which is shown again and again. */
function animated(frames) {
  const [first] = frames;
  const head = chunksOf(first.png).find(({ type }) => type === 'IHDR').data;
  const parts = [Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head)];
  const control = Buffer.alloc(8);
  control.writeUInt32BE(frames.length, 0);
  parts.push(chunk('acTL', control));
  let sequence = 0;
  for (const [index, { png, ms }] of frames.entries()) {
    const frame = Buffer.alloc(26);
    frame.writeUInt32BE(sequence++, 0);
    head.copy(frame, 4, 0, 8);
    frame.writeUInt16BE(ms, 20);
    frame.writeUInt16BE(1_000, 22);
    parts.push(chunk('fcTL', frame));
    const data = Buffer.concat(
      chunksOf(png)
        .filter(({ type }) => type === 'IDAT')
        .map((each) => each.data),
    );
    if (index === 0) parts.push(chunk('IDAT', data));
    else {
      const number = Buffer.alloc(4);
      number.writeUInt32BE(sequence++, 0);
      parts.push(chunk('fdAT', Buffer.concat([number, data])));
    }
  }
  parts.push(chunk('IEND', Buffer.alloc(0)));
  return Buffer.concat(parts);
}

const folder = mkdtempSync(join(tmpdir(), 'heartwire-film-'));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
try {
  const devices = [];
  const addresses = [];
  for (const seed of ['1', '2']) {
    const device = start('simulate', '--listen', '0', '--seed', seed, '--every', '1s');
    devices.push(device);
    addresses.push(await printed(device, /listens at (\S+)/));
  }
  const register = 'register: { appid: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, imei: "490154203237518" }';
  writeFileSync(
    join(folder, 'devices.yaml'),
    `defaults: { heartbeat: { interval: 1s }, reconnect: { initial: 500ms, max: 1s } }\ndevices:\n${[
      'boiler',
      'pump',
    ]
      .map((id, index) => `  - { id: ${id}, link: "tcp:${addresses[index]}", ${register} }\n`)
      .join('')}`,
  );
  const url = await printed(start('run', '--port', '0', '--quiet'), /Heartwire is at (\S+)/);
  const page = await browser.newPage({ viewport: SIZE, colorScheme: 'light', locale: 'en' });
  await page.goto(url);
  const status = () => page.locator('tr[data-device="boiler"] .status .word').first().textContent();
  const until = async (wanted) => {
    for (let tries = 0; (await status().catch(() => '')) !== wanted; tries++) {
      if (tries > 300) throw new Error(`The boiler is never ${wanted}.`);
      await pause(100);
    }
  };
  await until('online');
  await pause(1_500);
  const frames = [];
  const film = async (ms) => {
    const png = await page.screenshot();
    const last = frames.at(-1);
    if (last?.png.equals(png)) last.ms += ms;
    else frames.push({ png, ms });
  };
  await film(REST_MS);
  devices[0].kill('SIGSTOP');
  while ((await status()) !== 'offline') {
    await film(STEP_MS);
    await pause(STEP_MS);
  }
  for (let step = 0; step < 4; step++) {
    await film(STEP_MS);
    await pause(STEP_MS);
  }
  devices[0].kill('SIGCONT');
  while ((await status()) !== 'online') {
    await film(STEP_MS);
    await pause(STEP_MS);
  }
  await film(REST_MS);
  await pause(2_000);
  await film(2 * REST_MS);
  const bytes = animated(frames);
  writeFileSync(out, bytes);
  console.error(`${frames.length} frames, ${(bytes.length / 1_000).toFixed(0)} kB`);
} finally {
  await browser.close();
  for (const child of children) {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
