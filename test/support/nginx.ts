import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { makeCertificate, type TestCertificate } from './certificates.ts';
import { freePort } from './free-port.ts';
import { needs } from './needs.ts';
import { readProjectFile } from './project-files.ts';

const need = needs('nginx');

/** Whether the real nginx can be run here; hand it to `describe.runIf`. */
export const hasNginx = need.run;

/** The nginx of this machine with the configuration that is shipped, on ports of the test. Use with `await using`. */
export class Nginx {
  readonly folder: string;
  readonly certificate: TestCertificate;
  /** For `https`. */
  readonly port: number;
  /** For `http`, which leads to `https`. */
  readonly plainPort: number;
  readonly #child: ChildProcess;
  #said = '';

  private constructor(folder: string, certificate: TestCertificate, ports: readonly [number, number]) {
    this.folder = folder;
    this.certificate = certificate;
    [this.port, this.plainPort] = ports;
    const config = join(folder, 'nginx.conf');
    this.#child = spawn(need.path, ['-p', folder, '-c', config, '-e', 'stderr'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr?.on('data', (text) => {
      this.#said += String(text);
    });
  }

  /** Of several ports: with the upstream that is shipped for several instances. */
  static async start(...bridgePorts: readonly [number, ...number[]]): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'heartwire-nginx-'));
    const certificate = makeCertificate(folder, 'panel.example');
    const ports = [await freePort(), await freePort()] as const;
    const shipped = changed(readProjectFile('docs/deploy/nginx.conf'), [
      [/^.*listen \[::\].*\n/gm, ''],
      [/listen 80;/, `listen 127.0.0.1:${ports[1]};`],
      [/listen 443 ssl;/, `listen 127.0.0.1:${ports[0]} ssl;`],
      ...upstreams(bridgePorts),
      [/ssl_certificate {5}\S+;/, `ssl_certificate ${certificate.cert};`],
      [/ssl_certificate_key \S+;/, `ssl_certificate_key ${certificate.key};`],
    ]);
    writeFileSync(join(folder, 'nginx.conf'), mainConfig(folder, shipped));
    const nginx = new Nginx(folder, certificate, ports);
    await expect.poll(() => nginx.#answers(), { message: nginx.#said }).toBe(true);
    return nginx;
  }

  async #answers(): Promise<boolean> {
    if (this.#child.exitCode !== null) throw new Error(`nginx ended: ${this.#said}`);
    return fetch(`http://127.0.0.1:${this.plainPort}/`, { redirect: 'manual' }).then(
      ({ status }) => status === 301,
      () => false,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await gone;
    }
    rmSync(this.folder, { recursive: true });
  }
}

function upstreams(ports: readonly number[]): ReadonlyArray<readonly [RegExp, string]> {
  const [first, second] = ports;
  const changes: Array<readonly [RegExp, string]> = [
    [/server 127\.0\.0\.1:8080 /, `server 127.0.0.1:${first} `],
  ];
  if (second === undefined) return changes;
  const shipped = readProjectFile('docs/deploy/nginx-upstreams.conf');
  return [
    [/^upstream heartwire \{[\s\S]*?^\}\n/m, shipped],
    ...changes,
    [/server 127\.0\.0\.1:8082 /, `server 127.0.0.1:${second} `],
  ];
}

/** What Debian has around a file in `conf.d`, with all that is written below one folder. */
function mainConfig(folder: string, shipped: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path ${join(folder, kind)};`,
  );
  return [
    'daemon off;',
    `user ${userInfo().username};`,
    'worker_processes 1;',
    `pid ${join(folder, 'nginx.pid')};`,
    'error_log stderr warn;',
    'events { worker_connections 256; }',
    'http {',
    '  access_log off;',
    ...temporary,
    shipped,
    '}',
    '',
  ].join('\n');
}

/** Every change must find its place, or the test would run something else than what is shipped. */
function changed(text: string, changes: ReadonlyArray<readonly [RegExp, string]>): string {
  return changes.reduce((before, [pattern, replacement]) => {
    const after = before.replace(pattern, replacement);
    if (after === before) throw new Error(`docs/deploy/nginx.conf has no ${pattern}`);
    return after;
  }, text);
}
