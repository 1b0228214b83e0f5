import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonScanner, surveyJson } from '../../../src/contract/feed/json-scan.ts';

const utf8 = new TextEncoder();

/** All that comes out of the stream when it arrives in these chunks. */
function scan(chunks: readonly (string | Uint8Array)[], maxBytes = 1_000): string[] {
  const scanner = new JsonScanner(maxBytes);
  const out: string[] = [];
  for (const chunk of chunks) {
    scanner.push(typeof chunk === 'string' ? utf8.encode(chunk) : chunk);
    for (let found = scanner.next(); found !== undefined; found = scanner.next()) {
      if (found.kind !== 'text') return [...out, found.kind];
      out.push(new TextDecoder().decode(found.bytes));
    }
    expect(scanner.pending).toBeLessThanOrEqual(maxBytes);
  }
  return out;
}

const CASES: ReadonlyArray<readonly [what: string, stream: string, texts: readonly string[]]> = [
  ['objects without newlines', '{"a":1}{"b":{}}', ['{"a":1}', '{"b":{}}']],
  ['objects with newlines of any kind', ' {"a":1}\r\n\n\t{"b":[{}]}\n', ['{"a":1}', '{"b":[{}]}']],
  [
    'braces and quotes in strings',
    '{"a":"}{\\"]\\\\"}{"b":"\\u007b"}',
    ['{"a":"}{\\"]\\\\"}', '{"b":"\\u007b"}'],
  ],
  ['text beyond ASCII', '{"a":"é€😀"}{}', ['{"a":"é€😀"}', '{}']],
  ['a newline inside an object', '{"a":\n1}\n{"b":2}', ['{"a":', '1}', '{"b":2}']],
  ['a newline inside a string', '{"a":"\n{"b":2}', ['{"a":"', '{"b":2}']],
  ['brackets that do not match', '{]{"b":2}', ['{]', '{"b":2}']],
  ['a closing brace too many', '{}}\n{"b":2}', ['{}', '}', '{"b":2}']],
  ['lines that are no objects, later on', '{}\n[1]\nhello\n{"b":2}', ['{}', '[1]', 'hello', '{"b":2}']],
  ['a byte order mark', '\uFEFF{"a":1}', ['{"a":1}']],
  ['a request of a browser', 'POST / HTTP/1.1\r\n\r\n{"a":1}', ['foreign']],
  ['an array first', '[{"a":1}]\n', ['foreign']],
  ['an unfinished object', '{"a":{}', []],
];

describe('a stream of JSON texts', () => {
  it.each(CASES)('takes %s, cut at every byte', (_, stream, texts) => {
    const bytes = utf8.encode(stream);
    expect(scan([bytes])).toEqual(texts);
    expect(scan([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(texts);
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(scan([bytes.subarray(0, cut), bytes.subarray(cut)]), `cut at ${cut}`).toEqual(texts);
    }
  });

  it('says at the first byte that somebody else is talking', () => {
    expect(scan(['\n P'])).toEqual(['foreign']);
    expect(scan([Uint8Array.of(0x16, 3, 1)])).toEqual(['foreign']);
    expect(scan([Uint8Array.of(0xef, 0xbb), '{}'])).toEqual(['{}']);
  });

  it.each([1, 2, 3, 7, 64])('ends at what a message may have, in chunks of %i', (size) => {
    const cut = (text: string) => text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
    const fits = `{"a":"${'x'.repeat(42)}"}`;
    expect(fits).toHaveLength(50);
    expect(scan(cut(`${fits}${fits}\n`), 50)).toEqual([fits, fits]);
    expect(scan(cut(`{}${'y'.repeat(50)}\n${fits}`), 50)).toEqual(['{}', 'y'.repeat(50), fits]);
    expect(scan(cut(`${fits}{"a":"${'x'.repeat(43)}"}`), 50)).toEqual([fits, 'too_large']);
    expect(scan(cut(`{}${'y'.repeat(51)}`), 50)).toEqual(['{}', 'too_large']);
    expect(scan(cut(`{"a":"${'x'.repeat(200)}`), 50)).toEqual(['too_large']);
  });

  it('takes a long text byte by byte', () => {
    const bytes = utf8.encode(`{"a":"${'[{\\"'.repeat(10_000)}"}`);
    const scanner = new JsonScanner(bytes.length);
    let ended = 0;
    for (const [index, byte] of bytes.entries()) {
      scanner.push(Uint8Array.of(byte));
      const found = scanner.next();
      if (found?.kind === 'text') ended = index + 1;
    }
    expect(ended).toBe(bytes.length);
    expect(scanner.pending).toBe(0);
  });

  it('gives back any objects, however they are written and cut', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(object, fc.constantFrom('', '\n', '\r\n', ' '))),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (values, sizes) => {
          const texts = values.map(([value]) => JSON.stringify(value));
          const bytes = utf8.encode(values.map(([, gap], index) => `${texts[index]}${gap}`).join(''));
          const chunks: Uint8Array[] = [];
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          expect(scan(chunks, 1_000_000)).toEqual(texts);
        },
      ),
    );
  });

  it('survives any bytes, and finds its way again behind a newline', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (noise) => {
        const found = scan(['{}', noise, '\n{"after":1}'], 1_000);
        expect(found.at(-1)).toBe('{"after":1}');
      }),
    );
  });
});

describe('nesting', () => {
  it.each([
    ['{"a":[1]}', 2, false],
    ['{"a":[1]}', 1, true],
    ['{"a":"[[[\\"[[["}', 1, false],
    ['[],[],[]', 1, false],
    ['['.repeat(50_000), 64, true],
  ])('of %s beyond %i: %s', (text, most, deeper) => {
    expect(surveyJson(text, most) === 'too_deep').toBe(deeper);
  });
});

describe('numbers that may be greater than every double', () => {
  it.each([
    ['{"a":[1,-20.5,true,false],"b1e400":"1e400"}', 'fine'],
    [`{"a":${'9'.repeat(308)}}`, 'fine'],
    [`{"a":${'9'.repeat(309)}}`, 'huge_numbers'],
    ['{"a":[1e400]}', 'huge_numbers'],
    ['{"a":1.5E400,"b":[]}', 'huge_numbers'],
    ['1e400[[', 'too_deep'],
  ])('%.40s: %s', (text, survey) => {
    expect(surveyJson(text, 1 + Number(text.startsWith('{')))).toBe(survey);
  });

  it('are all found that parsing makes infinite', () => {
    const digits = fc.bigInt({ min: -(10n ** 330n), max: 10n ** 330n }).map(String);
    const exponent = fc
      .tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer())
      .map(([number, exponent]) => `${String(number).replace(/e.*/, '')}e${exponent}`);
    fc.assert(
      fc.property(fc.oneof(digits, exponent), (text) => {
        fc.pre(!Number.isFinite(JSON.parse(text)));
        expect(surveyJson(`[${text}]`, 1)).toBe('huge_numbers');
      }),
    );
  });
});
