import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_PROTOCOL, type FieldDeclaration } from '../../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../../src/protocol/declared/declared-protocol.ts';
import { bytesOf } from '../framing/collecting-sink.ts';

function protocolOf(...fields: readonly FieldDeclaration[]): DeclaredProtocol {
  return new DeclaredProtocol({ ...DEFAULT_PROTOCOL, messages: [{ name: 'm', id: 0x10, fields }] });
}

/** The values of a message with one text, and its issues in words. */
function read(field: Omit<FieldDeclaration, 'name' | 'type'>, hex: string) {
  const protocol = protocolOf({ ...field, name: 't', type: 'text' }, { name: 'n', type: 'u8' });
  const payload = bytesOf(`10 ${hex} 07`);
  const message = protocol.decode(payload);
  if (message.name !== 'declared') throw new Error(JSON.stringify(message));
  return {
    text: message.fields.t,
    behind: message.fields.n,
    issues: message.issues.map(({ field: name, reason, detail }) => `${name} ${reason}: ${detail}`),
    found: protocol.check(payload, 0, payload.length) >= 0,
  };
}

describe('text with a damaged character keeps its message', () => {
  test.each([
    ['a character that was cut', {}, '04 6142 e282', 'aB\ufffd', 'utf8', '6142e282'],
    ['a byte that begins none', {}, '03 61ff62', 'a\ufffdb', 'utf8', '61ff62'],
    ['a byte beyond ASCII', { encoding: 'ascii' }, '03 61e962', 'a\ufffdb', 'ascii', '61e962'],
    ['half a pair of UTF-16', { encoding: 'utf16le' }, '04 6100 3dd8', 'a\ufffd', 'utf16le', '61003dd8'],
    ['half a unit of UTF-16', { encoding: 'utf16be' }, '03 0061 d8', 'a\ufffd', 'utf16be', '0061d8'],
  ] as const)('%s', (_, field, hex, text, encoding, seen) => {
    expect(read({ length: 'u8', ...field }, hex)).toEqual({
      text,
      behind: 7,
      issues: [`t bad_text: not all of ${seen} is text in ${encoding}`],
      found: true,
    });
  });

  test('in text that a byte ends, and of a fixed length', () => {
    expect(read({ terminator: 0x2c }, '61e2822c')).toMatchObject({ text: 'a\ufffd', behind: 7 });
    expect(read({ length: 4 }, '616162c3')).toMatchObject({ text: 'aab\ufffd', behind: 7 });
  });

  test('noise is no text where a frame is searched', () => {
    expect(read({ length: 'u8' }, '04 ff61fe62')).toMatchObject({ text: '\ufffda\ufffdb', found: false });
  });

  test('but text that must look like something does', () => {
    expect(() => read({ length: 3, content: 'digits' }, '31ff32')).toThrow(/bad_text/);
  });

  test('law: any bytes are read as the platform reads them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), fc.constantFrom('utf8', 'utf16le'), (bytes, encoding) => {
        const protocol = protocolOf({ name: 't', type: 'text', length: 'rest', encoding });
        const message = protocol.decode(Uint8Array.of(0x10, ...bytes));
        const label = encoding === 'utf8' ? 'utf-8' : 'utf-16le';
        const wanted = new TextDecoder(label, { ignoreBOM: true }).decode(bytes);
        expect(message).toMatchObject({ name: 'declared', fields: { t: wanted } });
      }),
    );
  });
});

describe('text of a fixed length ends at its first zero byte', () => {
  test.each([
    ['with garbage behind it', {}, '4142 00 5aff', 'AB'],
    ['filled up', {}, '4142 000000', 'AB'],
    ['empty, with garbage', {}, '00 41424344', ''],
    ['with none', {}, '4142434445', 'ABCDE'],
  ])('%s', (_, field, hex, text) => {
    expect(read({ length: 5, ...field }, hex)).toEqual({ text, behind: 7, issues: [], found: true });
  });

  test('of two bytes in UTF-16', () => {
    expect(read({ length: 6, encoding: 'utf16le' }, '4100 0000 ffdf').text).toBe('A');
    expect(read({ length: 6, encoding: 'utf16be' }, '0041 0100 0000').text).toBe('AĀ');
  });

  test('and not where something else fills it up', () => {
    expect(read({ length: 4, pad: 0x20 }, '41004220').text).toBe('A\0B');
  });

  test('so that none can be written into it', () => {
    const protocol = protocolOf({ name: 't', type: 'text', length: 5 });
    expect(() => protocol.encode('m', { t: 'a\0b' })).toThrow(/must not hold a zero byte/);
  });
});
