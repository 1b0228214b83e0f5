import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FieldDeclaration, TextEncoding } from '../../../src/protocol/declared/declaration.ts';
import { complaints, decoded, encoded, protocolOf } from './declared-case.ts';

type Field = Omit<FieldDeclaration, 'name' | 'type'>;

const of = (field: Field) => protocolOf([{ ...field, name: 't', type: 'text' }]);

describe('charsets', () => {
  test.each<[TextEncoding, string, string]>([
    ['gbk', '京A12345', 'bea9413132333435'],
    ['gbk', '温度', 'cec2b6c8'],
    ['gbk', '€', '80'],
    ['gb18030', '€', 'a2e3'],
    ['gb18030', '😀', '9439fc36'],
    ['big5', '溫度', 'b7c5abd7'],
    ['big5', '十', 'a451'],
    ['shift_jis', '温度ｱ', '89b79378b1'],
    ['euc_kr', '온도', 'bfc2b5b5'],
    ['cp1251', 'Ток', 'd2eeea'],
    ['cp1252', '20 °C €', '323020b0432080'],
  ])('%s: %s', (encoding, text, hex) => {
    expect(decoded(of({ encoding, length: 'rest' }), hex)).toMatchObject({
      fields: { t: text },
      issues: [],
      found: true,
    });
    expect(encoded(of({ encoding, length: 'rest' }), { t: text })).toBe(hex);
  });

  test.each<[TextEncoding, string]>([
    ['gbk', '😀'],
    ['big5', 'ж\u{20000}'],
    ['cp1252', '温'],
  ])('%s cannot carry %s', (encoding, text) => {
    expect(() => encoded(of({ encoding, length: 'rest' }), { t: text })).toThrow(
      `must be text that ${encoding} can carry`,
    );
  });

  test('a character that is cut is an issue, and the message counts', () => {
    expect(decoded(of({ encoding: 'gbk', length: 3 }), 'cec2b6')).toMatchObject({
      fields: { t: '温\ufffd' },
      issues: ['t bad_text: not all of cec2b6 is text in gbk'],
      found: true,
    });
  });

  test('a byte within a character ends no text', () => {
    // The second byte of this character is that of a vertical bar.
    const field: Field = { encoding: 'gbk', terminator: 0x7c };
    expect(decoded(of(field), '867c7c').fields).toEqual({ t: '唡' });
    expect(encoded(of(field), { t: '唡' })).toBe('867c7c');
    expect(() => encoded(of(field), { t: 'a|b' })).toThrow('must not hold the byte that ends it');
  });

  test.each<TextEncoding>(['gbk', 'gb18030', 'big5', 'shift_jis', 'euc_kr', 'cp1250', 'cp1252'])(
    '%s has every byte of ASCII as itself, control codes too',
    (encoding) => {
      const protocol = of({ encoding, length: 'rest' });
      const ascii = Uint8Array.from({ length: 127 }, (_, at) => at + 1);
      const text = String.fromCharCode(...ascii);
      expect(decoded(protocol, Buffer.from(ascii).toString('hex')).fields).toEqual({ t: text });
    },
  );

  test('law: all that a platform decodes from it is encoded to what decodes the same', () => {
    const encodings = fc.constantFrom<TextEncoding>(
      'gbk',
      'gb18030',
      'big5',
      'shift_jis',
      'euc_kr',
      'cp1250',
      'cp1256',
    );
    fc.assert(
      fc.property(encodings, fc.uint8Array({ maxLength: 12 }), (encoding, bytes) => {
        const protocol = of({ encoding, length: 'rest' });
        const { fields, issues } = decoded(protocol, Buffer.from(bytes).toString('hex'));
        const text = String(fields.t);
        // Codes of Hong Kong are read, and never written.
        if (issues.length > 0 || encoding === 'big5' || /[\u0080-\u009f\ue000-\uf8ff]/.test(text)) return;
        expect(decoded(protocol, encoded(protocol, fields)).fields).toEqual(fields);
      }),
    );
  });
});

describe('text in fixed bytes', () => {
  test.each<[string, Field, string, string]>([
    ['at the right', { length: 6, align: 'right' }, '20202020' + '3132', '12'],
    ['behind zeros', { length: 4, align: 'right', pad: 0x30 }, '30303132', '12'],
    ['up to a terminator', { length: 6, terminator: 0x0d }, '4142' + '0d' + '000000', 'AB'],
    ['that fills it', { length: 2, terminator: 0x0d }, '4142', 'AB'],
    ['in erased flash', { length: 4, pad: 0xff }, '4142ffff', 'AB'],
  ])('%s', (_, field, hex, text) => {
    expect(decoded(of(field), hex).fields).toEqual({ t: text });
    expect(encoded(of(field), { t: text })).toBe(hex);
  });

  test('ends at its terminator, whatever stands behind it', () => {
    expect(decoded(of({ length: 6, terminator: 0x0d }), '41420d78797a').fields).toEqual({ t: 'AB' });
  });

  test('refuses what would be read as something else', () => {
    expect(() => encoded(of({ length: 6, align: 'right' }), { t: ' 1' })).toThrow(
      'must not begin with the byte that fills it up',
    );
    expect(() => encoded(of({ length: 6, terminator: 0x0d }), { t: 'a\rb' })).toThrow(
      'must not hold the byte that ends it',
    );
  });

  test('other lengths have one end', () => {
    expect(complaints({ name: 't', type: 'text', length: 'u8', terminator: 0 })).toEqual([
      'terminator: The text has a length already, and that is not fixed.',
    ]);
    expect(complaints({ name: 't', type: 'text', length: 'rest', align: 'right' })).toEqual([
      'align: Only text of a fixed length stands at one of its ends.',
    ]);
  });
});
