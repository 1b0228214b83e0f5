import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { isJsonObject, type Json, type JsonObject } from '../contract/feed/json.ts';

/** An unannounced device as it stands in the file. What subscribers may only read with a key is left out. */
export interface KnownDevice {
  readonly id: string;
  /** The address of its listener, as it is configured. */
  readonly listener: string;
  /** It never registered, and is known by its address. */
  readonly byAddress: boolean;
  readonly settled: boolean;
  readonly host?: string | undefined;
  readonly identity?: { readonly appid: string; readonly imei: string } | undefined;
  /** Since when it has had no link; absent: it had one. */
  readonly away?: Away | undefined;
}

export interface Away {
  /** Epoch ms. */
  readonly since: number;
  readonly reason?: string | undefined;
  readonly detail?: string | undefined;
  readonly byItself: boolean;
}

/** What a file holds, and how many of its lines are none of ours. */
export interface ReadKnown {
  readonly devices: readonly KnownDevice[];
  readonly broken: number;
}

const HEAD = { heartwire: 'known-devices', version: 1 } as const;
const NAME = /^[A-Za-z0-9._-]{1,128}$/;
/** A million devices are half of it; more is no file of ours. */
const LARGEST_BYTES = 512 * 1024 * 1024;
/** So many devices are made text at once: the loop goes on between them. */
const LINES_AT_ONCE = 500;

/**
 * Reads the file; undefined where there is none.
 * @throws the error of the system where it cannot be read
 */
export async function readKnown(path: string): Promise<ReadKnown | undefined> {
  let handle: FileHandle;
  try {
    const { size } = await stat(path).then((found) => {
      // A pipe would never end.
      if (!found.isFile()) throw new Error('it is no file');
      return found;
    });
    if (size > LARGEST_BYTES) return { devices: [], broken: 1 };
    handle = await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  await using file = handle;
  const devices: KnownDevice[] = [];
  let broken = 0;
  let head = true;
  for await (const line of file.readLines({ encoding: 'utf8', autoClose: false })) {
    const json = parsed(line);
    if (head) {
      head = false;
      if (json?.heartwire !== HEAD.heartwire || json.version !== HEAD.version) return { devices, broken: 1 };
      continue;
    }
    const device = json && deviceOf(json);
    if (device === undefined) broken += 1;
    else devices.push(device);
  }
  return { devices, broken: head ? 1 : broken };
}

/**
 * Writes the file as a whole: there is the old one or the new one at any moment, also after a power cut.
 * @throws the error of the system
 */
export async function writeKnown(path: string, devices: Iterable<KnownDevice>): Promise<void> {
  const fresh = `${path}.new`;
  try {
    // What devices say of themselves is for the bridge alone.
    await using file = await open(fresh, 'w', 0o600);
    let lines = [JSON.stringify(HEAD)];
    for (const device of devices) {
      lines.push(JSON.stringify(device));
      if (lines.length < LINES_AT_ONCE) continue;
      await file.appendFile(`${lines.join('\n')}\n`);
      lines = [];
    }
    if (lines.length > 0) await file.appendFile(`${lines.join('\n')}\n`);
    await file.sync();
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => undefined);
    throw error;
  }
  await rename(fresh, path);
}

function parsed(line: string): JsonObject | undefined {
  try {
    const json: Json = JSON.parse(line); // what JSON.parse gives is JSON
    return isJsonObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined where it is none: whoever can write the file gets no other device into the bridge than a listener would. */
function deviceOf(json: JsonObject): KnownDevice | undefined {
  const { id, listener, byAddress, settled, host, identity, away } = json;
  if (typeof id !== 'string' || !NAME.test(id) || typeof listener !== 'string') return undefined;
  if (typeof byAddress !== 'boolean' || typeof settled !== 'boolean') return undefined;
  if (host !== undefined && typeof host !== 'string') return undefined;
  const known = { id, listener, byAddress, settled, host };
  const named = identity === undefined ? undefined : identityOf(identity);
  const gone = away === undefined ? undefined : awayOf(away);
  if ((identity !== undefined && named === undefined) || (away !== undefined && gone === undefined))
    return undefined;
  return { ...known, identity: named, away: gone };
}

function identityOf(json: Json): KnownDevice['identity'] {
  if (!isJsonObject(json)) return undefined;
  const { appid, imei } = json;
  return typeof appid === 'string' && typeof imei === 'string' ? { appid, imei } : undefined;
}

function awayOf(json: Json): Away | undefined {
  if (!isJsonObject(json)) return undefined;
  const { since, reason, detail, byItself } = json;
  if (typeof since !== 'number' || !Number.isSafeInteger(since) || typeof byItself !== 'boolean')
    return undefined;
  if (reason !== undefined && typeof reason !== 'string') return undefined;
  if (detail !== undefined && typeof detail !== 'string') return undefined;
  return { since, reason, detail, byItself };
}
