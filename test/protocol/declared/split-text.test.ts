import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { DeclaredProtocol } from '../../../src/protocol/declared/declared-protocol.ts';
import type { Values } from '../../../src/protocol/declared/value.ts';
import { bytesOfText, declaredIn, lines, textOfBytes, wrongIn } from './declared-in-yaml.ts';

const read = (protocol: DeclaredProtocol, text: string) => {
  const bytes = bytesOfText(text);
  const message = protocol.decode(bytes);
  expect(protocol.check(bytes, 0, bytes.length) >= 0).toBe(message.name === 'declared');
  expect(protocol.inspect(bytes).message).toEqual(message);
  return message;
};

/** Reads a text, and writes what was read. */
const again = (protocol: DeclaredProtocol, text: string): string => {
  const message = read(protocol, text);
  if (message.name !== 'declared') throw new Error(JSON.stringify(message));
  return textOfBytes(protocol.encode(message.message, message.fields));
};

describe('columns', () => {
  const gga = declaredIn(
    lines(`  - name: gga
    from: device
    separator: ","
    fields:
      - { name: sentence, type: text, value: GPGGA }
      - { name: time, type: text }
      - { name: latitude, type: text, empty: true }
      - { name: fix, type: text, enum: { "0": none, "1": gps } }
      - { name: age, type: text, empty: true }
      - { name: station, type: text, optional: true }
`),
  );

  test.each<[string, Values]>([
    [
      'GPGGA,123519,4807.038,1,2.5,0000',
      { time: '123519', latitude: '4807.038', fix: 'gps', age: '2.5', station: '0000' },
    ],
    ['GPGGA,123519,,0,', { time: '123519', fix: 'none' }],
    ['GPGGA,,,0,', { time: '', fix: 'none' }],
  ])('%s', (text, fields) => {
    expect(read(gga, text)).toMatchObject({ name: 'declared', fields, issues: [] });
    expect(again(gga, text)).toBe(text);
  });

  test.each<[string, string, string, string]>([
    ['one is missing', 'GPGGA,1,2,1', 'too_short', 'age'],
    ['one is too many', 'GPGGA,1,2,1,3,4,5', 'too_long', ''],
    ['another constant', 'GPRMC,1,2,1,3', 'bad_constant', 'sentence'],
    ['nothing at all', '', 'too_short', 'sentence'],
  ])('%s', (_, text, reason, field) => {
    expect(read(gga, text)).toMatchObject({ name: 'invalid', message: 'gga', reason, field });
  });

  const place = declaredIn(
    lines(`  - name: gll
    from: device
    separator: ","
    fields:
      - { name: sentence, type: text, value: GPGLL }
      - { name: latitude, type: number, angle: ddmm, hemisphere: NS, empty: true }
      - { name: longitude, type: number, angle: dddmm, hemisphere: EW, empty: true, decimals: 2 }
      - { name: valid, type: text }
`),
  );

  test.each<[string, Values]>([
    ['GPGLL,4916.45,N,12311.12,W,A', { latitude: 49.2741666667, longitude: -123.1853333333, valid: 'A' }],
    ['GPGLL,,,,,V', { valid: 'V' }],
  ])('a number takes the column of its sign too: %s', (text, fields) => {
    expect(read(place, text)).toMatchObject({ name: 'declared', fields, issues: [] });
    expect(again(place, text)).toBe(text);
  });

  const gsv = declaredIn(
    lines(`  - name: gsv
    from: device
    separator: ","
    fields:
      - { name: sentence, type: text, value: GPGSV }
      - { name: satellites, type: array, count: rest, of: { type: struct, fields: [{ name: prn, type: text }, { name: snr, type: text, empty: true }] } }
      - { name: band, type: text, optional: true }
`),
  );

  test.each<[string, Values]>([
    ['GPGSV,01,31,02,', { satellites: [{ prn: '01', snr: '31' }, { prn: '02' }] }],
    ['GPGSV,01,31,02,,7', { satellites: [{ prn: '01', snr: '31' }, { prn: '02' }], band: '7' }],
    ['GPGSV,7', { satellites: [], band: '7' }],
    ['GPGSV', { satellites: [] }],
  ])('columns behind a list are no element of it: %s', (text, fields) => {
    expect(read(gsv, text)).toMatchObject({ name: 'declared', fields, issues: [] });
    expect(again(gsv, text)).toBe(text);
  });

  it('has no value where the sign is none, and no message where its column is missing', () => {
    expect(read(place, 'GPGLL,4916.45,X,12311.12,,A')).toMatchObject({
      fields: { valid: 'A' },
      issues: [{ field: 'latitude' }, { field: 'longitude' }],
    });
    expect(read(place, 'GPGLL,4916.45')).toMatchObject({ name: 'invalid', field: 'latitude' });
  });

  it('reports what has no name, and what is empty though it may not be', () => {
    expect(read(gga, 'GPGGA,1,,7,')).toMatchObject({
      fields: { fix: '7' },
      issues: [{ field: 'fix', reason: 'unknown_value' }],
    });
    expect(read(gga, 'GPGGA,1,,,')).toMatchObject({ issues: [{ field: 'fix', reason: 'empty' }] });
    expect(() => gga.encode('gga', { time: '1', fix: '7' })).toThrow(/must be one of none, gps/);
  });

  it('sends nothing that would be read as something else', () => {
    expect(() => gga.encode('gga', { time: '1,2', fix: 'gps' })).toThrow(/must not hold the separator/);
    expect(() => gga.encode('gga', { fix: 'gps' })).toThrow(/time: is missing/);
  });

  it('takes the separator in quotes, and a quote that stands twice', () => {
    const csv = declaredIn(
      lines(
        `  - { name: row, separator: ";", quotes: '"', fields: [{ name: a, type: text }, { name: b, type: text }] }\n`,
      ),
    );
    expect(read(csv, '"x;y";"say ""no"""')).toMatchObject({ fields: { a: 'x;y', b: 'say "no"' } });
    expect(again(csv, '"x;y";"say ""no"""')).toBe('"x;y";"say ""no"""');
    expect(again(csv, 'plain;"a\nb"')).toBe('plain;"a\nb"');
    expect(read(csv, '"x;y')).toMatchObject({ name: 'invalid', reason: 'bad_text', field: 'a' });
    expect(read(csv, '"x"y;z')).toMatchObject({ name: 'invalid', reason: 'bad_text', field: 'a' });
  });

  it('splits within columns, repeats groups of columns, and keeps what is extra', () => {
    const gsv = declaredIn(
      lines(`  - name: gsv
    separator: ","
    fields:
      - { name: head, type: text, prefix: "GPGSV:" }
      - { name: pages, type: struct, separator: "/", fields: [{ name: page, type: text }, { name: of, type: text }] }
      - { name: satellites, type: array, count: rest, of: { type: struct, fields: [{ name: prn, type: text }, { name: snr, type: text, empty: true }] } }
  - { name: kept, separator: " ", extra: keep, fields: [{ name: a, type: text }] }
  - { name: list, separator: "|", fields: [{ name: a, type: array, separator: ";", of: { type: text } }, { name: b, type: text }] }
`),
    );
    const text = 'GPGSV:x,1/2,03,40,17,';
    expect(read(gsv, text)).toMatchObject({
      message: 'gsv',
      fields: {
        head: 'x',
        pages: { page: '1', of: '2' },
        satellites: [{ prn: '03', snr: '40' }, { prn: '17' }],
      },
    });
    expect(again(gsv, text)).toBe(text);
    expect(read(gsv, 'one two three')).toMatchObject({
      message: 'kept',
      fields: { a: 'one', extra: ['two', 'three'] },
    });
    expect(again(gsv, 'one two three')).toBe('one two three');
    expect(textOfBytes(gsv.encode('list', { a: ['1', '2'], b: '3' }))).toBe('1;2|3');
  });

  it('is bounded by what stands in front of it and behind', () => {
    const framed = declaredIn(`messages:
  - name: m
    id: 0x10
    fields:
      - { name: columns, type: struct, separator: ",", fields: [{ name: a, type: text }, { name: b, type: text }] }
      - { name: crc, type: crc, algorithm: crc-16/modbus }
`);
    const bytes = framed.encode('m', { columns: { a: 'x', b: 'yz' } });
    expect(textOfBytes(bytes.subarray(1, -2))).toBe('x,yz');
    expect(framed.decode(bytes)).toMatchObject({ fields: { columns: { a: 'x', b: 'yz' } } });
    expect(framed.decode(bytes.with(2, 0x2e))).toMatchObject({ name: 'invalid' });
  });

  it('sends the first of several texts with one name', () => {
    const output = declaredIn(
      lines(
        '  - { name: m, separator: ",", fields: [{ name: on, type: text, enum: { "1": yes, ON: yes, "0": no } }] }\n',
      ),
    );
    expect(read(output, 'ON')).toMatchObject({ fields: { on: 'yes' }, raw: { on: 'ON' } });
    expect(textOfBytes(output.encode('m', { on: 'yes' }))).toBe('1');
  });

  it('knows a text as a condition', () => {
    const when = declaredIn(
      lines(`  - name: m
    separator: ","
    fields:
      - { name: kind, type: text, enum: { T: temperature, D: door } }
      - { name: door, type: text, when: { field: kind, is: door } }
      - { name: rest, type: text, when: { field: kind, not: [door] } }
`),
    );
    expect(again(when, 'D,open')).toBe('D,open');
    expect(read(when, 'D,open')).toMatchObject({ fields: { kind: 'door', door: 'open' } });
    expect(read(when, 'T,21')).toMatchObject({ fields: { kind: 'temperature', rest: '21' } });
  });
});

describe('keys and values', () => {
  const block = declaredIn(
    lines(`  - name: block
    from: device
    key_value: "\\t"
    separator: "\\r\\n"
    fields:
      - { name: voltage, key: V, type: text, optional: false }
      - { name: current, key: I, type: text }
      - { name: load, key: LOAD, type: text, enum: { ON: on, OFF: off } }
  - name: signal
    key_value: ": "
    fields:
      - { name: csq, key: +CSQ, type: struct, separator: ",", fields: [{ name: rssi, type: text }, { name: ber, type: text }] }
`),
  );

  it('finds each field by its key, in any order, and writes them in that order', () => {
    const text = 'LOAD\tON\r\nV\t12800';
    expect(read(block, text)).toMatchObject({
      fields: { voltage: '12800', load: 'on' },
      raw: { load: 'ON' },
    });
    expect(again(block, text)).toBe(text);
    expect(again(block, '+CSQ: 1,2')).toBe('+CSQ: 1,2');
    expect(read(block, '+CSQ: 1,2')).toMatchObject({
      message: 'signal',
      fields: { csq: { rssi: '1', ber: '2' } },
    });
  });

  it('reports keys that it does not know, and refuses what lacks one or has one twice', () => {
    expect(read(block, 'V\t1\r\nFW\t119')).toMatchObject({
      fields: { voltage: '1' },
      issues: [{ reason: 'unknown_key' }],
    });
    expect(read(block, 'I\t1')).toMatchObject({ name: 'invalid', reason: 'too_short', field: 'voltage' });
    expect(read(block, 'V\t1\r\nV\t2')).toMatchObject({
      name: 'invalid',
      reason: 'bad_count',
      field: 'voltage',
    });
    expect(read(block, 'something else')).toMatchObject({ name: 'invalid' });
    expect(() => block.encode('block', { current: '1' })).toThrow(/voltage: is missing/);
    expect(() => block.encode('block', { voltage: '1', other: '1' })).toThrow(/no such field/);
  });
});

describe('columns of which not even the separator is declared', () => {
  const free = declaredIn(lines('  - { name: line, from: device, columns: auto }\n'));

  test.each<[string, Values]>([
    ['21.5,40.2', { c1: 21.5, c2: 40.2 }],
    ['21.5;40.2;', { c1: 21.5, c2: 40.2 }],
    ['21.5\t40.2', { c1: 21.5, c2: 40.2 }],
    [' 21.5  40.2 ', { c1: 21.5, c2: 40.2 }],
    ['temp=21.5,hum=40', { temp: 21.5, hum: 40 }],
    ['Value:377\tAVG5:431.01', { Value: 377, AVG5: 431.01 }],
    ['a:1 b:2', { a: 1, b: 2 }],
    ['T (°C): 21.5, 7', { T_C: 21.5, c2: 7 }],
    ['12:30:05,21.5', { c1: '12:30:05', c2: 21.5 }],
    ['21,5;40,2', { c1: '21,5', c2: '40,2' }],
    ['ready to measure', { c1: 'ready to measure' }],
    ['__proto__=1,constructor=2', { proto: 1, constructor_: 2 }],
    ['', {}],
  ])('%s', (text, fields) => {
    expect(read(free, text)).toMatchObject({ name: 'declared', message: 'line', fields });
  });

  it('sends commas, and names with =', () => {
    expect(textOfBytes(free.encode('line', { c1: 1, temp: 2.5, c3: 'x' }))).toBe('1,temp=2.5,x');
  });

  it('is bounded', () => {
    for (const separator of [',', ';', '\t'])
      expect(read(free, separator.repeat(1_000))).toMatchObject({ name: 'invalid', reason: 'bad_count' });
    expect(read(free, '1 '.repeat(1_000))).toMatchObject({ name: 'declared' });
  });

  it('knows numbers that are none, and names that come twice', () => {
    expect(read(free, 'a:nan\ta:2')).toMatchObject({ issues: [{ reason: 'not_finite' }] });
    expect(read(free, 'a:1\ta:2')).toMatchObject({ fields: { a: 1 }, issues: [{ reason: 'repeated' }] });
  });
});

describe('columns of which nothing is declared', () => {
  const auto = declaredIn(
    lines(`  - { name: pairs, separator: ",", key_value: "=", columns: auto }
  - { name: line, separator: ",", columns: auto }
`),
  );

  test.each<[string, string, Values]>([
    ['21.5,40.2', 'line', { c1: 21.5, c2: 40.2 }],
    ['-1e3, x ,,007,+5', 'line', { c1: -1000, c2: 'x', c4: '007', c5: 5 }],
    ['9007199254740993', 'line', { c1: '9007199254740993' }],
    ['temp=21.5,hum=40', 'pairs', { temp: 21.5, hum: 40 }],
    ['T (°C)=21.5,__proto__=1,constructor=2', 'pairs', { T_C: 21.5, proto: 1, constructor_: 2 }],
    ['a=b=c', 'pairs', { a: 'b=c' }],
    ['a=1,2', 'line', { c1: 'a=1', c2: 2 }],
    ['1=2', 'line', { c1: '1=2' }],
    ['1=2,a=3', 'line', { c1: '1=2', c2: 'a=3' }],
    ['', 'line', {}],
  ])('%s', (text, message, fields) => {
    expect(read(auto, text)).toMatchObject({ name: 'declared', message, fields });
  });

  it('reports a number that is none, and a key that comes twice', () => {
    expect(read(auto, 'nan,2')).toMatchObject({
      fields: { c2: 2 },
      issues: [{ field: 'c1', reason: 'not_finite' }],
    });
    expect(read(auto, '21.\ufffd,2')).toMatchObject({ issues: [{ field: 'c1', reason: 'bad_text' }] });
    expect(read(auto, 'a=1,a=2')).toMatchObject({
      fields: { a: 1 },
      issues: [{ field: 'a', reason: 'repeated' }],
    });
  });

  it('is bounded', () => {
    expect(read(auto, ','.repeat(1_000))).toMatchObject({ name: 'invalid', reason: 'bad_count' });
  });
});

test('what is encoded comes back, whatever the texts hold', () => {
  const protocol = declaredIn(
    lines(`  - name: m
    separator: ", "
    quotes: "'"
    fields:
      - { name: a, type: text }
      - { name: b, type: text, empty: true }
      - { name: c, type: array, separator: ";", of: { type: text }, prefix: "<", suffix: ">" }
      - { name: d, type: text, optional: true, quoted: true }
`),
  );
  const text = fc.string({ maxLength: 8, unit: fc.constantFrom(',', ' ', "'", 'x', 'é', '\n', '<') });
  const some = text.filter((each) => each !== '');
  const fields = fc.record(
    {
      a: text,
      b: some,
      c: fc.array(
        some.filter((each) => !each.includes("'")),
        { maxLength: 3 },
      ),
      d: some,
    },
    { requiredKeys: ['a', 'c'] },
  );
  fc.assert(
    fc.property(fields, (values) => {
      const bytes = protocol.encode('m', values);
      expect(protocol.decode(bytes)).toMatchObject({ name: 'declared', fields: values, issues: [] });
      expect(protocol.encode('m', values)).toEqual(bytes);
    }),
  );
});

test('any text is a message or a report, cut anywhere, in linear time', () => {
  const protocol = declaredIn(
    lines(`  - { name: p, separator: ";", key_value: ":", quotes: '"', extra: refuse, fields: [{ name: a, type: text }, { name: b, type: text }] }
  - { name: c, separator: ";", quotes: '"', extra: ignore, fields: [{ name: a, type: text, optional: true }, { name: b, type: text, optional: true }] }
`),
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 40, unit: fc.constantFrom(';', ':', '"', 'a', 'b', ' ') }), (text) => {
      const { name } = read(protocol, text);
      expect(['declared', 'invalid']).toContain(name);
    }),
  );
  const bytes = bytesOfText('a;'.repeat(30_000));
  expect(protocol.decode(bytes).name).toBe('declared');
});

test.each<[string, string, string]>([
  ['no fields', 'separator: ","', 'messages[0] config_missing_key'],
  ['quotes alone', "quotes: '\"', fields: []", 'messages[0].quotes config_no_effect'],
  [
    'bytes in a column',
    'separator: ",", fields: [{ name: a, type: u8 }]',
    'messages[0].fields[0].type config_bad_value',
  ],
  [
    'the same twice',
    'separator: ":", key_value: ":", fields: [{ name: a, type: text }]',
    'messages[0].key_value config_conflict',
  ],
  [
    'two keys',
    'key_value: ":", fields: [{ name: a, key: x, type: text }, { name: x, type: text }]',
    'messages[0].fields[1] config_conflict',
  ],
  [
    'a gap',
    'separator: ",", fields: [{ name: a, type: text, optional: true }, { name: b, type: text }]',
    'messages[0].fields[0].optional config_conflict',
  ],
  [
    'a column key elsewhere',
    'fields: [{ name: a, type: text, length: 2, prefix: x }]',
    'messages[0].fields[0].prefix config_no_effect',
  ],
  [
    'both',
    'separator: ",", columns: auto, fields: [{ name: a, type: text }]',
    'messages[0].columns config_conflict',
  ],
])('%s is refused', (_, keys, problem) => {
  expect(wrongIn(lines(`  - { name: m, ${keys} }\n`))).toContain(problem);
});
