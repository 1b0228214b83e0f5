import { readText } from '../read.ts';
import { type LoadedMessages, loadMessages } from './load-messages.ts';

/**
 * Reads and checks a `messages.yaml`; `name` is how problems name it, the path where it is left out. Rejects with
 * `config_unreadable` where there is no such file, or none that is text.
 */
export async function readMessages(path: string, name = path): Promise<LoadedMessages> {
  return loadMessages(await readText(path, name, 'docs/messages.md'), name);
}
