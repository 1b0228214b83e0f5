import { createRequire } from 'node:module';

/** What the bench needs of npm `binary-parser`, whose own types do not reach an ES module. */
export interface BinaryParser {
  endianness(order: 'big' | 'little'): this;
  int8(name: string): this;
  uint8(name: string, options?: Format): this;
  int16(name: string, options?: Format): this;
  uint16(name: string, options?: Format): this;
  uint16le(name: string): this;
  uint32(name: string): this;
  parse(bytes: Uint8Array): Readonly<Record<string, unknown>>;
}

interface Format {
  readonly formatter: (raw: number) => unknown;
}

// The package is JavaScript to the compiler: this is the place where its shape is said.
const { Parser } = createRequire(import.meta.url)('binary-parser') as {
  readonly Parser: new () => BinaryParser;
};

export function binaryParser(): BinaryParser {
  return new Parser();
}
