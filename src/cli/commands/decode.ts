import { resolve } from 'node:path';
import { HeartwireError } from '../../errors.ts';
import {
  Assembler,
  type DeclaredProtocol,
  type FieldTrace,
  HELLO,
  type HelloCodec,
  hexExcerpt,
  hexText,
  type Inspection,
  makeFraming,
  payloadJudge,
  quotedText,
} from '../../protocol/index.ts';
import type { CliIo, Command } from '../command.ts';
import { isStdin, readBytes, readStdin } from '../files.ts';
import { protocolOf } from '../messages.ts';

interface DecodeArgs {
  readonly input: readonly string[];
  readonly messages: string | undefined;
  readonly payload: boolean;
  readonly from: 'device' | 'host' | undefined;
  readonly json: boolean;
}

/** What stood in the bytes, in their order. */
type Piece =
  | { readonly kind: 'payload'; readonly payload: Uint8Array; readonly framing?: string | undefined }
  /** In front of the frames: what a device says who it is. */
  | { readonly kind: 'hello'; readonly payload: Uint8Array; readonly hello: HelloCodec }
  | { readonly kind: 'answer'; readonly payload: Uint8Array; readonly accepted: boolean }
  | { readonly kind: 'problem'; readonly text: string; readonly bytes: number };

/** Prints what bytes mean, field by field. */
export const command: Command<DecodeArgs> = {
  usage: 'decode [input..]',
  describe: 'Print what bytes mean, field by field; bytes as hex, in a file, or from standard input (-)',
  place: 90,
  task: 'look',
  takesHyphen: true,
  examples: [
    ['heartwire decode 00000002 01 00', 'a reply to a heartbeat'],
    ['heartwire decode --messages messages.yaml frames.bin', 'the frames of a file'],
    ['heartwire decode --messages messages.yaml --payload 110866', 'one payload without its frame'],
    ['heartwire decode --json - < frames.bin', 'a line of JSON for each message'],
  ],
  options: (yargs) =>
    yargs
      .positional('input', {
        type: 'string',
        array: true,
        default: ['-'],
        describe: 'Hex digits, a file, or - for standard input',
      })
      .option('messages', { type: 'string', describe: 'The messages.yaml that declares them' })
      .option('payload', {
        type: 'boolean',
        default: false,
        describe: 'One payload, without a frame around it',
      })
      .option('from', { choices: ['device', 'host'] as const, describe: 'Who sent them' })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON lines' }),
  async run({ input, messages, payload, from, json }, io) {
    const protocol = await protocolOf(messages, io);
    const bytes = await inputBytes(input.map(String), io);
    const pieces = payload ? [{ kind: 'payload', payload: bytes } as const] : piecesOf(protocol, bytes, from);
    let sound = pieces.length > 0;
    const groups = new Assembler(protocol.declaration);
    for (const [index, piece] of pieces.entries()) {
      if (index > 0 && !json) io.out('\n');
      switch (piece.kind) {
        case 'problem':
          sound = false;
          io.out(
            json ? `${JSON.stringify({ problem: piece.text, bytes: piece.bytes })}\n` : `${piece.text}\n`,
          );
          groups.interrupt();
          break;
        case 'hello':
          sound = print(piece.hello.inspect(piece.payload), piece.payload, json, io) && sound;
          break;
        case 'answer':
          printAnswer(piece, json, io);
          break;
        case 'payload': {
          const { payload: bytes, framing } = piece;
          sound = print(protocol.inspect(bytes, from, framing), bytes, json, io) && sound;
          const message = protocol.decode(bytes, 0, bytes.length, from, undefined, framing);
          sound = printGroup(groups, message, json, io) && sound;
          break;
        }
      }
    }
    if (pieces.length === 0) io.err('heartwire: there is no message in these bytes.\n');
    return sound ? 0 : 1;
  },
};

/** Prints the group that a message completes, or that it shows to be incomplete. */
function printGroup(
  groups: Assembler,
  message: ReturnType<DeclaredProtocol['decode']>,
  json: boolean,
  io: CliIo,
): boolean {
  // Bytes of a file come at once, whatever time lay between them.
  const part = message.name === 'declared' ? groups.take(message, 0) : undefined;
  const { group, incomplete } = part ?? {};
  if (incomplete !== undefined) {
    const { name: _, ...rest } = incomplete;
    io.out(
      json ? `${JSON.stringify({ invalid: true, ...rest })}\n` : `incomplete ${rest.message}: ${rest.seen}\n`,
    );
  }
  if (group !== undefined && json) {
    const { name: _, ...content } = group;
    io.out(`${JSON.stringify(content)}\n`);
  } else if (group !== undefined) {
    io.out(`${group.message}, assembled: ${JSON.stringify(group.fields)}\n`);
  }
  return incomplete === undefined;
}

function printAnswer(
  { payload, accepted }: Extract<Piece, { kind: 'answer' }>,
  json: boolean,
  io: CliIo,
): void {
  io.out(
    json
      ? `${JSON.stringify({ message: HELLO, kind: 'reply', accepted, payload: hexText(payload) })}\n`
      : `${HELLO} reply, ${accepted ? 'accepted' : 'refused'}: ${hexText(payload)}\n`,
  );
}

function print({ message, trace }: Inspection, payload: Uint8Array, json: boolean, io: CliIo): boolean {
  if (json) {
    const { name, ...rest } = message;
    const content =
      'payload' in rest && rest.payload !== undefined ? { ...rest, payload: hexText(rest.payload) } : rest;
    io.out(
      `${JSON.stringify({ ...(name === 'declared' ? {} : { [name]: true }), ...content, layout: trace })}\n`,
    );
    return message.name === 'declared';
  }
  switch (message.name) {
    case 'declared': {
      const error =
        message.kind === 'reply' && message.error !== 0
          ? `, error ${message.error}${message.errorName === undefined ? '' : ` (${message.errorName})`}`
          : '';
      const of = message.address === undefined ? '' : ` of device ${message.address}`;
      io.out(`${message.message} ${message.kind}${of}${error}, ${payload.length} bytes\n`);
      io.out(fieldTable(payload, trace));
      for (const { field, detail } of message.issues) io.out(`  note: ${field}: ${detail}\n`);
      return true;
    }
    case 'unknown':
      if (message.answers !== undefined) {
        const hex = hexExcerpt(payload, 0, payload.length, 64);
        io.out(`a reply to one of ${message.answers.join(', ')}, ${payload.length} bytes: ${hex}\n`);
        return false;
      }
      io.out(
        `unknown message ${message.id}, ${payload.length} bytes: ${hexExcerpt(payload, 0, payload.length, 64)}\n`,
      );
      return false;
    case 'invalid': {
      const { message: of, field, offset, expected, seen } = message;
      io.out(`invalid ${of}: ${field} at byte ${offset}: expected ${expected}, found ${seen}\n`);
      if (trace.length > 0) io.out(fieldTable(payload, trace));
      return false;
    }
  }
}

/** The payloads that the protocol's framing finds, and what belongs to none. */
function piecesOf(protocol: DeclaredProtocol, bytes: Uint8Array, from: DecodeArgs['from']): readonly Piece[] {
  const front = frontOf(protocol, bytes, from);
  const pieces: Piece[] = front === undefined ? [] : [front];
  const decoder = makeFraming(protocol.declaration.framing, from === 'host' ? 'device' : 'host').makeDecoder(
    {
      frame: (buffer, start, end, framing) =>
        pieces.push({ kind: 'payload', payload: buffer.slice(start, end), framing }),
      discarded: ({ count, reason, expected, seen }) =>
        pieces.push({
          kind: 'problem',
          bytes: count,
          text: `${count} bytes belong to no message (${reason}): expected ${expected}, found ${seen}`,
        }),
      fault: ({ reason, expected, seen, sample }) =>
        pieces.push({
          kind: 'problem',
          bytes: sample.length,
          text: `no frame can begin here (${reason}): expected ${expected}, found ${seen}: ${quotedText(sample)}`,
        }),
    },
    { line: 'stream', judge: payloadJudge(protocol, from) },
  );
  decoder.push(bytes.subarray(front?.payload.length ?? 0));
  decoder.idle();
  decoder.close();
  return pieces;
}

/** What stands in front of the frames of a link; undefined where the bytes begin with a frame. */
function frontOf(
  { hello }: DeclaredProtocol,
  bytes: Uint8Array,
  from: DecodeArgs['from'],
): Extract<Piece, { kind: 'hello' | 'answer' }> | undefined {
  if (hello === undefined) return undefined;
  if (from === 'host') {
    const answer = hello.answerIn(bytes);
    return answer && { kind: 'answer', payload: bytes.slice(0, answer.end), accepted: answer.accepted };
  }
  const read = hello.read(bytes);
  return read.kind === 'message' ? { kind: 'hello', payload: bytes.slice(0, read.end), hello } : undefined;
}

async function inputBytes(words: readonly string[], io: CliIo): Promise<Uint8Array> {
  const [first = ''] = words;
  if (words.length === 1 && isStdin(first)) return textOrBytes(await readStdin(io));
  const hex = hexBytes(words.join(''));
  if (hex !== undefined) return hex;
  if (words.length > 1) {
    throw new HeartwireError('bad_argument', 'These are no hex digits', {
      seen: words.join(' '),
      fix: 'Write two digits for each byte.',
    });
  }
  return textOrBytes(await fileBytes(first, io));
}

async function fileBytes(name: string, io: CliIo): Promise<Uint8Array> {
  try {
    return await readBytes(resolve(io.cwd, name), name);
  } catch (error) {
    const { cause } = error instanceof Error ? error : {};
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw error;
    throw new HeartwireError('bad_argument', `${JSON.stringify(name)}: neither hex digits nor a file`, {
      seen: name,
      fix: 'Write two hex digits for each byte, or name a file.',
      cause: error,
    });
  }
}

/** Hex digits with spaces, colons or `0x` in front, in pairs. */
function hexBytes(text: string): Uint8Array | undefined {
  const digits = text.replace(/0x|[\s:,]/g, '');
  if (digits === '' || digits.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(digits)) return undefined;
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  );
}

/** A file that holds nothing but hex digits means the bytes that they stand for. */
function textOrBytes(bytes: Uint8Array): Uint8Array {
  const likely = bytes
    .subarray(0, 256)
    .every((byte) => byte === 0x09 || byte === 0x0a || byte === 0x0d || (byte >= 0x20 && byte < 0x7f));
  return (likely ? hexBytes(new TextDecoder().decode(bytes)) : undefined) ?? bytes;
}

const COLUMNS = ['field', 'offset', 'bytes', 'raw', 'value', 'unit'] as const;
const MOST_BYTES = 12;
const LONGEST_VALUE = 48;

/** Every field of a payload in a table: where it lies, its bytes, its raw value, its value and its unit. */
function fieldTable(payload: Uint8Array, trace: readonly FieldTrace[]): string {
  const rows = trace.map((each) => [
    `${'  '.repeat(each.depth)}${lastPart(each.field, each.depth)}`,
    String(each.offset),
    bytesShown(payload, each),
    each.raw === undefined ? '' : shown(each.raw),
    each.value === undefined ? (each.note ?? '') : shown(each.value),
    each.unit ?? '',
  ]);
  const widths = COLUMNS.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => [...(row[index] ?? '')].length)),
  );
  return [COLUMNS, ...rows]
    .map(
      (row) =>
        `  ${row
          .map((cell, index) => pad(cell, widths[index] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

const pad = (cell: string, width: number): string => cell + ' '.repeat(width - [...cell].length);

/** Below its structure, a field needs no more than its own name. */
function lastPart(field: string, depth: number): string {
  if (depth === 0) return field;
  const [, last = field] = /((?:\[\d+\]|[^.[\]]+))$/.exec(field) ?? [];
  return last;
}

function bytesShown(payload: Uint8Array, { offset, bytes }: FieldTrace): string {
  const end = Math.min(offset + bytes, payload.length);
  return bytes > MOST_BYTES
    ? `${hexText(payload, offset, offset + MOST_BYTES)}.. (${bytes})`
    : hexText(payload, offset, end);
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null && '$bytes' in value && 'len' in value)
    return `${value.len} bytes`;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text;
}
