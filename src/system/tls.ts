import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { TlsFiles } from '../contract/index.ts';
import { type ErrorCode, HeartwireError } from '../errors.ts';
import type { Clock, Timer } from './clock.ts';
import { FileRefusal, LARGEST_SECRET, readRegular } from './files.ts';

/** A certificate with its chain and its key, as the files hold them. */
export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Between these instants the certificate is valid, wall clock. */
  readonly validFrom: number;
  readonly validUntil: number;
}

/** The pair in two files, or which of the two is to be fixed, and how. */
export type ReadPair = TlsPair | { readonly of: keyof TlsFiles; readonly error: HeartwireError };

/** Reads a pair, and makes sure that it can be served: both are PEM, and they belong to each other. */
export async function readTlsPair(files: TlsFiles): Promise<ReadPair> {
  const [cert, key] = await Promise.all([readPem(files.cert, 'cert'), readPem(files.key, 'key')]);
  if (!Buffer.isBuffer(cert)) return cert;
  if (!Buffer.isBuffer(key)) return key;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch (cause) {
    return invalid(
      'cert',
      files.cert,
      'holds no certificate',
      'Name the PEM file that begins with `-----BEGIN CERTIFICATE-----`.',
      cause,
    );
  }
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(key);
  } catch (cause) {
    const locked = key.includes('ENCRYPTED');
    return invalid(
      'key',
      files.key,
      locked ? 'holds a key that is locked with a passphrase' : 'holds no private key',
      locked
        ? 'Unlock it with `openssl pkey -in locked.pem -out key.pem`, and let only the bridge read it.'
        : 'Name the PEM file that begins with `-----BEGIN PRIVATE KEY-----`.',
      cause,
    );
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    return failure(
      'key',
      'tls_mismatch',
      files.key,
      `The key ${files.key} does not belong to the certificate ${files.cert}.`,
      'Name the two files of one certificate; in a file with a chain, its own certificate stands first.',
    );
  }
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const what = `cannot be served (${cause instanceof Error ? cause.message : String(cause)})`;
    return invalid(
      'cert',
      files.cert,
      what,
      'Make a certificate that OpenSSL accepts: RSA of 2048 bits or more, or ECDSA.',
      cause,
    );
  }
  const { validFrom, validTo } = certificate;
  return { cert, key, validFrom: Date.parse(validFrom), validUntil: Date.parse(validTo) };
}

/** What is to be said of a pair that browsers refuse at this time; undefined where they accept its dates. */
export function outOfDate(pair: TlsPair, files: TlsFiles, wallMs: number): HeartwireError | undefined {
  if (wallMs >= pair.validFrom && wallMs <= pair.validUntil) return undefined;
  const early = wallMs < pair.validFrom;
  const at = new Date(early ? pair.validFrom : pair.validUntil).toISOString();
  return new HeartwireError(
    'tls_expired',
    early
      ? `The certificate ${files.cert} is not valid before ${at}.`
      : `The certificate ${files.cert} was valid until ${at}.`,
    {
      seen: files.cert,
      fix: early ? 'Check the clock of this machine.' : 'Renew it; the new one is served without a restart.',
    },
  );
}

async function readPem(path: string, of: keyof TlsFiles): Promise<Buffer | Exclude<ReadPair, TlsPair>> {
  try {
    return await readRegular(path, LARGEST_SECRET);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const missing = code === 'ENOENT';
    const denied = code === 'EACCES' || code === 'EPERM';
    const why = missing
      ? 'there is no such file'
      : denied
        ? 'this user may not read it'
        : cause instanceof FileRefusal
          ? cause.message
          : String(cause);
    const fix = missing
      ? 'Check the path; it is looked for beside devices.yaml unless it is absolute.'
      : denied
        ? 'Give the user of the bridge the right to read it.'
        : 'Name a regular file that can be read.';
    const what = of === 'cert' ? 'certificate' : 'key';
    return failure(of, 'tls_unreadable', path, `The ${what} ${path} cannot be read: ${why}.`, fix, cause);
  }
}

function invalid(of: keyof TlsFiles, path: string, what: string, fix: string, cause: unknown) {
  return failure(of, 'tls_invalid', path, `${path} ${what}.`, fix, cause);
}

function failure(
  of: keyof TlsFiles,
  code: ErrorCode,
  seen: string,
  message: string,
  fix: string,
  cause?: unknown,
) {
  return { of, error: new HeartwireError(code, message, { seen, fix, cause }) };
}

/** How often it is looked whether the files have changed. */
const LOOK_MS = 5_000;

/** A server that can go on with another certificate. */
export interface TlsServing {
  setSecureContext(options: SecureContextOptions): void;
}

export interface TlsSourceOptions {
  readonly files: TlsFiles;
  readonly clock: Clock;
  /** A new pair is served from now on. */
  renewed?(validUntil: number): void;
  /** The new files cannot be served, and the former pair still is; or the dates of the present one do not fit. */
  failed?(error: HeartwireError): void;
}

/**
 * One pair of certificate and key for all servers of a bridge, read again when its files change. The files are looked
 * at, not watched: what renews certificates swaps links, folders or whole mounts, which watching does not see.
 */
export class TlsSource {
  readonly #options: TlsSourceOptions;
  readonly #servers = new Set<TlsServing>();
  #first: Promise<SecureContextOptions> | undefined;
  /** The files as they were when they were read last, and as they were at the last look. */
  #taken = '';
  #seen = '';
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: TlsSourceOptions) {
    this.#options = options;
  }

  /**
   * The pair to begin with.
   * @throws HeartwireError `tls_unreadable`, `tls_invalid`, `tls_mismatch`
   */
  load(): Promise<SecureContextOptions> {
    this.#first ??= this.#begin();
    return this.#first;
  }

  /** From now on this server gets every new pair. */
  serve(server: TlsServing): void {
    this.#servers.add(server);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#servers.clear();
  }

  async #begin(): Promise<SecureContextOptions> {
    const { files } = this.#options;
    this.#taken = await stampOf(files);
    this.#seen = this.#taken;
    const read = await readTlsPair(files);
    if ('error' in read) throw read.error;
    const late = outOfDate(read, files, this.#options.clock.now().wallMs);
    if (late !== undefined) this.#options.failed?.(late);
    this.#arm();
    return { cert: read.cert, key: read.key };
  }

  #arm(): void {
    if (this.#closed) return;
    const { clock } = this.#options;
    this.#timer = clock.setTimer(clock.now().monoMs + LOOK_MS, () => {
      void this.#look().then(() => this.#arm());
    });
  }

  async #look(): Promise<void> {
    const stamp = await stampOf(this.#options.files);
    // Two files are never replaced at once: what has stood still from one look to the next is complete.
    const settled = stamp === this.#seen;
    this.#seen = stamp;
    if (!settled || stamp === this.#taken || this.#closed) return;
    this.#taken = stamp;
    const read = await readTlsPair(this.#options.files);
    if ('error' in read) {
      this.#options.failed?.(read.error);
      return;
    }
    for (const server of this.#servers) server.setSecureContext({ cert: read.cert, key: read.key });
    this.#options.renewed?.(read.validUntil);
    const late = outOfDate(read, this.#options.files, this.#options.clock.now().wallMs);
    if (late !== undefined) this.#options.failed?.(late);
  }
}

/** Changes whenever one of the files does, or leads elsewhere, or goes. */
async function stampOf(files: TlsFiles): Promise<string> {
  const stamps = [files.cert, files.key].map(async (path) => {
    try {
      const { dev, ino, size, mtimeMs, ctimeMs } = await stat(path);
      return [dev, ino, size, mtimeMs, ctimeMs].join(':');
    } catch {
      // Why it cannot be read is said when it is read.
      return 'gone';
    }
  });
  return (await Promise.all(stamps)).join(' ');
}
