import type { Argv } from 'yargs';
import type { Decode } from '../client/index.ts';
import { openSecrets, type SecretProblem } from '../client/secret.ts';
import { keyOfText } from '../config/index.ts';
import { HeartwireError } from '../errors.ts';
import { printable } from '../system/index.ts';
import { type BridgeArgs, bridgeOptions } from './bridge-options.ts';
import type { CliIo } from './command.ts';
import { secretText } from './files.ts';

interface KeyArgs {
  'key-file': readonly string[] | undefined;
}

/** What is said where something is encrypted and no key fits. */
const KEY_FIX = 'Set HEARTWIRE_KEY, or name the file of the key with --key-file.';
const KEY_FORM = 'A key is 32 bytes in base64, as `heartwire key` prints one.';
/** Every payload may be tried with each of them. */
const MAX_KEYS = 16;

/** `bridgeOptions` of a command that shows what devices say, with the keys; like a token, never typed themselves. */
export function readerOptions<T>(yargs: Argv<T>): Argv<T & BridgeArgs & KeyArgs> {
  return bridgeOptions(yargs).option('key-file', {
    type: 'string',
    array: true,
    // Once for each file, so that it takes no pattern for one.
    nargs: 1,
    describe: 'A file with a key for what the bridge encrypts, instead of HEARTWIRE_KEY; once for each file',
  });
}

/**
 * The keys for what a bridge encrypts: from the files, or from HEARTWIRE_KEY, one or several with space between them.
 *
 * @throws HeartwireError `bad_argument`
 */
export async function bridgeKeys(
  files: readonly string[] | undefined,
  io: CliIo,
): Promise<readonly Uint8Array[]> {
  const keys =
    files === undefined
      ? keysIn(io.env.HEARTWIRE_KEY ?? '', 'HEARTWIRE_KEY')
      : (await Promise.all(files.map((file) => keysOf(file, io)))).flat();
  if (keys.length > MAX_KEYS) throw bad(`At most ${MAX_KEYS} keys can be given, not ${keys.length}.`);
  return keys;
}

async function keysOf(file: string, io: CliIo): Promise<Uint8Array[]> {
  const keys = keysIn(await secretText('a key', file, KEY_FORM, io), file);
  if (keys.length === 0) throw bad(`${file} holds no key.`, file);
  return keys;
}

function keysIn(text: string, where: string): Uint8Array[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  return words.map((word) => {
    const key = keyOfText(word);
    if (typeof key === 'string') throw bad(`${where} holds no key, but ${key}.`, where);
    return key;
  });
}

function bad(message: string, seen?: string): HeartwireError {
  return new HeartwireError('bad_argument', message, {
    ...(seen === undefined ? {} : { seen }),
    fix: KEY_FORM,
  });
}

/** Different problems that are reported: the peer chooses the names of keys. */
const MAX_REPORTED = 8;
const LONGEST_ID = 64;

/**
 * The `decode` of a command: opens what one of the keys fits, and leaves the rest as it came. Of each key that is not
 * here one problem is reported, with the first topic that needs it.
 */
export function openPayloads(keys: readonly Uint8Array[], note: (text: string) => void): Decode {
  const reported = new Set<string>();
  const onProblem = (problem: SecretProblem): void => {
    const what = `${problem.reason} ${problem.keyId}`;
    if (reported.has(what) || reported.size >= MAX_REPORTED) return;
    reported.add(what);
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
  return `${encrypted} ${reason === 'key_unknown' ? 'No key was given.' : message} ${KEY_FIX}`;
}
