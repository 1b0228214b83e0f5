import { WebSocket } from 'ws';
import { HeartwireError } from '../errors.ts';
import { DEFAULT_BRIDGE_URL, feedUrl } from './bridge-url.ts';
import type { Command } from './command.ts';
import { tellError } from './tell-error.ts';

interface NoteArgs {
  readonly device: string;
  readonly text: readonly string[];
  readonly url: string | undefined;
}

/** How long the bridge may take to answer, in ms. */
const ANSWER_MS = 10_000;

/** Writes a note into the trace of a device that is being recorded. */
export const note: Command<NoteArgs> = {
  usage: 'note <device> <text..>',
  describe: 'Write a note into the trace that a running bridge records of a device',
  examples: [['heartwire note psu-1 wiggled the cable', 'stands in the trace with its time']],
  options: (yargs) =>
    yargs
      .positional('device', { type: 'string', demandOption: true, describe: 'The device' })
      .positional('text', { type: 'string', array: true, demandOption: true, describe: 'The note' })
      .option('url', {
        type: 'string',
        requiresArg: true,
        describe: `The bridge (HEARTWIRE_URL, or ${DEFAULT_BRIDGE_URL})`,
      }),
  async run(args, io) {
    let url: string;
    try {
      url = feedUrl(args.url ?? io.env.HEARTWIRE_URL ?? DEFAULT_BRIDGE_URL);
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      io.err(tellError(error));
      return 2;
    }
    await sendNote(url, args.device, args.text.join(' '));
    return 0;
  },
};

/** @throws HeartwireError `bridge_unreachable`, `bridge_refused` */
function sendNote(url: string, device: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { handshakeTimeout: ANSWER_MS });
    const refused = (detail: string): void => reject(new HeartwireError('bridge_refused', detail));
    const unreachable = (detail: string): void =>
      reject(
        new HeartwireError('bridge_unreachable', `The bridge at ${url} did not take the note: ${detail}.`, {
          mend: 'Start it with `heartwire run --record DIR`, or say where it is with --url or HEARTWIRE_URL.',
        }),
      );
    const timer = setTimeout(() => {
      unreachable(`no answer within ${ANSWER_MS} ms`);
      socket.terminate();
    }, ANSWER_MS);
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'command', id: 'note', device, message: 'note', fields: { text } })),
    );
    socket.on('message', (data) => {
      const { type, payload } = JSON.parse(String(data));
      if (payload?.reply_to !== 'note') return;
      if (type === 'response') resolve();
      else refused(String(payload.message));
      socket.close();
    });
    socket.on('error', (error) => unreachable(error.message));
    socket.on('close', () => {
      clearTimeout(timer);
      unreachable('it closed the connection');
    });
  });
}
