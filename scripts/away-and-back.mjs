// Makes docs/images/away-and-back.png, an animated PNG: a device that loses its power and comes back, as the running page shows it.
// The device is a simulated one that is stopped (SIGSTOP) while its connection stays open, and goes on later.
// Needs Chromium: CHROMIUM=/usr/bin/chromium node scripts/away-and-back.mjs
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync, inflateSync } from 'node:zlib';
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
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

/** The pixels of a PNG of Chromium (8 bits, RGB or RGBA, not interlaced) as rows of RGB. */
function pixelsOf(png) {
  const chunks = chunksOf(png);
  const head = chunks.find(({ type }) => type === 'IHDR').data;
  const [width, height, channels] = [head.readUInt32BE(0), head.readUInt32BE(4), head[9] === 6 ? 4 : 3];
  const raw = inflateSync(
    Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)),
  );
  const stride = width * channels;
  const rows = [];
  let before = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    const row = Uint8Array.from(raw.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)));
    for (let x = 0; x < stride; x++) {
      const [a, b] = [row[x - channels] ?? 0, before[x]];
      row[x] += [0, a, b, (a + b) >> 1, filter === 4 ? paeth(a, b, before[x - channels] ?? 0) : 0][filter];
    }
    before = row;
    rows.push(channels === 3 ? row : row.filter((_, index) => index % 4 !== 3));
  }
  return { width, height, rows };
}

function paeth(a, b, c) {
  const [toA, toB, toC] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (toA <= toB && toA <= toC) return a;
  return toB <= toC ? b : c;
}

/** The rectangle in which two pictures differ. */
function changed(before, after) {
  const box = { left: after.width, top: after.height, right: 0, bottom: 0 };
  for (let y = 0; y < after.height; y++)
    for (let x = 0; x < after.width; x++) {
      const at = 3 * x;
      if ([0, 1, 2].every((part) => before?.rows[y][at + part] === after.rows[y][at + part])) continue;
      box.left = Math.min(box.left, x);
      box.top = Math.min(box.top, y);
      box.right = Math.max(box.right, x + 1);
      box.bottom = Math.max(box.bottom, y + 1);
    }
  return box;
}

/** The pixels of a rectangle, compressed as in a PNG; those that are as in the picture before are transparent. */
function compressed(before, { rows }, { left, top, right, bottom }) {
  const parts = [];
  for (let y = top; y < bottom; y++) {
    parts.push(0);
    for (let at = 3 * left; at < 3 * right; at += 3) {
      const pixel = rows[y].subarray(at, at + 3);
      const same = before !== undefined && pixel.every((part, index) => part === before.rows[y][at + index]);
      if (same) parts.push(0, 0, 0, 0);
      else parts.push(...pixel, 255);
    }
  }
  return deflateSync(Uint8Array.from(parts), { level: 9 });
}

/** An animated PNG, which is shown again and again: the first picture whole, of the others what changed. */
function animated(frames) {
  const pictures = frames.map(({ png }) => pixelsOf(png));
  const [{ width, height }] = pictures;
  const numbers = (...values) => {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
    return bytes;
  };
  let sequence = 0;
  const parts = [
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', Buffer.concat([numbers(width, height), Buffer.from([8, 6, 0, 0, 0])])),
    chunk('acTL', numbers(frames.length, 0)),
  ];
  for (const [index, { ms }] of frames.entries()) {
    const box = changed(pictures[index - 1], pictures[index]);
    const delay = Buffer.alloc(6);
    delay.writeUInt16BE(ms, 0);
    delay.writeUInt16BE(1_000, 2);
    // Over what stands there already.
    delay[5] = index === 0 ? 0 : 1;
    const place = numbers(sequence++, box.right - box.left, box.bottom - box.top, box.left, box.top);
    parts.push(chunk('fcTL', Buffer.concat([place, delay])));
    const data = compressed(pictures[index - 1], pictures[index], box);
    parts.push(index === 0 ? chunk('IDAT', data) : chunk('fdAT', Buffer.concat([numbers(sequence++), data])));
  }
  return Buffer.concat([...parts, chunk('IEND', Buffer.alloc(0))]);
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
    const png = await page.screenshot({ clip: { x: 0, y: 0, width: SIZE.width, height: 200 } });
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
