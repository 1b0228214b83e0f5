import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineBuffer } from '../../src/system/line-buffer.ts';
import { formatTime } from '../../src/trace/format-trace.ts';

it('writes what strings would be', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(4e12), fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 3_000 })), {
        maxLength: 8,
      }),
      (lines) => {
        const buffer = new LineBuffer();
        let text = '';
        for (const [us, words, bytes] of lines) {
          const mark = Buffer.from(words);
          buffer.line(us, mark, bytes);
          buffer.text(words);
          text += `${formatTime(us)}${mark}${Buffer.from(bytes).toString('hex')}\n${words}`;
        }
        expect(buffer.length).toBe(Buffer.byteLength(text));
        expect(buffer.present().toString()).toBe(Buffer.from(text).toString());
      },
    ),
  );
});

it('keeps what was taken while more comes, until it is written', () => {
  const buffer = new LineBuffer();
  for (let round = 0; round < 5; round++) {
    buffer.text(`first ${round}`);
    const taken = buffer.take();
    buffer.text('x'.repeat(round * 10_000));
    expect(taken.toString()).toBe(`first ${round}`);
    buffer.written();
    expect(buffer.take().length).toBe(round * 10_000);
    buffer.written();
  }
});
