import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs outside npm that some tests need; Heartwire itself needs none of them. */
export type Tool =
  | 'python3'
  | 'chromium'
  | 'socat'
  | 'nc'
  | 'curl'
  | 'tshark'
  | 'tcpdump'
  | 'dumpcap'
  | 'openssl'
  | 'nginx'
  | 'ser2net'
  | 'systemd-analyze'
  | 'mosquitto'
  | 'influxd'
  | 'redis-server'
  | 'promtool'
  | 'cc';

export interface Need {
  /** False only where the tool is missing and may be: hand it to `describe.runIf`. */
  readonly run: boolean;
  /** The executable; its bare name where it was not found, so that starting it fails and says so. */
  readonly path: string;
}

const NAMES: Readonly<Record<Tool, readonly string[]>> = {
  python3: ['python3'],
  chromium: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  socat: ['socat'],
  nc: ['nc'],
  curl: ['curl'],
  tshark: ['tshark'],
  tcpdump: ['tcpdump'],
  dumpcap: ['dumpcap'],
  openssl: ['openssl'],
  nginx: ['nginx'],
  ser2net: ['ser2net'],
  'systemd-analyze': ['systemd-analyze'],
  mosquitto: ['mosquitto'],
  influxd: ['influxd'],
  promtool: ['promtool'],
  'redis-server': ['redis-server', 'valkey-server'],
  cc: ['cc'],
};

/**
 * Looks for a tool on the PATH. Tests that lack it are skipped with a printed reason, except under
 * `HEARTWIRE_TEST_ALL=1`: there they run, and fail.
 */
export function needs(tool: Tool, env: Readonly<Record<string, string | undefined>> = process.env): Need {
  const found = findExecutable(NAMES[tool], `${env.PATH ?? ''}:/usr/sbin`);
  if (found !== undefined) return { run: true, path: found };
  const run = env.HEARTWIRE_TEST_ALL === '1';
  if (!run) console.warn(`skipped: ${tool} is not installed (HEARTWIRE_TEST_ALL=1 makes that a failure)`);
  return { run, path: tool };
}

function findExecutable(names: readonly string[], searchPath: string): string | undefined {
  const folders = searchPath.split(delimiter).filter((folder) => folder !== '');
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (isExecutable(path)) return path;
    }
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not ours to run: both mean that this is not the one.
    return false;
  }
}
