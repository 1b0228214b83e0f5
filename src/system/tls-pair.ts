import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { TlsFiles } from '../contract/tls-files.ts';
import { type ErrorCode, HeartwireError } from '../errors.ts';
import { FileRefusal, LARGEST_SECRET, readRegular } from './regular-file.ts';

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
