import { array, assert, boolean, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadMessages, looksLikeMessages } from '../../src/config/messages/load-messages.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import { hexText } from '../../src/protocol/describe.ts';
import { makeFraming } from '../../src/protocol/framing/make-framing.ts';

const head = 'version: 1\nprotocol: modbus-rtu\n';

function load(text: string, address = 17): DeclaredProtocol {
  const { protocol, problems } = loadMessages(text, 'map.yaml');
  expect(problems.map(formatProblem)).toEqual([]);
  if (protocol === undefined) throw new Error('no messages');
  return protocol.at(address);
}

const map = (...registers: readonly string[]): string =>
  `${head}registers:\n${registers.map((each) => `  - { ${each} }\n`).join('')}`;

const wrong = (text: string): readonly string[] => loadMessages(text, 'map.yaml').problems.map(formatProblem);

const wire = (protocol: DeclaredProtocol, name: string, value?: unknown): string =>
  hexText(
    makeFraming(protocol.declaration.framing).encode(
      protocol.encode(name, value === undefined ? {} : { value: value as never }),
    ),
  );

/** What is asked, as `name every`. */
const asked = (text: string): readonly string[] =>
  (load(text).declaration.polls ?? []).map(({ message, everyMs }) => `${message} ${everyMs}`);

describe('a register map', () => {
  it('takes no reply in which something else stands than must', () => {
    const protocol = load(map('name: model, at: holding:70, value: 103', 'name: power, at: holding:71'), 1);
    const decoded = (hex: string) => {
      const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
      return protocol.decode(bytes, 0, bytes.length, 'device');
    };
    expect(decoded('0103040067000a')).toMatchObject({ message: 'read_holding_70', fields: { power: 10 } });
    expect(decoded('0103040066000a').name).not.toBe('declared');
  });

  it('asks in the bytes of the specification of Modbus, which has these examples', () => {
    // MODBUS Application Protocol Specification V1.1b3, sections 6.1 to 6.12; the checksums are those of RTU.
    const protocol = load(
      map(
        ...Array.from({ length: 3 }, (_, i) => `name: h${i}, at: "holding:${107 + i}"`),
        'name: i, at: input:8',
        ...Array.from({ length: 19 }, (_, i) => `name: c${i}, at: "coil:${19 + i}"`),
        'name: w, at: holding:1, type: u32, write: true',
        'name: v, at: holding:200, write: true',
        'name: k, at: coil:172, write: true',
      ),
    );
    const pdu = (name: string, value?: unknown) => wire(protocol, name, value).slice(2, -4);
    expect(pdu('read_holding_107')).toBe('03006b0003');
    expect(pdu('read_input_8')).toBe('0400080001');
    expect(pdu('read_coils_19')).toBe('0100130013');
    expect(pdu('write_k', true)).toBe('0500acff00');
    expect(pdu('write_v', 3)).toBe('0600c80003');
    expect(pdu('write_w', 0x000a0102)).toBe('100001000204000a0102');
    const reply = Uint8Array.from(Buffer.from('110306022b00000064', 'hex'));
    expect(protocol.decode(reply, 0, reply.length, 'device')).toMatchObject({
      message: 'read_holding_107',
      fields: { h0: 0x022b, h1: 0, h2: 0x64 },
    });
    const coils = Uint8Array.from(Buffer.from('110103cd6b05', 'hex'));
    const { fields } = protocol.decode(coils, 0, coils.length, 'device') as {
      fields: Record<string, boolean>;
    };
    expect(Object.values(fields).map(Number).join('')).toBe('1011001111010110101');
    expect(wire(load(map('name: a, at: holding:0'), 1), 'read_holding_0')).toBe('010300000001840a');
  });

  it('reads neighbours of one pace together, up to the limits', () => {
    expect(asked(map('name: a, at: input:0', 'name: b, at: input:1', 'name: c, at: input:3'))).toEqual([
      'read_input_0 5000',
      'read_input_3 5000',
    ]);
    expect(
      asked(`${map('name: a, at: input:0', 'name: b, at: input:3, type: f32')}max_gap: 2\nevery: 1s\n`),
    ).toEqual(['read_input_0 1000']);
    expect(asked(map('name: a, at: input:0, every: 1s', 'name: b, at: input:1, every: 2s'))).toEqual([
      'read_input_0 1000',
      'read_input_1 2000',
    ]);
    const many = Array.from({ length: 126 }, (_, i) => `name: r${i}, at: "input:${i}"`);
    expect(asked(map(...many))).toEqual(['read_input_0 5000', 'read_input_125 5000']);
    expect(asked(`${map(...many.slice(0, 20))}max_read: 10\n`)).toEqual([
      'read_input_0 5000',
      'read_input_10 5000',
    ]);
    // A value is never cut in two.
    const wide = Array.from({ length: 5 }, (_, i) => `name: r${i}, at: "input:${2 * i}", type: u32`);
    expect(asked(`${map(...wide)}max_read: 5\n`)).toEqual([
      'read_input_0 5000',
      'read_input_4 5000',
      'read_input_8 5000',
    ]);
    expect(asked(map('name: a, at: holding:0, write: true, read: false', 'name: b, at: coil:1'))).toEqual([
      'read_coils_1 5000',
    ]);
  });

  it('gives no reply a name that another request could have asked for', () => {
    const protocol = load(
      map('name: a, at: input:0', 'name: b, at: input:7', 'name: c, at: input:9, type: u32'),
    );
    const reply = Uint8Array.from([17, 4, 2, 0, 5]);
    expect(protocol.decode(reply, 0, 5, 'device')).toMatchObject({
      name: 'unknown',
      answers: ['read_input_0', 'read_input_7'],
    });
    const wide = Uint8Array.from([17, 4, 4, 0, 5, 0, 6]);
    expect(protocol.decode(wide, 0, 7, 'device')).toMatchObject({ fields: { c: 0x50006 } });
  });

  it.each([
    ['name: a, at: input:0, write: true', '4:', 'can only be read'],
    ['name: a, at: discrete:0, write: true', '4:', 'can only be read'],
    ['name: a, at: "40017"', '4:', 'write holding:16'],
    ['name: a, at: input', '4:', 'is no place'],
    ['name: a, at: input:65536', '4:', 'is no place'],
    ['name: a, at: input:65535, type: u32', '4:', 'beyond 65535'],
    ['name: a, at: input:0, type: u8', '4:', 'A register has 16 bits'],
    ['name: a, at: input:0, type: real', '4:', 'There is no type `real`'],
    ['name: a, at: input:0, type: text, length: 3', '4:', 'even number of bytes'],
    ['name: a, at: coil:0, type: u16', '4:', 'true or false'],
    ['name: a, at: coil:0, scale: 2', '4:', '`scale` has no meaning'],
    ['name: a, at: input:0, enum: nothing', '4:', 'nothing'],
    ['name: a, at: input:0, range: [5, 1]', '4:', ''],
    ['name: 1a, at: input:0', '4:', ''],
    ['name: a, at: input:0, tipe: u16', '4:', 'Did you mean `type`?'],
    ['at: input:0', '4:', 'missing'],
  ])('refuses { %s }, or says what it means', (register, line, text) => {
    const problems = wrong(map(register));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^map\\.yaml:${line}\\d+: error: registers\\[0\\]`));
    expect(problems[0]).toContain(text);
  });

  it('names both registers that overlap, and both that have one name', () => {
    const [overlap] = wrong(map('name: a, at: input:0, type: f32', 'name: b, at: input:1'));
    expect(overlap).toBe(
      'map.yaml:5:20: error: registers[1].at: It overlaps `a`, which takes input:0 to 1 (seen: input:1). It takes input:1 itself: correct one of the addresses or types.',
    );
    expect(wrong(map('name: a, at: input:0', 'name: a, at: input:1'))).toEqual([
      expect.stringContaining('registers[1].name: registers[0] has the same name'),
    ]);
    // A long one covers several, also those behind the next.
    expect(
      wrong(map('name: a, at: input:0, type: u64', 'name: b, at: input:1', 'name: c, at: input:3')),
    ).toHaveLength(2);
  });

  it('is refused where it is no map', () => {
    expect(wrong('version: 1\nprotocol: modbus-rtu\nregisters: []\n')).toHaveLength(1);
    expect(wrong('version: 1\nprotocol: modbus-rtu\n')).toHaveLength(1);
    expect(wrong('version: 1\nprotocol: modbus\nregisters: [{ name: a, at: input:0 }]\n')).toEqual([
      expect.stringContaining('modbus-rtu'),
    ]);
    expect(wrong(`${map('name: a, at: input:0')}messages: []\n`)).toHaveLength(1);
    expect(looksLikeMessages(map('name: a, at: input:0'))).toBe(true);
  });

  it('of ten thousand registers is taken in a second or two, and one more is refused', {
    timeout: 30_000,
  }, () => {
    const many = (count: number) =>
      map(...Array.from({ length: count }, (_, i) => `name: r${i}, at: "input:${i}"`));
    expect(asked(many(10_000))).toHaveLength(80);
    expect(wrong(many(10_001))).toEqual([expect.stringContaining('at most 10000 are taken')]);
    const scattered = map(...Array.from({ length: 5_000 }, (_, i) => `name: r${i}, at: "input:${2 * i}"`));
    expect(wrong(scattered)).toEqual([expect.stringContaining('messages')]);
  });

  it('gives back what a device would say, of every kind of register', () => {
    const kinds = record({
      type: constantFrom('u16', 'i16', 'u32', 'i32', 'coil', 'discrete'),
      gap: integer({ min: 0, max: 3 }),
      value: integer({ min: 0, max: 30_000 }),
      on: boolean(),
    });
    assert(
      property(array(kinds, { minLength: 1, maxLength: 40 }), integer({ min: 0, max: 4 }), (all, maxGap) => {
        const next = { holding: 0, coil: 0, discrete: 0 };
        const lines: string[] = [];
        const wanted: Record<string, number | boolean> = {};
        for (const [index, { type, gap, value, on }] of all.entries()) {
          const bit = type === 'coil' || type === 'discrete';
          const table = bit ? type : 'holding';
          next[table] += gap;
          lines.push(`name: r${index}, at: "${table}:${next[table]}"${bit ? '' : `, type: ${type}`}`);
          next[table] += type.endsWith('32') ? 2 : 1;
          wanted[`r${index}`] = bit ? on : value;
        }
        const protocol = load(`${map(...lines)}max_gap: ${maxGap}\n`);
        const seen: Record<string, unknown> = {};
        for (const { message } of protocol.declaration.polls ?? []) {
          const names = protocol
            .message(message)
            ?.forms[1]?.fields.flatMap(({ name, value }) =>
              name === undefined || value !== undefined ? [] : [name],
            );
          const fields = Object.fromEntries((names ?? []).map((name) => [name, wanted[name] ?? 0]));
          const payload = protocol.encodeReply(message, 0, fields);
          const decoded = protocol.decode(payload, 0, payload.length, 'device', {
            sent: [],
            replies: [{ message, same: {} }],
            awaited: [],
          });
          if (decoded.name === 'declared') Object.assign(seen, decoded.fields);
        }
        expect(seen).toEqual(wanted);
      }),
      { numRuns: 60 },
    );
  });
});
