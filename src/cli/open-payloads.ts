import type { Decode } from '../client/index.ts';
import { openSecrets, type SecretProblem } from '../client/secret.ts';
import { printable } from '../system/printable.ts';
import { KEY_MEND } from './bridge-keys.ts';

/** So many different problems are told: whoever is connected to chooses the names of keys. */
const MAX_TOLD = 8;
const LONGEST_ID = 64;

/**
 * The `decode` of a command: opens what one of the keys fits, and leaves the rest as it came. Of each key that is not
 * here it is told once, with the first topic that wanted it.
 */
export function openPayloads(keys: readonly Uint8Array[], note: (text: string) => void): Decode {
  const told = new Set<string>();
  const onProblem = (problem: SecretProblem): void => {
    const what = `${problem.reason} ${problem.keyId}`;
    if (told.has(what) || told.size >= MAX_TOLD) return;
    told.add(what);
    note(printable(problemText(problem)));
  };
  // A key alone does not say what it is called, so each is tried; what the last one cannot open, none can.
  const last = keys.at(-1);
  if (last === undefined) return openSecrets({ keys: {}, onProblem });
  const openers = keys.slice(0, -1).map((key) => openSecrets({ keys: () => key }));
  openers.push(openSecrets({ keys: () => last, onProblem }));
  return (message) =>
    openers.reduce<ReturnType<Decode>>(
      (before, open) => (before instanceof Promise ? before.then(open) : open(before)),
      message,
    );
}

function problemText({ reason, topic = 'the answer', keyId, message }: SecretProblem): string {
  if (keyId === undefined) return `${topic} is shown as it came. ${message}`;
  const encrypted = `${topic} is encrypted with the key "${keyId.slice(0, LONGEST_ID)}", and shown as it came.`;
  return `${encrypted} ${reason === 'key_unknown' ? 'No key was given.' : message} ${KEY_MEND}`;
}
