import { randomBytes } from 'node:crypto';
import type { Command } from '../command.ts';

/** Prints a new key for `secrecy`. */
export const command: Command<object> = {
  usage: 'key',
  describe: 'Print a new key for the encryption of payloads (secrecy in devices.yaml)',
  place: 70,
  task: 'operate',
  examples: [
    ['heartwire key > keys/bench-2026.key', 'and give the same file to each reader'],
    ['heartwire tail --key-file keys/bench-2026.key', 'reads with it'],
  ],
  options: (yargs) => yargs,
  async run(_args, io) {
    io.out(`${randomBytes(32).toString('base64')}\n`);
    return 0;
  },
};
