import type { CommandOutcome, FeedCommand } from '../contract/command.ts';
import type { DeviceDirectory } from '../devices/device-directory.ts';
import type { Recorder } from '../recording/recorder.ts';

const MOST_CHARACTERS = 1_000;

/** Performs the command `note`: a line of text in the trace of a device; undefined where it is another command. */
export function noteCommand(
  command: FeedCommand,
  directory: DeviceDirectory,
  recorder: Recorder | undefined,
): Promise<CommandOutcome> | undefined {
  if (command.message !== 'note') return undefined;
  return Promise.resolve(note(command, directory, recorder));
}

function note(
  { device, fields }: FeedCommand,
  directory: DeviceDirectory,
  recorder: Recorder | undefined,
): CommandOutcome {
  const refused = (
    code: 'device_unknown' | 'bad_field' | 'recording_off',
    message: string,
  ): CommandOutcome => ({
    ok: false,
    code,
    message,
    retry: false,
  });
  if (directory.get(device) === undefined) {
    return refused('device_unknown', `There is no device ${device}; GET /api/devices lists them.`);
  }
  const { text, ...others } = fields;
  const [other] = Object.keys(others);
  if (other !== undefined) return refused('bad_field', `note has no field ${other}; it takes text.`);
  if (typeof text !== 'string' || text.trim() === '' || text.length > MOST_CHARACTERS) {
    return refused('bad_field', `note takes a text of 1 to ${MOST_CHARACTERS} characters.`);
  }
  if (recorder?.note(device, text) !== true) {
    return refused('recording_off', `${device} is not recorded, so there is no trace to write a note into.`);
  }
  return { ok: true, result: {} };
}
