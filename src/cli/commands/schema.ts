import {
  devicesJsonSchemaText,
  messagesJsonSchemaText,
  registersJsonSchemaText,
} from '../../config/index.ts';
import type { Command } from '../command.ts';

interface SchemaArgs {
  readonly of: 'devices' | 'messages' | 'registers';
}

/** Prints the JSON Schema of a configuration file. */
export const command: Command<SchemaArgs> = {
  usage: 'schema <of>',
  describe: 'Print the JSON Schema of a configuration file, for editors',
  place: 80,
  task: 'describe',
  examples: [
    ['heartwire schema devices > devices.schema.json', 'completion and checks for devices.yaml in an editor'],
    ['heartwire schema messages > messages.schema.json', 'the same for messages.yaml'],
  ],
  options: (yargs) =>
    yargs.positional('of', {
      choices: ['devices', 'messages', 'registers'] as const,
      demandOption: true,
      describe: 'The file that it describes',
    }),
  async run({ of }, io) {
    switch (of) {
      case 'devices':
        io.out(devicesJsonSchemaText());
        return 0;
      case 'messages':
        io.out(messagesJsonSchemaText());
        return 0;
      case 'registers':
        io.out(registersJsonSchemaText());
        return 0;
    }
  },
};
