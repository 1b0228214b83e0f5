import { luaDissector } from '../../capture/index.ts';
import { builtinDeclaration } from '../../protocol/index.ts';
import type { Command } from '../command.ts';
import { messagesOption } from '../messages.ts';

interface DissectorArgs {
  readonly messages: string | undefined;
}

/** Prints the Wireshark dissector. */
export const command: Command<DissectorArgs> = {
  usage: 'dissector',
  describe: 'Print a Wireshark dissector (Lua) of the messages, for exported traces and for TCP captures',
  place: 170,
  task: 'record',
  examples: [
    ['heartwire dissector > heartwire.lua', 'writes it into a file'],
    ['wireshark -X lua_script:heartwire.lua psu-1.pcapng', 'opens an exported trace with it'],
  ],
  options: (yargs) =>
    yargs.option('messages', { type: 'string', requiresArg: true, describe: 'messages.yaml of the devices' }),
  async run({ messages }, io) {
    const declared = await messagesOption(messages, io);
    io.out(luaDissector([builtinDeclaration(), ...(declared === undefined ? [] : [declared.declaration])]));
    return 0;
  },
};
