import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { RunningProgram } from '../support/running-program.ts';
import { APPID, IMEI, registerRequest } from '../support/session-bench.ts';

let folder: string;
let device: Socket | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-known-'));
});
afterEach(async () => {
  device?.destroy();
  await rm(folder, { recursive: true });
});

const run = (): RunningProgram => new RunningProgram(['run', 'gate.yaml', '--no-watch'], folder);
const urlOf = (program: RunningProgram) => program.said(/is at (http\S+)/);

async function devicesAt(url: string): Promise<unknown> {
  return (await fetch(`${url}/api/devices`)).json();
}

/** One device comes, and the program is told to stop. */
async function oneRun(more = ''): Promise<void> {
  const listener = 'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]';
  await writeFile(join(folder, 'gate.yaml'), `server: { port: 0 }\nhistory: false\n${listener}\n${more}`);
  using program = run();
  const url = await urlOf(program);
  const port = Number(await program.said(/dial in at \S+:(\d+)/));
  device = connect(port, '127.0.0.1');
  device.on('error', () => undefined);
  device.write(encodeFrame(registerRequest({ appid: APPID, imei: IMEI })));
  await expect.poll(async () => JSON.stringify(await devicesAt(url))).toContain('"online"');
  program.child.kill('SIGTERM');
  expect((await program.exited).code).toBe(0);
}

it('a device that dialled in is known by the next run, from a file named for the configuration', async () => {
  await oneRun();
  expect((await readdir(folder)).sort()).toEqual(['gate.known', 'gate.yaml']);
  using program = run();
  const devices = JSON.stringify(await devicesAt(await urlOf(program)));
  expect(devices).toContain(IMEI);
  expect(devices).toContain('"bridge_restarted"');
});

it('a run that keeps no known devices writes no file', async () => {
  await oneRun('known_devices: { keep: false }');
  expect(await readdir(folder)).toEqual(['gate.yaml']);
});
