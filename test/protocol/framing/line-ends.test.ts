import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FrameDecoder, LineRemark } from '../../../src/protocol/decoder.ts';
import { asciiText } from '../../../src/protocol/describe.ts';
import type { DelimiterFraming } from '../../../src/protocol/framing/delimiter-marks.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { bytesOf } from './collecting-sink.ts';

const ENDS = { crlf: '\r\n', lf: '\n', cr: '\r' } as const;
const text = (line: string) => new TextEncoder().encode(line);

function sealed(delimiter: string): DelimiterFraming {
  return {
    type: 'delimiter',
    start: text('#'),
    delimiter: text(delimiter),
    checksum: { algorithm: 'sum-8', encoding: 'hex', separator: text('~') },
    maxFrame: 60,
  };
}

/** A line as a device with other ends sends it. */
function lineOf(content: string, end: string): string {
  const frame = makeFraming(sealed('\r\n')).encode(text(content));
  return new TextDecoder().decode(frame.slice(0, -2)) + end;
}

function reading(framing: DelimiterFraming, line: 'stream' | 'serial' = 'stream') {
  const lines: string[] = [];
  const discarded: string[] = [];
  const remarks: LineRemark[] = [];
  const decoder: FrameDecoder = makeFraming(framing).makeDecoder(
    {
      frame: (bytes, start, end) => lines.push(asciiText(bytes, start, end)),
      discarded: ({ sample }) => discarded.push(asciiText(sample, 0, sample.length)),
      fault() {},
      remark: (remark) => remarks.push(remark),
    },
    { line },
  );
  return { decoder, lines, discarded, remarks };
}

describe.each(Object.entries(ENDS))('lines with a checksum, declared to end with %s', (_, declared) => {
  test.each(Object.entries(ENDS))('are read where they end with %s', (__, end) => {
    const { decoder, lines, discarded, remarks } = reading(sealed(declared));
    for (const each of ['A,1', 'B,2', 'C,3']) decoder.push(text(lineOf(each, end)));
    decoder.push(text(`${lineOf('D,4', end).replace('4', '5')}${lineOf('E,6', end)}`));
    decoder.idle();
    expect(lines).toEqual(['A,1', 'B,2', 'C,3', 'E,6']);
    expect(discarded.join('')).toContain('#D,5~');
    expect(remarks).toEqual([]);
  });

  test('are read whatever ends each of them, cut at every byte', () => {
    const wire = text(
      ['\r\n', '\n', '\r', '\n', '\r\n', '\n\n'].map((end, at) => lineOf(`L,${at}`, end)).join(''),
    );
    for (let cut = 0; cut <= wire.length; cut++) {
      const { decoder, lines, discarded } = reading(sealed(declared));
      decoder.push(wire.slice(0, cut));
      decoder.push(wire.slice(cut));
      decoder.idle();
      expect({ cut, lines, discarded }).toEqual({
        cut,
        lines: ['L,0', 'L,1', 'L,2', 'L,3', 'L,4', 'L,5'],
        discarded: [],
      });
    }
  });
});

test('a line that ends as declared may hold other ends', () => {
  const { decoder, lines } = reading(sealed('\r\n'));
  decoder.push(text(lineOf('one\ntwo\rthree', '\r\n')));
  expect(lines).toEqual(['one\ntwo\rthree']);
});

test('law: what is encoded is decoded, whatever line ends it holds', () => {
  const content = fc.array(fc.constantFrom('a', '\n', '\r', '*', '~'), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(content, (parts) => {
      const line = parts.join('');
      fc.pre(!line.includes('\r\n') && !line.endsWith('\r'));
      const { decoder, lines } = reading(sealed('\r\n'));
      decoder.push(makeFraming(sealed('\r\n')).encode(text(line)));
      expect(lines).toEqual([line]);
    }),
  );
});

describe('a wrong delimiter without a checksum', () => {
  const plain = (delimiter: string): DelimiterFraming => ({ type: 'delimiter', delimiter: text(delimiter) });

  test.each([
    ['\r\n', '\n', '0a', '0d 0a'],
    ['\r\n', '\r', '0d', '0d 0a'],
    ['\n', '\r', '0d', '0a'],
    ['\r', '\n', '0a', '0d'],
    ['\r', '\r\n', '0d 0a', '0d'],
  ])('is named with the second line: declared %j, seen %j', (declared, end, seen, wanted) => {
    const { decoder, remarks } = reading(plain(declared));
    decoder.push(text(`V 12.5${end}`));
    decoder.push(text(`V 12.6${end}V`));
    decoder.push(text(` 12.7${end}V 12.8${end}`));
    expect(remarks).toHaveLength(1);
    expect(remarks[0]?.reason).toBe('wrong_delimiter');
    expect(remarks[0]?.detail).toContain(`lines end with ${seen} `);
    expect(remarks[0]?.detail).toContain(`not with ${wanted} `);
    expect(remarks[0]?.detail).toContain('V 12.5');
  });

  test('is named by a silence behind the first line', () => {
    const { decoder, remarks, discarded } = reading({ ...plain('\r\n'), first: 'take' }, 'serial');
    decoder.push(text('V 12.5\n'));
    decoder.idle();
    expect(remarks.map(({ reason }) => reason)).toEqual(['wrong_delimiter']);
    expect(discarded).toEqual(['V 12.5\n']);
  });

  test('is not suspected in lines that end as declared, nor in binary content', () => {
    for (const wire of [text('a\nb\r\nc\nd\r\n'), bytesOf('01 0a 0a 02 0a 0d0a')]) {
      const { decoder, remarks } = reading(plain('\r\n'));
      decoder.push(wire);
      decoder.idle();
      expect(remarks).toEqual([]);
    }
  });
});

test('hostile line ends cost a bounded number of checks', () => {
  const checksum = { algorithm: 'crc-32', encoding: 'hex', separator: text('~') } as const;
  const framing: DelimiterFraming = { ...sealed('\r\n'), checksum, maxFrame: 60_000 };
  const { decoder, lines } = reading(framing);
  decoder.push(text('#'));
  for (let index = 0; index < 2000; index++) decoder.push(text('~00000000\n~11111111\n'));
  decoder.push(text('\r\n'));
  decoder.push(makeFraming(framing).encode(text('A,1')));
  expect(lines).toEqual(['A,1']);
});
