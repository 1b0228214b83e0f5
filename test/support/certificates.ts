import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { needs } from './needs.ts';

const need = needs('openssl');

/** Whether certificates can be made here; hand it to `describe.runIf`. */
export const hasOpenssl = need.run;

/** A certificate for 127.0.0.1, localhost and its own name that vouches for itself, with its key, in two files of a folder. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  /** What a client compares to know which one it was shown. */
  readonly fingerprint: string;
}

export function makeCertificate(folder: string, name: string, days = 30): TestCertificate {
  const cert = join(folder, `${name}.crt`);
  const key = join(folder, `${name}.key`);
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:${name}`];
  const args = ['req', '-x509', ...kind, '-keyout', key, '-out', cert, '-days', String(days), ...names];
  execFileSync(need.path, args, { stdio: 'pipe' });
  return { cert, key, fingerprint: new X509Certificate(readFileSync(cert)).fingerprint256 };
}
