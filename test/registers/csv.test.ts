import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { runCli } from '../cli/check-io.ts';

const CSV = `Name;Address;Data Type;Factor;Units;Interval;Writable;Range;Enum;More
voltage;30001;float;;V;1s;;;;"{""limits"":{""warn"":[207,253]}}"
setpoint;40017;int16;0.1;°C;;yes;5..45;;
mode;holding:17;;;;;;;0=idle;
;;;;;;;;;
"pump";coil:3;;;;;x;;;
`;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-csv-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function registers(name: string, text: string, ...more: readonly string[]) {
  await writeFile(join(folder, name), text);
  return runCli(['registers', name, ...more], folder);
}

describe('heartwire registers', () => {
  it('makes a map of a table, and the same table of the map', async () => {
    const { code, out, err } = await registers('meter.csv', CSV);
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(`version: 1
protocol: modbus-rtu
registers:
  - { name: voltage, at: input:0, type: f32, unit: V, every: 1s, limits: { warn: [ 207, 253 ] } }
  - { name: setpoint, at: holding:16, type: i16, scale: 0.1, unit: °C, write: true, range: [ 5, 45 ] }
  - { name: mode, at: holding:17, enum: { "0": idle } }
#
  - { name: pump, at: coil:3, write: true }
`);
    const table = await registers('meter.yaml', out);
    expect(table.out).toBe(`name,at,type,scale,offset,unit,every,write,read,range,enum,description,more
voltage,input:0,f32,,,V,1s,,,,,,"{""limits"":{""warn"":[207,253]}}"
setpoint,holding:16,i16,0.1,,°C,,true,,5..45,,,
mode,holding:17,,,,,,,,,0=idle,,
pump,coil:3,,,,,,true,,,,,
`);
    const again = await registers('again.csv', table.out, '--protocol', 'modbus-tcp');
    expect(again.out).toBe(out.replace('#\n', '').replace('modbus-rtu', 'modbus-tcp'));
    expect(loadMessages(again.out, 'x').problems).toEqual([]);
  });

  it.each([
    ['name,at\na,input:0\nb,input:x\n', 'bad.csv:3:1: error: registers[1].at', 2],
    ['name,at\na,input:0\nb,input:0\n', 'bad.csv:3:1: error: registers[1].at: It overlaps `a`', 2],
    ['name,at,scale\na,input:0,many\n', 'Row 2: `scale` is no number', 1],
    ['name,at,colour\na,input:0,red\n', 'Row 1: there is no column "colour"', 1],
    ['name\na\n', 'Row 1: the column `at` is missing', 1],
    ['name,at,write\na,holding:0,perhaps\n', 'Row 2: `write` is neither', 1],
    ['name,at,range\na,holding:0,many\n', 'Row 2: `range` is no range', 1],
    ['name,at,more\na,holding:0,{\n', 'Row 2: `more` is no JSON object', 1],
    ['name,at\na,"input:0\n', 'a quote is not closed', 1],
    ['', 'Row 1: the column `name` is missing', 1],
  ])('says in which row %j is wrong', async (text, message, code) => {
    const outcome = await registers('bad.csv', text);
    expect(outcome.err).toContain(message);
    expect(outcome.code).toBe(code);
  });
});
