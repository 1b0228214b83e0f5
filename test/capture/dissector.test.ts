import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { luaDissector } from '../../src/capture/dissector.ts';
import { RowMaker } from '../../src/capture/export-rows.ts';
import { PcapngExport } from '../../src/capture/pcapng.ts';
import { builtinMessages } from '../../src/protocol/builtin.ts';
import { builtinDeclaration } from '../../src/protocol/declared/builtin.ts';
import { DEFAULT_PROTOCOL } from '../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import { traceFixture, traceText } from '../../src/testing/index.ts';
import { needs } from '../support/needs.ts';

const tshark = needs('tshark');

it('knows the built-in messages in their lengths', () => {
  const declared = new DeclaredProtocol(builtinDeclaration()).messages;
  const lengths = declared.map(({ name, id, forms }) => [
    name,
    id,
    ...forms.map(({ maxLength }) => maxLength),
  ]);
  const builtin = builtinMessages().map(({ name, id, shapes }) => {
    const longest = (kind: string) =>
      Math.max(...shapes.filter((shape) => shape.kind === kind).map(({ maxLength }) => maxLength));
    return [name, id, longest('request'), longest('reply')];
  });
  expect(lengths).toEqual(builtin);
});

const TELEMETRY = {
  ...DEFAULT_PROTOCOL,
  enums: { mode: { '0': 'idle', '1': 'heating' } },
  messages: [
    {
      name: 'telemetry',
      id: 0x10,
      from: 'device',
      reply: 'none',
      fields: [
        { name: 'uptime', type: 'u32', unit: 's' },
        { name: 'temperature', type: 'i16', scale: 0.01, unit: '°C' },
        { name: 'mode', type: 'u8', enum: 'mode' },
        {
          name: 'status',
          type: 'u8',
          bits: [
            { name: 'door_open', at: 0 },
            { name: 'fan', at: '2..3' },
          ],
        },
        { name: 'channels', type: 'array', count: 'u8', of: { type: 'i16le' } },
        { name: 'label', type: 'text', length: 'u8', encoding: 'utf8' },
        { name: 'crc', type: 'crc', algorithm: 'crc-32' },
      ],
    },
  ],
} as const;

/** Fields whose length stands nowhere, and one that takes the rest in front of a structure. */
const ODD = {
  ...DEFAULT_PROTOCOL,
  messages: [
    {
      name: 'odd',
      id: 0x20,
      from: 'device',
      reply: 'none',
      fields: [
        { name: 'head', type: 'text', value: 'OK', terminator: 13 },
        { name: 'mark', type: 'bytes', value: '0xdd03' },
        { type: 'reserved' },
        { name: 'small', type: 'i8' },
        { name: 'ubx', type: 'crc', algorithm: 'ubx' },
        { name: 'x25', type: 'crc', algorithm: 'x-25' },
        { name: 'list', type: 'array', count: 'rest', of: { type: 'u8' } },
        { name: 'last', type: 'struct', fields: [{ name: 'deep', type: 'u16' }] },
      ],
    },
  ],
} as const;

describe.runIf(tshark.run)('tshark', () => {
  function fieldsOf(trace: ReturnType<typeof traceFixture>, fields: readonly string[]): string[][] {
    const folder = mkdtempSync(join(tmpdir(), 'heartwire-'));
    const rows = new RowMaker(trace.head);
    const writer = new PcapngExport(trace.head);
    const blocks = [...trace.events.flatMap((event) => rows.take(event)), ...rows.finish()].flatMap((row) =>
      writer.row(row),
    );
    const [capture, script] = [join(folder, 'x.pcapng'), join(folder, 'x.lua')];
    writeFileSync(capture, Buffer.concat([writer.begin(), ...blocks]));
    writeFileSync(script, luaDissector([builtinDeclaration(), TELEMETRY, ODD]));
    const asked = fields.flatMap((field) => ['-e', field]);
    const args = [
      '-X',
      `lua_script:${script}`,
      '-r',
      capture,
      '-T',
      'fields',
      '-E',
      'separator=|',
      '-E',
      'occurrence=a',
      '-E',
      'aggregator=,',
      ...asked,
    ];
    const out = execFileSync(tshark.path, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('|'));
  }

  it.each(['client-normal', 'server-normal', 'serial-noise', 'garbled-stream', 'takeover'])(
    'reads %s as we do',
    (name) => {
      const trace = traceFixture(new URL(`../../fixtures/traces/${name}.trace`, import.meta.url));
      const rows = new RowMaker(trace.head);
      const ours = [...trace.events.flatMap((event) => rows.take(event)), ...rows.finish()]
        .filter(({ kind }) => kind !== undefined && kind !== 'invalid')
        .map(({ atUs, direction, what, kind, error, fields }) => [
          ((trace.head.startMs * 1_000 + atUs) / 1e6).toFixed(6),
          direction === 'in' ? '0x00000001' : '0x00000002',
          what,
          kind,
          error === undefined ? '' : String(error),
          ...['appid', 'imei', 'datetime'].map((key) => String(fields?.[key] ?? '')),
        ]);
      const theirs = fieldsOf(trace, [
        'frame.time_epoch',
        'frame.packet_flags_direction',
        'heartwire.message',
        'heartwire.kind',
        'heartwire.error',
        'heartwire.register.appid',
        'heartwire.register.imei',
        'heartwire.datetime.datetime',
      ]).filter(([, , message]) => message !== '');
      expect(theirs.map(([time = '', ...rest]) => [Number(time).toFixed(6), ...rest])).toEqual(ours);
      if (name !== 'garbled-stream') expect(ours.length).toBeGreaterThan(2);
    },
  );

  it('reads declared messages, fields of every kind', () => {
    const trace = traceText(`
      #meta device=p1 role=server
      0 c1 = open 10.0.0.7:1
      1 c1 < 00000017 10 00000e10 0909 01 09 02 0100 feff 04 "b\\xc3\\xa9!" 00000000
    `);
    const [row] = fieldsOf(trace, [
      'heartwire.telemetry.uptime',
      'heartwire.telemetry.temperature',
      'heartwire.telemetry.mode',
      'heartwire.telemetry.status.door_open',
      'heartwire.telemetry.status.fan',
      'heartwire.telemetry.channels',
      'heartwire.telemetry.label',
    ]).slice(-1);
    expect(row).toEqual(['3600', '2313', '1', '1', '2', '1,-2', 'bé!']);
  });

  it('finds fields behind those whose length is not written down', () => {
    const payload = new DeclaredProtocol(ODD).encode('odd', {
      small: -3,
      list: [7, 8, 9],
      last: { deep: 515 },
    });
    const hex = Buffer.from(payload).toString('hex');
    const trace = traceText(`
      #meta device=p1 role=server
      0 c1 = open 10.0.0.7:1
      1 c1 < ${payload.length.toString(16).padStart(8, '0')} ${hex}
    `);
    const names = ['head', 'mark', 'small', 'ubx', 'x25', 'list', 'last.deep'];
    const [row] = fieldsOf(
      trace,
      names.map((name) => `heartwire.odd.${name}`),
    ).slice(-1);
    expect(row).toEqual(['OK\\r', 'dd03', '-3', hex.slice(16, 20), hex.slice(20, 24), '7,8,9', '515']);
  });
});
