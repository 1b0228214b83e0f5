import type { Command } from './command.ts';
import { declaredIn } from './message-file.ts';
import { typesText } from './types-text.ts';

interface TypesArgs {
  readonly messages: string;
}

/** Prints TypeScript of declared messages. */
export const types: Command<TypesArgs> = {
  usage: 'types [messages]',
  describe: 'Print TypeScript types of the declared messages, for subscribers',
  examples: [['heartwire types messages.yaml > messages.d.ts', 'types of what a device sends and takes']],
  options: (yargs) =>
    yargs.positional('messages', {
      type: 'string',
      default: 'messages.yaml',
      describe: 'The messages.yaml that declares them',
    }),
  async run({ messages }, io) {
    const protocol = await declaredIn(messages, io);
    io.out(typesText(protocol.declaration, messages));
    return 0;
  },
};
