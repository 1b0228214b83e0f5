import type { FrameShape } from '../definition.ts';
import type { FieldDeclaration, ProtocolDeclaration, TextContent } from './declaration.ts';
import type { MessageCodec } from './message-codec.ts';
import type { Form } from './message-form.ts';
import { contentInWords } from './text-code.ts';

/** One shape of a message, with the form in which it is decoded. */
export interface ExactShape {
  readonly shape: FrameShape;
  readonly form: Form;
  /** Of a reply that has fields on success only: the error code that a payload of this length must have. */
  readonly error?: 'zero' | 'other';
}

/** The last byte that content may end in, least and greatest. */
const LAST_BYTES: Readonly<Record<TextContent, readonly [number, number]>> = {
  uuid: [0x30, 0x66],
  digits: [0x30, 0x39],
  datetime: [0x30, 0x39],
  printable: [0x20, 0x7e],
};

/**
 * The shapes of a message whose declaration is all there is: no payload has another length, and where a line is out of
 * step, an error code counts only if it has a name. Ids and error codes are one byte each, and fields have fixed lengths.
 * `check` says whether a payload is as declared.
 */
export function exactShapes(
  codec: MessageCodec,
  { errors }: ProtocolDeclaration,
  check: FrameShape['check'],
): readonly ExactShape[] {
  const [main, reply] = codec.forms;
  const named = new Set(Object.keys(errors).map((code) => Number(code) & 0xff));
  const words = (codes: readonly string[]) => `(${codes.join(' or ')} where the line is out of step)`;
  const shapeOf = (form: Form, length: number, fields: readonly FieldDeclaration[], content: string) => ({
    message: codec.name,
    kind: form.kind === 'reply' ? ('reply' as const) : ('request' as const),
    minLength: length,
    maxLength: length,
    content,
    weak: fields.every((field) => field.content === undefined),
    ...lastByteOf(fields),
    check,
  });
  const request: ExactShape = {
    form: main,
    shape: shapeOf(main, main.maxLength, main.fields, contentOf(main.fields)),
  };
  if (reply === undefined) return [request];
  const withName: FrameShape['check'] = (bytes, start, end) =>
    named.has(bytes[start + 1] ?? 0) ? check(bytes, start, end) : ~2;
  const bare = reply.minLength;
  const codes = Object.keys(errors);
  if (reply.fields.length === 0) {
    const content = `an error code ${words(codes)}`;
    return [request, { form: reply, shape: { ...shapeOf(reply, bare, [], content), check: withName } }];
  }
  const success = shapeOf(
    reply,
    reply.maxLength,
    reply.fields,
    `error code 0, then ${contentOf(reply.fields)}`,
  );
  const content = `an error code other than 0 ${words(codes.filter((code) => code !== '0'))}`;
  const failure: FrameShape = {
    ...shapeOf(reply, bare, [], content),
    lastByte: [0x01, 0xff],
    check: withName,
  };
  return [
    request,
    { form: reply, shape: success, error: 'zero' },
    { form: reply, shape: failure, error: 'other' },
  ];
}

function lastByteOf(fields: readonly FieldDeclaration[]): Pick<FrameShape, 'lastByte'> {
  const content = fields.at(-1)?.content;
  return content === undefined ? {} : { lastByte: LAST_BYTES[content] };
}

/** What fields must hold, in words; the name is left out where there is one field only. */
function contentOf(fields: readonly FieldDeclaration[]): string {
  if (fields.length === 0) return 'nothing but the id';
  const words = fields.map(({ name = '', content, length }) => {
    const what = content === undefined ? 'what is declared' : contentInWords(content, length);
    return fields.length === 1 ? what : `${name} ${what}`;
  });
  return words.join(', ');
}
