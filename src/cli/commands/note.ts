import { HeartwireError } from '../../errors.ts';
import { systemClock } from '../../system/index.ts';
import { BridgeCaller } from '../bridge-connection.ts';
import { bridgeOptions, bridgeToken, bridgeUrl } from '../bridge-options.ts';
import type { Command } from '../command.ts';
import { errorText } from '../error-text.ts';

interface NoteArgs {
  readonly device: string;
  readonly text: readonly string[];
  readonly url: string | undefined;
  readonly origin: string | undefined;
  readonly 'token-file': string | undefined;
}

/** How long the bridge may take to write it down. */
const ANSWER_MS = 10_000;
const NOT_RECORDED_FIX =
  'Let the black box keep it (`black_box`), or record it: `record: true` in its entry of devices.yaml.';

/** Writes a note into the trace of a device, and has the black box keep what was said until now. */
export const command: Command<NoteArgs> = {
  usage: 'note <device> <text..>',
  describe: 'Write a note into the trace of a device, and keep what it said until now as an incident',
  place: 180,
  task: 'act',
  examples: [
    [
      'heartwire note psu-1 wiggled the cable',
      'stands in the trace with its time; `heartwire incidents` has it',
    ],
  ],
  options: (yargs) =>
    bridgeOptions(
      yargs
        .positional('device', { type: 'string', demandOption: true, describe: 'The device' })
        .positional('text', { type: 'string', array: true, demandOption: true, describe: 'The note' }),
    ),
  async run(args, io) {
    let url: string;
    let token: string | undefined;
    try {
      url = bridgeUrl(args.url, io);
      token = await bridgeToken(args['token-file'], io);
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      io.err(errorText(error));
      return 2;
    }
    using caller = new BridgeCaller(url, systemClock, {
      origin: args.origin,
      token,
      program: io.program,
    });
    const reply = await caller.call(args.device, 'note', { text: args.text.join(' ') }, ANSWER_MS);
    if (!reply.ok)
      throw new HeartwireError('bridge_refused', reply.message, {
        ...(reply.code === 'recording_off' ? { fix: NOT_RECORDED_FIX } : {}),
      });
    return 0;
  },
};
