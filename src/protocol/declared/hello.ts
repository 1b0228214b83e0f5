import { hexExcerpt } from '../describe.ts';
import type { DeclaredMessage } from '../message.ts';
import { identityText, valueIn } from './answers.ts';
import type { FieldDeclaration, ProtocolDeclaration } from './declaration.ts';
import { MessageCodec } from './message-codec.ts';
import { Reading } from './reading.ts';
import type { Values } from './value.ts';
import { Writing } from './writing.ts';

type Inspected = ReturnType<MessageCodec['inspect']>;

/** The name of what stands in front of all frames. */
export const HELLO = 'hello';

/** Bytes that are looked at in front of the first frame, at most. */
const LONGEST = 512;

/** What the first bytes of a link are. */
export type HelloReading =
  | { readonly kind: 'more' }
  /** The frames begin at `end`. */
  | { readonly kind: 'message'; readonly message: DeclaredMessage; readonly end: number }
  | { readonly kind: 'none'; readonly expected: string; readonly seen: string };

/** The first bytes of a link with which a device says who it is; they are no frame of its protocol. */
export class HelloCodec {
  /** What stands in front of the frames. */
  readonly fields: readonly FieldDeclaration[];
  readonly #codec: MessageCodec;
  readonly #identity: { readonly field: string } | { readonly fixed: string };
  readonly #accept: Uint8Array | undefined;
  readonly #refuse: Uint8Array | undefined;
  readonly #reading = new Reading();

  /** Undefined where nothing stands in front of the frames. */
  static of(protocol: ProtocolDeclaration): HelloCodec | undefined {
    const { hello, registration } = protocol;
    return hello === undefined && registration === undefined ? undefined : new HelloCodec(protocol);
  }

  private constructor(protocol: ProtocolDeclaration) {
    const { hello, registration } = protocol;
    this.fields = helloFields(protocol);
    // What stands in every frame stands in front of none.
    const { id: _, error: __, address: _a, selector: _s, ...plain } = protocol;
    this.#codec = new MessageCodec({ name: HELLO, from: 'device', fields: this.fields }, plain);
    const fixed = registration !== undefined && !registration.text.includes('*');
    this.#identity = fixed
      ? { fixed: registration.identity ?? registration.text.trim() }
      : { field: hello?.identity ?? IDENTITY };
    const { accept, refuse } = hello ?? registration ?? {};
    this.#accept = accept;
    this.#refuse = refuse;
  }

  /** The field that names the device, or the name that every sender of it has. */
  get identity(): { readonly field: string } | { readonly fixed: string } {
    return this.#identity;
  }

  /** The bytes that a device says. @throws HeartwireError `bad_field_value` */
  encode(fields: Values): Uint8Array {
    return this.#codec.encode(new Writing(), fields);
  }

  /** Looks at all that has come over a link. */
  read(bytes: Uint8Array): HelloReading {
    const front = this.#codec.decodeFront(this.#reading, bytes);
    if (front === undefined) {
      if (bytes.length < LONGEST) return { kind: 'more' };
      const expected = `a whole hello within ${LONGEST} bytes`;
      return { kind: 'none', expected, seen: hexExcerpt(bytes, 0, bytes.length) };
    }
    const { message, end } = front;
    if (message.name === 'declared' && this.identityOf(message) !== undefined)
      return { kind: 'message', message, end };
    const { field, expected } =
      message.name === 'invalid' ? message : { field: 'identity', expected: 'text that names a device' };
    return {
      kind: 'none',
      expected: `the hello of the device (${field}: ${expected})`,
      seen: hexExcerpt(bytes, 0, bytes.length),
    };
  }

  /** The same of bytes that are all there, with a line for every field. */
  inspect(bytes: Uint8Array): Inspected {
    return this.#codec.inspect(this.#codec.forms[0], this.#reading, bytes);
  }

  /** Whether the platform accepts, in the bytes that it sends in front of its frames; undefined of others. */
  answerIn(bytes: Uint8Array): { readonly accepted: boolean; readonly end: number } | undefined {
    for (const [accepted, answer] of [
      [true, this.#accept],
      [false, this.#refuse],
    ] as const) {
      if (answer === undefined || bytes.length < answer.length) continue;
      if (answer.every((byte, at) => bytes[at] === byte)) return { accepted, end: answer.length };
    }
    return undefined;
  }

  /** Who a hello says its sender is. */
  identityOf({ fields }: DeclaredMessage): string | undefined {
    return 'fixed' in this.#identity
      ? this.#identity.fixed
      : identityText(valueIn(fields, this.#identity.field));
  }

  /** What is sent back, as it is; undefined where that is nothing. */
  answer(accepted: boolean): DeclaredMessage | undefined {
    const payload = accepted ? this.#accept : this.#refuse;
    if (payload === undefined) return undefined;
    return {
      name: 'declared',
      message: HELLO,
      kind: 'reply',
      error: accepted ? 0 : -1,
      fields: {},
      raw: {},
      issues: [],
      encoded: { payload, framed: false },
    };
  }
}

const IDENTITY = 'identity';

/** The fields in front of the frames; of a registration, those that its text means. */
export function helloFields({ hello, registration }: ProtocolDeclaration): readonly FieldDeclaration[] {
  if (hello !== undefined) return hello.fields;
  if (registration === undefined) return [];
  const [front = '', ...behind] = registration.text.split('*');
  const [first, ...rest] = [...behind.join('*')];
  const identity: FieldDeclaration = { name: IDENTITY, type: 'text', encoding: 'latin1' };
  return [
    ...constant('front', front),
    ...(behind.length === 0
      ? []
      : [
          first === undefined
            ? { ...identity, length: registration.length ?? 'rest' }
            : { ...identity, terminator: first.charCodeAt(0), max: 64 },
        ]),
    ...constant('behind', rest.join('')),
  ];
}

const constant = (name: string, text: string): readonly FieldDeclaration[] =>
  text === '' ? [] : [{ name, type: 'text', encoding: 'latin1', value: text }];
