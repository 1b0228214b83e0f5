import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { RunningProgram } from '../support/running-program.ts';
import { APPID, datetimeReply, IMEI, registerRequest, reply, request } from '../support/session-bench.ts';

const INTERVAL_MS = 1_000;
/** Longer than any silence that the configuration allows, and than the time-out of the command. */
const STOPPED_MS = 5_000;
const BEAT = Buffer.from(encodeFrame(request('heartbeat')));
const REGISTER_REPLY = encodeFrame(reply('register'));
const BEAT_REPLY = encodeFrame(reply('heartbeat'));
const ASKS_TIME = Buffer.from(encodeFrame(request('datetime')));

const YAML = (port: number) => `
server: { port: 0 }
history: false
known_devices: { keep: false }
listeners:
  - link: "tcp-listen:127.0.0.1:0"
    heartbeat: { interval: 1s, missed: 2 }
devices:
  - id: dialled
    link: "tcp:127.0.0.1:${port}"
    register: { appid: ${APPID}, imei: "${IMEI}" }
    heartbeat: { interval: 1s, missed: 2 }
    clock: false
`;

let folder: string;
let server: Server;
const sockets: Socket[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-stopped-'));
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
  await rm(folder, { recursive: true });
});

const canStop = process.platform !== 'win32';
if (!canStop) console.warn('skipped: Windows has no SIGSTOP');

it.skipIf(!canStop)(
  'a bridge that is stopped for a while, and goes on, judges no device, no subscriber and no command by it',
  { timeout: 120_000 },
  async () => {
    let asked = false;
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        if (data.includes(ASKS_TIME)) asked = true;
        else socket.write(data.equals(BEAT) ? BEAT_REPLY : REGISTER_REPLY);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await writeFile(join(folder, 'devices.yaml'), YAML((server.address() as AddressInfo).port));
    using program = new RunningProgram(['run', 'devices.yaml', '--no-watch'], folder);
    const url = await program.said(/is at (http\S+)/);
    const port = Number(await program.said(/dial in at \S+:(\d+)/));

    const dialsIn = connect(port, '127.0.0.1').on('error', () => undefined);
    sockets.push(dialsIn);
    dialsIn.write(encodeFrame(registerRequest({ appid: APPID, imei: '490154203237518' })));
    let beats = 0;
    const beating = setInterval(() => {
      beats++;
      dialsIn.write(BEAT);
    }, INTERVAL_MS / 2);
    try {
      const feed = new WebSocket(`${url.replace('http', 'ws')}/ws`);
      const heard: string[] = [];
      feed.on('message', (data) => void heard.push(String(data)));
      await once(feed, 'open');
      feed.send('{"type":"subscribe","topics":["devices/+/state"]}');
      const online = () => heard.join('\n').match(/"status":"online"/g)?.length ?? 0;
      await expect.poll(online, { timeout: 30_000 }).toBeGreaterThanOrEqual(2);

      feed.send('{"type":"command","id":"7","device":"dialled","message":"datetime","timeout_ms":2000}');
      await expect.poll(() => asked, { timeout: 30_000 }).toBe(true);
      heard.length = 0;
      program.child.kill('SIGSTOP');
      const stoppedAt = beats;
      sockets[0]?.write(encodeFrame(datetimeReply('2026-01-01 00:00:00')));
      const enough = stoppedAt + STOPPED_MS / (INTERVAL_MS / 2);
      await expect.poll(() => beats, { timeout: 60_000 }).toBeGreaterThanOrEqual(enough);
      program.child.kill('SIGCONT');

      const later = beats;
      // Two intervals behind it all verdicts are there.
      await expect.poll(() => beats, { timeout: 60_000 }).toBeGreaterThanOrEqual(later + 4);
      const said = heard.join('\n');
      expect(said).toMatch(/"reply_to":"7","result":{"error":0,"fields":{"datetime"/);
      expect(said).not.toMatch(/"status":"(stale|offline|registering)"/);
      expect(said).not.toContain('command_timeout');
      expect(program.out + program.err).not.toMatch(/silent|timeout|link_closed/);
      expect(feed.readyState).toBe(WebSocket.OPEN);
      feed.terminate();
    } finally {
      clearInterval(beating);
    }
  },
);
