import { readFileSync } from 'node:fs';
import type { Message } from '../../src/protocol/message.ts';

/** Bytes of hex text with free spacing. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

export interface MessageFixture {
  readonly name: string;
  /** The whole frame. */
  readonly hex: string;
  readonly message: Message;
}

export interface InvalidFixture {
  readonly name: string;
  readonly hex: string;
  readonly invalid: { message: string; kind: string; field: string; offset: number };
}

export interface StreamFixture {
  readonly name: string;
  readonly hex: string;
  /** What a stream decoder finds; absent where the bytes are damage that only a line knows. */
  readonly stream: readonly string[] | null;
  /** What a line decoder finds. */
  readonly line: readonly string[];
}

function load<T>(name: string): readonly T[] {
  // The files are part of this repository; the tests that read them are their check.
  return JSON.parse(
    readFileSync(new URL(`../../fixtures/frames/${name}.json`, import.meta.url), 'utf8'),
  ) as T[];
}

export const messageFixtures = load<MessageFixture>('messages');
export const invalidFixtures = load<InvalidFixture>('invalid');
export const streamFixtures = load<StreamFixture>('streams');
