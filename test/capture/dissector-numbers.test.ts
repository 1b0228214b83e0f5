import { describe, expect, it } from 'vitest';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import type { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import type { TraceFact, TraceHead } from '../../src/trace/event.ts';
import { bytesOf } from '../protocol/framing/collecting-sink.ts';
import { needs } from '../support/needs.ts';
import { dissected } from '../support/tshark.ts';

const tshark = needs('tshark');
const HEAD: TraceHead = { startMs: 0, meta: { device: 'p1', role: 'server' } };
/** Present where Wireshark, or our dissector, finds something wrong with a packet. */
const WRONG = '_ws.expert.message';

function declared(fields: string): DeclaredProtocol {
  const { protocol, problems } = loadMessages(
    `version: 1\nmessages:\n  - { name: m, id: 16, from: device, reply: none, fields: [${fields}] }\n`,
    'messages.yaml',
  );
  if (protocol === undefined) throw new Error(JSON.stringify(problems));
  return protocol;
}

function frame(hex: string): TraceFact {
  const content = bytesOf(hex);
  const bytes = new Uint8Array(5 + content.length);
  new DataView(bytes.buffer).setUint32(0, 1 + content.length);
  bytes[4] = 16;
  bytes.set(content, 5);
  return { kind: 'in', bytes };
}

/** A field, its bytes, and what Wireshark shows of it. */
const FIELDS: readonly (readonly [string, string, string])[] = [
  ['float, type: f32cdab, unit: V', '077a429b', '77.5146026611328'],
  ['wide, type: f64badc', 'f8bf000000000000', '-1.5'],
  ['half, type: f16', 'c000', '-2'],
  ['words, type: i32cdab', 'fffeffff', '-2'],
  ['signed, type: i16, sign: magnitude, scale: 0.1', '80ff', '-255'],
  ['power, type: i16, scale: { field: power_sf }, unit: W', '1770', '6000'],
  ['power_sf, type: i16', 'ffff', '-1'],
  ['meter, type: bcd, length: 4, byte_order: little, scale: 0.01, unit: kWh', '78563412', '12345678'],
  ['count, type: varint', 'ac02', '300'],
  ['zigzag, type: varint, sign: zigzag', '01', '-1'],
  ['at, type: u32, time: { epoch: 2000 }', '2d9e3900', '765344000'],
  ['clock, type: bcd_time', '260131120000', '260131120000'],
  ['voltage, type: number, length: 8, unit: V', '20203130302e3030', '  100.00'],
  ['last, type: u8', '7e', '126'],
];

describe.runIf(tshark.run)('Wireshark shows', () => {
  it('numbers and times as they are decoded', () => {
    const messages = declared(FIELDS.map(([field]) => `{ name: ${field} }`).join(', '));
    const names = FIELDS.map(([field]) => `heartwire.m.${field.split(',')[0]}`);
    const rows = dissected(tshark.path, HEAD, [frame(FIELDS.map(([, hex]) => hex).join(' '))], messages, [
      ...names,
      WRONG,
    ]);
    expect(rows).toEqual([[...FIELDS.map(([, , shown]) => shown), '']]);
  });
});
