import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { readConfig } from '../../src/config/read.ts';
import { systemClock } from '../../src/system/clock.ts';
import { DeviceWatcher } from '../support/device-watcher.ts';
import { type ModbusKind, ModbusSlave } from './modbus-slave.ts';

const REGISTERS = `enums: { mode: { 0: idle, 1: heating } }
registers:
  - { name: voltage, at: input:0, type: f32, unit: V, every: 200ms, limits: { warn: [207, 253] } }
  - { name: setpoint, at: holding:16, type: i16, scale: 0.1, unit: "°C", write: true, range: [-5, 45], every: 4s }
  - { name: mode, at: holding:17, enum: mode, write: true, every: 4s }
  - { name: energy, at: holding:20, type: u32, write: true, every: 4s }
  - { name: running, at: coil:3, write: true, every: 4s }
  - { name: pump, at: coil:12, every: 200ms }
  - { name: door, at: discrete:9, every: 200ms }
`;
const SET = [
  'input 0 0x4366',
  'input 1 0x3334',
  'holding 16 0xffce',
  'holding 17 1',
  'coil 12 1',
  'discrete 9 1',
];

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-registers-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function bridgeTo(port: number, kind: ModbusKind): Promise<Bridge> {
  await writeFile(join(dir, 'map.yaml'), `version: 1\nprotocol: modbus-${kind}\n${REGISTERS}`);
  const line = kind === 'rtu' ? 'line: serial, gap: 50ms,' : '';
  const device = `{ id: m, link: "tcp:127.0.0.1:${port}", ${line} request_timeout: 1s, late_window: 500ms, turnaround: 2ms, silence: 20s, messages: map.yaml }`;
  await writeFile(join(dir, 'devices.yaml'), `server: { port: 0 }\ndevices:\n  - ${device}\n`);
  const { config, problems } = await readConfig(join(dir, 'devices.yaml'), 'devices.yaml');
  expect(problems.map(formatProblem)).toEqual([]);
  if (config === undefined) throw new Error('no configuration');
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return new Bridge({ config, clock: systemClock, log, version: '0.0.0-test' });
}

describe.each(['rtu', 'tcp', 'ascii'] as const)('a Modbus slave over %s', (kind) => {
  const TIMES = { timeout: 45_000 };

  it('gives its registers under their names, and takes commands that are read back', TIMES, async () => {
    await using slave = await ModbusSlave.start(kind, ...SET);
    await using bridge = await bridgeTo(slave.port, kind);
    const { url } = await bridge.start();
    await using watcher = await DeviceWatcher.connect(url, ['devices/+/state', 'devices/+/stats']);
    const values = () => (watcher.document('devices/m/state')?.values as Record<string, unknown>) ?? {};
    const registers = () => values().registers;
    await expect.poll(registers, { timeout: 20_000 }).toEqual({
      voltage: 230.20001,
      setpoint: -5,
      mode: 'heating',
      energy: 0,
      running: false,
      pump: true,
      door: true,
    });
    const send = async (id: string, message: string, value: unknown) => {
      watcher.send({ type: 'command', id, device: 'm', message, fields: { value }, timeout_ms: 5_000 });
      return (await watcher.reply(id)).payload;
    };
    expect(await send('c1', 'write_setpoint', 22.5)).toMatchObject({ result: { observed: true } });
    expect(await send('c2', 'write_mode', 'idle')).toMatchObject({ result: { observed: true } });
    expect(await send('c3', 'write_energy', 70_000)).toMatchObject({ result: { observed: true } });
    expect(await send('c4', 'write_running', true)).toMatchObject({ result: { observed: true } });
    expect(slave.writes).toEqual([
      'wrote holding 16 [225]',
      'wrote holding 17 [0]',
      'wrote holding 20 [1, 4464]',
      'wrote coil 3 [1]',
    ]);
    await expect
      .poll(registers)
      .toMatchObject({ setpoint: 22.5, mode: 'idle', energy: 70_000, running: true });
    expect(Object.keys(values())).toEqual(['registers']);
    expect(await send('c5', 'write_setpoint', 46)).toMatchObject({ code: 'bad_field_value' });
    await slave.set('input 0 0x4300');
    await expect
      .poll(() => watcher.document('devices/m/state')?.quality)
      .toEqual({ 'registers.voltage': 'warn' });
    await slave.set('behave exception 2');
    expect(await send('c6', 'write_mode', 'heating')).toMatchObject({
      code: 'request_rejected',
    });
    await slave.set('behave exception 99');
    expect(JSON.stringify(await send('c7', 'write_mode', 'heating'))).toContain('99');
  });

  it.each(['foreign', 'short', 'long'])('that answers in a %s way gives no value', TIMES, async (how) => {
    await using slave = await ModbusSlave.start(kind, ...SET, `behave ${how}`);
    await using bridge = await bridgeTo(slave.port, kind);
    const { url } = await bridge.start();
    await using watcher = await DeviceWatcher.connect(url, ['devices/+/state', 'devices/+/stats']);
    const stats = () => Number(watcher.document('devices/m/stats')?.timeouts ?? 0);
    const invalid = () => Number(watcher.document('devices/m/stats')?.invalid ?? 0);
    await expect.poll(() => stats() + invalid(), { timeout: 10_000 }).toBeGreaterThan(0);
    expect(watcher.document('devices/m/state')?.values).toBeUndefined();
    await slave.set('behave normal');
    await expect
      .poll(() => JSON.stringify(watcher.document('devices/m/state')?.values), { timeout: 15_000 })
      .toContain('"voltage":230.20001');
  });
});
