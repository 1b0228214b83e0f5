import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type { Identity } from '../contract/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../contract/wire/index.ts';
import type { Instant } from '../instant.ts';
import { addressLabel } from '../links/index.ts';
import type { Clock, Log, Timer } from '../system/index.ts';
import type { KnownBefore } from './core/session-events.ts';
import type { Arrival, Unannounced } from './unannounced-devices.ts';

/** What is different is written at most so often; a large file, which takes longer, less often. */
const WRITE_EVERY_MS = 2_000;
const SHARE_OF_TIME = 20;
/** A file that could not be written is tried again after so long. */
const AGAIN_AFTER_MS = 60_000;

interface KnownDevicesOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  /** All that are known now. */
  devices(): Iterable<KnownDevice>;
}

/** Keeps the unannounced devices in a file, so that the next run knows them. Whatever the disk does, the bridge goes on. */
export class KnownDevices {
  readonly #options: KnownDevicesOptions;
  #changed = false;
  #writing: Promise<void> | undefined;
  #timer: Timer | undefined;
  /** Monotonic ms before which nothing is written. */
  #notBefore = Number.NEGATIVE_INFINITY;
  #failed = false;
  /** A file that cannot be read may be another's, and is not written over. */
  #off = false;
  #closed = false;

  constructor(options: KnownDevicesOptions) {
    this.#options = options;
  }

  /** What the run before knew. */
  async load(): Promise<readonly KnownDevice[]> {
    const { file, log } = this.#options;
    try {
      const { devices, broken } = (await readKnown(file)) ?? { devices: [], broken: 0 };
      if (broken > 0) {
        const aside = `${file}.broken`;
        const kept = await rename(file, aside).then(
          () => `it was set aside as ${aside}`,
          (error: unknown) => `it could not be set aside as ${aside}: ${messageOf(error)}`,
        );
        const text = `${file} is broken (${broken} lines); ${devices.length} devices in it are known, and ${kept}`;
        log.error({ code: 'known_devices_unreadable' }, text);
      }
      return devices;
    } catch (error) {
      this.#off = true;
      const text = `${file} cannot be read, and no device is remembered in it: ${messageOf(error)}. Make it readable, or set known_devices.file`;
      log.error({ code: 'known_devices_unreadable' }, text);
      return [];
    }
  }

  /** Something that stands in the file is different now. */
  changed(): void {
    if (this.#closed) return;
    this.#changed = true;
    this.#writeLater();
  }

  /** Writes what is different still; what changes from here on is not kept. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#writing;
    if (this.#changed && !this.#off) await this.#write();
  }

  #writeLater(): void {
    if (this.#off || this.#closed || this.#timer !== undefined || this.#writing !== undefined) return;
    const { clock } = this.#options;
    const at = Math.max(clock.now().monoMs + WRITE_EVERY_MS, this.#notBefore);
    this.#timer = clock.setTimer(at, () => {
      this.#timer = undefined;
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        if (this.#changed) this.#writeLater();
      });
    });
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    const { file, clock, log, devices } = this.#options;
    const began = clock.now().monoMs;
    this.#changed = false;
    try {
      await writeKnown(file, devices());
      this.#notBefore = began + (clock.now().monoMs - began) * SHARE_OF_TIME;
      if (this.#failed) log.info({ event: 'known_devices_written' }, `${file} is written again`);
      this.#failed = false;
    } catch (error) {
      this.#changed = true;
      this.#notBefore = clock.now().monoMs + AGAIN_AFTER_MS;
      const text = `${file} cannot be written, and the next run will not know all devices: ${messageOf(error)}. Make its folder writable, or set known_devices.file`;
      if (!this.#failed) log.error({ code: 'known_devices_unwritable' }, text);
      this.#failed = true;
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const RESTARTED = 'it was known before the bridge was started again, and has not come back since';

/** What the file holds of all unannounced devices; of one whose state is secret, only its name and when it was there. */
export function* knownDevices(
  unannounced: Iterable<Readonly<Unannounced>>,
  conceals: (topic: string) => boolean,
  clock: Clock,
): Generator<KnownDevice> {
  for (const entry of unannounced) {
    const { runner, listener, byAddress, settled, arrival } = entry;
    // Nothing valid came of it: it is a link, and no device.
    if (runner.status === 'unknown') continue;
    const secret = conceals(`devices/${runner.id}/state`);
    const away = absenceOf(entry, clock.now());
    yield {
      id: runner.id,
      listener: addressLabel(listener.link),
      byAddress,
      settled,
      ...(secret ? {} : { host: arrival.host, identity: arrival.identity }),
      away: secret && away !== undefined ? { since: away.since, byItself: false } : away,
    };
  }
}

function absenceOf({ runner }: Unannounced, now: Instant): Away | undefined {
  const { state } = runner.reading;
  if (state.link.status === 'connected') return undefined;
  const { status, reason, detail } = state;
  const since = Math.round(now.wallMs - runner.awayMs());
  return { since, reason, detail, byItself: status === 'away' };
}

export function arrivalOf({ host = '', identity }: KnownDevice): Arrival {
  return identity === undefined ? { host } : { host, identity };
}

/** A device without a reason in the file was connected, or its reason was secret. */
export function knownBefore({ away, identity }: KnownDevice, now: Instant): KnownBefore {
  const {
    since = now.wallMs,
    reason = 'bridge_restarted',
    detail = RESTARTED,
    byItself = false,
  } = away ?? {};
  return { since, reason, detail, byItself, identity };
}

/** An unannounced device as it stands in the file. What subscribers may only read with a key is left out. */
export interface KnownDevice {
  readonly id: string;
  /** The address of its listener, as it is configured. */
  readonly listener: string;
  /** It never registered, and is known by its address. */
  readonly byAddress: boolean;
  readonly settled: boolean;
  readonly host?: string | undefined;
  readonly identity?: Identity | undefined;
  /** Since when it has had no link; absent: it had one. */
  readonly away?: Away | undefined;
}

interface Away {
  /** Epoch ms. */
  readonly since: number;
  readonly reason?: string | undefined;
  readonly detail?: string | undefined;
  readonly byItself: boolean;
}

/** What a file holds, and how many of its lines cannot be read. */
interface ReadKnown {
  readonly devices: readonly KnownDevice[];
  readonly broken: number;
}

const HEAD = { heartwire: 'known-devices', version: 1 } as const;
const NAME = /^[A-Za-z0-9._-]{1,128}$/;
/** A million devices are half of it; a larger file is none of this program. */
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

/** Undefined where it is none: a line in the file adds no device that a listener would not accept. */
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
  const { appid, imei, identity } = json;
  if (typeof identity === 'string') return { identity };
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
