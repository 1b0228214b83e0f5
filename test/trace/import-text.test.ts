import { expect, it } from 'vitest';
import { toHex } from '../../src/trace/bytes-text.ts';
import { importHex } from '../../src/trace/import-text.ts';

const chunks = (text: string) =>
  importHex(text, 'x.hex').events.flatMap(({ fact }) => ('bytes' in fact ? [toHex(fact.bytes)] : []));

it('an offset alone ends a dump, and is bytes everywhere else', () => {
  expect(chunks('00000000  00 00 00 01 01  |.....|\n00000005\n')).toEqual(['0000000101']);
  expect(chunks('0000000101\n00000005\n')).toEqual(['0000000101', '00000005']);
});

it('takes time that grows with the lines, also where each looks like an offset', () => {
  const beats = 20_000;
  const began = performance.now();
  expect(chunks('0000000101\n'.repeat(beats))).toHaveLength(beats);
  const many = performance.now() - began;
  const again = performance.now();
  for (let part = 0; part < 10; part++) chunks('0000000101\n'.repeat(beats / 10));
  expect(many).toBeLessThan(4 * (performance.now() - again) + 100);
});
