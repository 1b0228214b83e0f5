import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { SCRIPT_PATHS } from '../../access/index.ts';
import { HeartwireError } from '../../errors.ts';

/** A file of the page. */
export interface StaticFile {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly type: string;
  /** Its name holds a hash of its content: it need never be asked for again. */
  readonly immutable: boolean;
  /** Compressed when it is first wanted so, and then kept; undefined where that saves nothing. */
  gzipped(): Promise<Uint8Array | undefined>;
}

/** The built-in page, ready to be sent. */
export interface Page {
  readonly html: StaticFile;
  /** What the page loads, and the scripts that others import, by path. */
  readonly files: ReadonlyMap<string, StaticFile>;
  /** Admits scripts, styles and the feed of the same origin; nothing inline. */
  readonly contentSecurityPolicy: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

/** The page that ships with the package, built from the sources in web/. */
export function builtInPage(): string {
  return inPackage('dist', 'web', 'index.html');
}

/** A file beside `package.json`, from the sources and from `dist/`. */
function inPackage(...path: readonly string[]): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) || folder === dirname(folder)) return join(folder, ...path);
  }
}

/** @throws HeartwireError `page_unreadable` */
export async function loadPage(file: string): Promise<Page> {
  try {
    const body = await readFile(file);
    const files = new Map<string, StaticFile>();
    for (const path of await pathsBeside(file)) {
      files.set(path, staticFile(await readFile(join(dirname(file), path)), path));
    }
    for (const path of SCRIPT_PATHS) {
      const script = await readFile(inPackage('dist', 'browser', path)).catch(() => undefined);
      if (script !== undefined) files.set(path, staticFile(script, path));
    }
    return {
      html: staticFile(body, file),
      files,
      contentSecurityPolicy: CONTENT_SECURITY_POLICY,
    };
  } catch (cause) {
    throw new HeartwireError('page_unreadable', `The built-in page ${file} could not be read.`, {
      seen: file,
      fix: 'Install heartwire again; the file is part of the package.',
      cause,
    });
  }
}

/** The files that belong to a page: those in the folder of the page that have a type, and in `assets` beside it. */
async function pathsBeside(file: string): Promise<readonly string[]> {
  const own = await readdir(dirname(file));
  const assets = await readdir(join(dirname(file), 'assets')).catch(() => []);
  const paths = [...own.map((name) => `/${name}`), ...assets.map((name) => `/assets/${name}`)];
  return paths.filter((path) => Object.hasOwn(TYPES, extname(path)) && !path.endsWith('.html'));
}

/** Scripts, styles and the feed of the same origin, and nothing inline. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const compress = promisify(gzip);
/** Below it, the headers weigh more than what is saved. */
const LEAST_COMPRESSED_BYTES = 1_024;

function staticFile(body: Uint8Array, path: string): StaticFile {
  let compressed: Promise<Uint8Array | undefined> | undefined;
  return {
    body,
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    type: TYPES[extname(path)] ?? 'application/octet-stream',
    immutable: path.startsWith('/assets/'),
    gzipped: () => {
      compressed ??= body.byteLength < LEAST_COMPRESSED_BYTES ? Promise.resolve(undefined) : compress(body);
      return compressed;
    },
  };
}
