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
    `version: 1\nmessages:\n  - { name: m, id: 16, from: device, reply: none, fields: [${fields.replace(/\s+/g, ' ')}] }\n`,
    'messages.yaml',
  );
  if (protocol === undefined) throw new Error(JSON.stringify(problems));
  return protocol;
}

/** The payload behind its length and id. */
function frame(hex: string): TraceFact {
  const content = bytesOf(hex);
  const bytes = new Uint8Array(5 + content.length);
  new DataView(bytes.buffer).setUint32(0, 1 + content.length);
  bytes[4] = 16;
  bytes.set(content, 5);
  return { kind: 'in', bytes };
}

function decoded(messages: DeclaredProtocol, hex: string): unknown {
  const payload = Uint8Array.of(16, ...bytesOf(hex));
  const message = messages.decode(payload, 0, payload.length, 'device');
  return 'fields' in message ? message.fields : message;
}

const TEXTS = `
  { name: plain, type: text, length: u8 },
  { name: little, type: text, encoding: utf16le, terminator: 0 },
  { name: big, type: text, encoding: utf16be, terminator: 13 },
  { name: latin, type: text, encoding: latin1, length: u8 },
  { name: padded, type: text, length: 6, pad: 32 },
  { name: wide, type: text, encoding: utf16be, length: 6, pad: 95 },
  { name: last, type: u8 }`;

const CONDITIONS = `
  { name: mode, type: u8, enum: { 0: idle, 5: run, 6: walk } },
  { name: flags, type: u8, bits: [{ name: hi, at: 7 }, { name: gear, at: "0..1", enum: { 0: neutral, 2: second } }] },
  { name: part, type: struct, fields: [
    { name: mode, type: u8, when: { field: mode, is: [run, walk] } },
    { name: inner, type: struct, fields: [
      { name: of_bit, type: u8, when: { field: flags.hi, is: true } },
      { name: of_gear, type: u8, when: { field: flags.gear, not: second } },
      { name: of_inner, type: u8, when: { field: mode, not: 9 } }] }] },
  { name: of_outer, type: u8, when: { field: mode, is: idle } },
  { name: list, type: array, count: u8, of: { type: struct, fields: [
    { name: kind, type: u8 },
    { name: size, type: u8, when: { field: kind, is: 1 } },
    { name: large, type: u8, when: { field: size, is: 7 } }] } },
  { name: tail, type: struct, fields: [{ name: data, type: bytes, length: rest }] },
  { name: sum, type: u16 }`;

const names = (paths: string): string[] => paths.split(' ').map((path) => `heartwire.m.${path}`);

describe.runIf(tshark.run)('tshark with our dissector', () => {
  it('reads text in UTF-8 where no encoding is declared, and in units of two bytes in UTF-16', () => {
    const messages = declared(TEXTS);
    // Within `little` two bytes of zero lie across units; in `big` 0d is the first byte of a letter.
    const hex = '03 e282ac 4a00 0001 0000 00c4 0d41 000d 02e9e8 616220202020 00e9005f005f 07';
    const fields = [...names('plain little big latin padded wide last'), WRONG];
    expect(dissected(tshark.path, HEAD, [frame(hex)], messages, fields)).toEqual([
      ['€', 'JĀ', 'Ä\u0d41', 'éè', 'ab', 'é', '7', ''],
    ]);
    expect(decoded(messages, hex)).toMatchObject({
      little: 'JĀ',
      big: 'Ä\u0d41',
      latin: 'éè',
      padded: 'ab',
      wide: 'é',
    });
  });

  it('marks text that no terminator ends', () => {
    const messages = declared('{ name: t, type: text, encoding: utf16le, terminator: 0 }');
    const rows = dissected(tshark.path, HEAD, [frame('410000'), frame('41000000')], messages, [
      'heartwire.m.t',
      WRONG,
    ]);
    expect(rows).toEqual([
      ['', 'invalid: t at 1: expected 4 bytes, saw 3 bytes,The frame ends inside a field'],
      ['A', ''],
    ]);
  });

  it('decides about fields by enums and bits of the structures around, as we do', () => {
    const messages = declared(CONDITIONS);
    const frames = [
      // An inner `mode` of 9, and one that hides the outer `mode` from the fields beside it.
      '05 82 09 01 00 02 0107 0a 00 aabb 1234',
      '05 82 03 01 02 02 0107 0b 00 aabb 1234',
      // An absent inner `mode` answers no question.
      '00 00 04 08 01 00 cc 1234',
    ];
    const fields = [
      ...names('mode part.mode part.inner.of_bit part.inner.of_gear part.inner.of_inner of_outer'),
      ...names('list.kind list.size list.large tail.data sum'),
      WRONG,
    ];
    const rows = dissected(tshark.path, HEAD, frames.map(frame), messages, fields);
    expect(rows).toEqual([
      ['5', '9', '1', '', '', '', '', '', '', '0201070a00aabb', '4660', ''],
      ['5', '3', '1', '', '2', '', '1,0', '7', '11', 'aabb', '4660', ''],
      ['0', '', '', '4', '', '8', '0', '', '', 'cc', '4660', ''],
    ]);
    expect(frames.map((hex) => decoded(messages, hex))).toMatchObject([
      { part: { mode: 9, inner: { of_bit: 1 } }, list: [], tail: { data: { len: 7 } }, sum: 4660 },
      {
        part: { mode: 3, inner: { of_bit: 1, of_inner: 2 } },
        list: [{ kind: 1, size: 7, large: 11 }, { kind: 0 }],
        tail: { data: { len: 2 } },
      },
      { part: { inner: { of_gear: 4 } }, of_outer: 8, list: [{ kind: 0 }], tail: { data: { len: 1 } } },
    ]);
  });

  it('finds nothing wrong with notes and the life of a link', () => {
    const facts: readonly TraceFact[] = [
      { kind: 'life', word: 'open', detail: '10.0.0.7:1' },
      { kind: 'note', text: 'wiggled the cable' },
      frame('07'),
      { kind: 'expect', expectation: { kind: 'message', message: 'm', fields: {} } },
      { kind: 'life', word: 'close', detail: 'link_closed The peer closed.' },
    ];
    const rows = dissected(tshark.path, HEAD, facts, declared('{ name: x, type: u8 }'), [
      '_ws.col.Info',
      '_ws.malformed',
      'heartwire.strange',
    ]);
    expect(rows).toEqual([
      ['= open 10.0.0.7:1', '', ''],
      ['* wiggled the cable', '', ''],
      ['m notice', '', ''],
      ['? m {}', '', ''],
      ['= close link_closed The peer closed.', '', ''],
    ]);
  });
});
