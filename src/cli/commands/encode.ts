import { resolve } from 'node:path';
import { HeartwireError } from '../../errors.ts';
import { type DeclaredProtocol, hexText, makeFraming, parseAddress } from '../../protocol/index.ts';
import type { Command } from '../command.ts';
import { parseAssignments } from '../field-values.ts';
import { readBytes } from '../files.ts';
import { protocolOf } from '../messages.ts';

interface EncodeArgs {
  readonly message: string;
  readonly fields: readonly string[] | undefined;
  readonly messages: string | undefined;
  readonly address: string | undefined;
  readonly payload: boolean;
  readonly reply: boolean;
  readonly error: number | undefined;
  readonly json: boolean;
}

function addressOf({ declaration }: DeclaredProtocol, text: string): number {
  const { address, byteOrder } = declaration;
  const parsed = address === undefined ? undefined : parseAddress(text, address, byteOrder);
  if (parsed !== undefined) return parsed;
  throw new HeartwireError(
    'bad_argument',
    address === undefined ? 'Messages of this file carry no address' : 'No message can carry this address',
    { seen: text, fix: address === undefined ? 'Leave `--address` out.' : 'Write for example --address 1.' },
  );
}

/** Prints the bytes of a message. */
export const command: Command<EncodeArgs> = {
  usage: 'encode <message> [fields..]',
  describe: 'Print the bytes of a message as hex; fields as field=value',
  place: 100,
  task: 'act',
  examples: [
    ['heartwire encode heartbeat', 'a heartbeat in its frame'],
    ['heartwire encode heartbeat --reply --error -1', 'a reply with an error code'],
    ['heartwire encode --messages messages.yaml set_point target=21.5', 'a declared message'],
    [
      'heartwire encode --messages messages.yaml write data=0x0a0b list=[1,2] image=@logo.bin',
      'bytes, lists and files',
    ],
  ],
  options: (yargs) =>
    yargs
      .positional('message', { type: 'string', demandOption: true, describe: 'Its name' })
      .positional('fields', { type: 'string', array: true, describe: 'Its fields: field=value' })
      .option('messages', { type: 'string', describe: 'The messages.yaml that declares it' })
      .option('address', { type: 'string', describe: 'The address of the device, where messages carry one' })
      .option('payload', { type: 'boolean', default: false, describe: 'Without a frame around it' })
      .option('reply', { type: 'boolean', default: false, describe: 'The reply to the message, not itself' })
      .option('error', { type: 'number', describe: 'The error code of the reply' })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' }),
  async run({ message, fields = [], messages, address, payload, reply, error, json }, io) {
    const spoken = await protocolOf(messages, io);
    const protocol = address === undefined ? spoken : spoken.at(addressOf(spoken, address));
    const answers = reply || error !== undefined;
    const declared =
      protocol.message(message)?.forms.find(({ kind }) => (kind === 'reply') === answers)?.fields ?? [];
    const values = await parseAssignments(fields.map(String), declared, (path) =>
      readBytes(resolve(io.cwd, path), path),
    );
    const encoded = answers
      ? protocol.encodeReply(message, error ?? 0, values)
      : protocol.encode(message, values);
    const sender = protocol.message(message)?.declaration.from;
    const side =
      sender === undefined || sender === 'any'
        ? 'host'
        : (sender === 'device') !== answers
          ? 'device'
          : 'host';
    const bytes = payload
      ? encoded
      : makeFraming(protocol.declaration.framing, side).encode(encoded, protocol.kindOf(message));
    io.out(
      json
        ? `${JSON.stringify({ message, hex: hexText(bytes), bytes: bytes.length })}\n`
        : `${hexText(bytes)}\n`,
    );
    return 0;
  },
};
