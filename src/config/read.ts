import type { BigIntStats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { TlsFiles } from '../contract/index.ts';
import { HeartwireError } from '../errors.ts';
import { FileRefusal, LARGEST_SECRET, openRegular, outOfDate, readTlsPair } from '../system/index.ts';
import { loadConfig } from './load.ts';
import { type MessageFile, namedMessageFiles } from './message-files.ts';
import { type LoadedMessages, loadMessages } from './messages/load-messages.ts';
import { findPack, messagesOfPack, packNamed } from './packs/find-pack.ts';
import { asProblem, type Finding, type Problem } from './problem.ts';
import { LARGEST_CONFIG, LARGEST_MESSAGES, largerThan } from './read-document.ts';
import type { LoadedConfig } from './report.ts';
import { type KeyFile, namedKeyFiles } from './secrecy.ts';
import { readTraceRoles } from './trace-roles.ts';
import { checkNesting, readYaml } from './yaml-source.ts';

const DEVICES_DOCUMENT = 'docs/reference/devices-yaml.md';

/** Names one version of a file: another text behind the same path has another stamp, also where its size is the same. */
export type FileStamp = string;

export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileStamp {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

/** A configuration, and the files that it came from. */
export interface ReadConfig extends LoadedConfig {
  /** The version of each that was read, by its path; undefined where it was not read here. */
  readonly sources: ReadonlyMap<string, FileStamp | undefined>;
}

/**
 * Reads and checks a `devices.yaml`, and the files of messages and of keys that it names, which lie beside it; `name`
 * is how problems name it, the path where it is left out. Rejects with `config_unreadable` where there is no such file, or
 * none that is text.
 */
export async function readConfig(path: string, name = path): Promise<ReadConfig> {
  const source = await readSource(path, name, LARGEST_CONFIG, DEVICES_DOCUMENT).catch((error: unknown) =>
    sizeProblem(error, name),
  );
  if (!('text' in source)) return { failed: [], problems: [source], sources: new Map([[path, undefined]]) };
  return checkConfigText(source.text, path, name, source.stamp);
}

/** As `readConfig`, of a text that stands, or is to stand, at the path. */
export async function checkConfigText(
  text: string,
  path: string,
  name: string,
  stamp?: FileStamp,
): Promise<ReadConfig> {
  const messages = new Map<string, MessageFile>();
  const sources = new Map<string, FileStamp | undefined>([[path, stamp]]);
  // A text that is nested too deeply is not looked into for names.
  const { value } = checkNesting(text) === undefined ? readYaml(text) : { value: undefined };
  for (const each of namedMessageFiles(value)) {
    const place = await placeOfMessages(each, dirname(path), dirname(name));
    if (place instanceof HeartwireError) {
      messages.set(each, { problems: [], unreadable: place });
      continue;
    }
    const { stamp: version, ...file } = await readMessageFile(place.path, place.name);
    messages.set(each, packNamed(each) === undefined ? file : withoutWarnings(file));
    sources.set(place.path, version);
  }
  const keys = new Map<string, KeyFile>();
  for (const each of namedKeyFiles(value)) {
    const place = resolve(dirname(path), each);
    const { stamp: version, ...file } = await readKeyFile(place, join(dirname(name), each));
    keys.set(each, file);
    sources.set(place, version);
  }
  const roles = await readTraceRoles(value);
  const load = (found?: readonly Finding[]) => loadConfig(text, name, messages, keys, found, roles);
  const loaded = await withCertificate(dirname(path), load);
  // The verifier of tokens reads it, each time that a configuration is applied.
  const key = loaded.config?.access?.jwt?.key.path;
  if (key !== undefined) sources.set(resolve(key), undefined);
  return { ...loaded, sources };
}

/**
 * Loads a configuration and looks into the certificate and the key that it names, which lie in `folder` unless their
 * paths are absolute; what is wrong with them is given to `load`, which reports it with its place.
 */
async function withCertificate(
  folder: string,
  load: (found?: readonly Finding[]) => LoadedConfig,
): Promise<LoadedConfig> {
  const loaded = load();
  const named = loaded.config?.server.tls;
  if (named === undefined) return loaded;
  const tls = { cert: resolve(folder, named.cert), key: resolve(folder, named.key) };
  const findings = await tlsFindings(tls, Date.now());
  const again = findings.length === 0 ? loaded : load(findings);
  if (again.config === undefined) return again;
  return { ...again, config: { ...again.config, server: { ...again.config.server, tls } } };
}

/** What is wrong with a certificate and its key, where the configuration names them. */
async function tlsFindings(files: TlsFiles, wallMs: number): Promise<readonly Finding[]> {
  const read = await readTlsPair(files);
  const late = 'error' in read ? undefined : outOfDate(read, files, wallMs);
  const error = 'error' in read ? read.error : late;
  if (error === undefined) return [];
  const of = 'error' in read ? read.of : 'cert';
  const { code, message, fix = 'Check the file.' } = error;
  const severity = late === undefined ? {} : { severity: 'warning' as const };
  return [{ ...severity, code, path: ['server', 'tls', of], message, fix }];
}

/**
 * Reads and checks a `messages.yaml`; `name` is how problems name it, the path where it is left out. Rejects with
 * `config_unreadable` where there is no such file, or none that is text.
 */
export async function readMessages(path: string, name = path): Promise<LoadedMessages> {
  return loadMessages(await readText(path, name, 'docs/reference/messages.md'), name);
}

/**
 * Reads and checks the messages that a person named from a folder: a file, or a pack (`pack:NAME`). Rejects with
 * `config_unreadable` or `pack_unknown` where there are none.
 */
export async function readNamedMessages(named: string, folder: string): Promise<LoadedMessages> {
  const place = await placeOfMessages(named, folder, '');
  if (place instanceof HeartwireError) throw place;
  const found = await readMessages(place.path, place.name);
  return packNamed(named) === undefined ? found : withoutWarnings(found);
}

/** A warning about a pack is for its author: `heartwire packs NAME --check` prints it. */
const withoutWarnings = <T extends { readonly problems: readonly Problem[] }>(found: T): T => ({
  ...found,
  problems: found.problems.filter(({ severity }) => severity === 'error'),
});

/** Where named messages lie, and how problems name their file: `folder` is that of the naming file, `shown` as named. */
async function placeOfMessages(
  named: string,
  folder: string,
  shown: string,
): Promise<{ readonly path: string; readonly name: string } | HeartwireError> {
  const pack = packNamed(named);
  if (pack === undefined) return { path: resolve(folder, named), name: join(shown, named) };
  try {
    const path = messagesOfPack(await findPack(pack, folder));
    return { path, name: path };
  } catch (error) {
    if (error instanceof HeartwireError) return error;
    throw error;
  }
}

async function readMessageFile(
  path: string,
  name: string,
): Promise<MessageFile & { readonly stamp?: FileStamp }> {
  try {
    const { text, stamp } = await readSource(path, name, LARGEST_MESSAGES, 'docs/reference/messages.md');
    return { ...loadMessages(text, name), stamp };
  } catch (error) {
    if (!(error instanceof HeartwireError)) throw error;
    if (error.code === 'config_too_large') return { problems: [sizeProblem(error, name)] };
    return { problems: [], unreadable: error };
  }
}

/** A file that is too large is a problem like those within others. @throws what is none of that kind */
function sizeProblem(error: unknown, name: string): Problem {
  if (error instanceof HeartwireError && error.code === 'config_too_large') return asProblem(error, name);
  throw error;
}

async function readKeyFile(path: string, name: string): Promise<KeyFile & { readonly stamp?: FileStamp }> {
  try {
    return await readSource(path, name, LARGEST_SECRET, DEVICES_DOCUMENT);
  } catch (error) {
    if (!(error instanceof HeartwireError)) throw error;
    return { unreadable: error.message };
  }
}

/** The text of a configuration file. `document` describes such files; it is named where there is none. */
export async function readText(path: string, name: string, document = DEVICES_DOCUMENT): Promise<string> {
  const largest = document === DEVICES_DOCUMENT ? LARGEST_CONFIG : LARGEST_MESSAGES;
  return (await readSource(path, name, largest, document)).text;
}

async function readSource(
  path: string,
  name: string,
  largest: number,
  document: string,
): Promise<{ readonly text: string; readonly stamp: FileStamp }> {
  try {
    await using file = await openRegular(path);
    // Before it is read: what is written meanwhile is another version.
    const found = await file.stat({ bigint: true });
    const stamp = stampOf(found);
    if (found.size > largest) throw tooLarge(Number(found.size), largest, name);
    const buffer = Buffer.alloc(largest + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0) break;
      // It may have grown, or have no size of its own.
      if (length > largest) throw tooLarge(length, largest, name);
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
    return { text, stamp };
  } catch (cause) {
    if (cause instanceof HeartwireError) throw cause;
    throw unreadable(cause, name, document);
  }
}

function tooLarge(size: number, largest: number, name: string): HeartwireError {
  return new HeartwireError('config_too_large', `${largerThan(size, largest)}: ${name}.`, {
    seen: name,
    fix: 'Check that this is the right file.',
  });
}

function unreadable(cause: unknown, name: string, document: string): HeartwireError {
  if (cause instanceof FileRefusal) return failure(cause.message.replace(/^i/, 'I'), 'Name a regular file.');
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  switch (code) {
    case 'ENOENT':
      return failure(
        'There is no such file',
        document === DEVICES_DOCUMENT
          ? `Name another one, or let \`heartwire init\` write it; ${document} has examples.`
          : `Name another one, or write it: ${document} has an example.`,
      );
    case 'EACCES':
    case 'EPERM':
      return failure('You may not read the file', 'Change its permissions, or run as another user.');
    case 'EISDIR':
      return failure('This is a folder', 'Name a file in it.');
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return failure('The file is not UTF-8 text', 'Save it as UTF-8.');
    default:
      return failure(cause instanceof Error ? cause.message : String(cause), 'Check the path and the disk.');
  }
  function failure(what: string, fix: string): HeartwireError {
    return new HeartwireError('config_unreadable', `${what}: ${name}.`, { seen: name, fix, cause });
  }
}
