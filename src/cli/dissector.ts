import { BUILTIN_DECLARATION } from '../trace/builtin-declaration.ts';
import { luaDissector } from '../trace/dissector.ts';
import type { Command } from './command.ts';

/** Prints the Wireshark dissector. */
export const dissector: Command<object> = {
  usage: 'dissector',
  describe: 'Print a Wireshark dissector (Lua) of the messages, for exported traces and for TCP captures',
  examples: [
    ['heartwire dissector > heartwire.lua', 'writes it into a file'],
    ['wireshark -X lua_script:heartwire.lua psu-1.pcapng', 'opens an exported trace with it'],
  ],
  options: (yargs) => yargs,
  async run(_args, io) {
    io.out(luaDissector([BUILTIN_DECLARATION]));
    return 0;
  },
};
