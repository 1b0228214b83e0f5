import { resolve } from 'node:path';
import type { TlsFiles } from '../contract/tls-files.ts';
import { outOfDate, readTlsPair } from '../system/tls.ts';
import type { Finding } from './problem.ts';
import type { LoadedConfig } from './report.ts';

/**
 * Loads a configuration and looks into the certificate and the key that it names, which lie in `folder` unless their
 * paths are absolute; what is wrong with them is handed to `load`, to be told with its place.
 */
export async function withCertificate(
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
