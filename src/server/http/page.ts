import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SCRIPT_PATHS } from '../../access/index.ts';
import { HeartwireError } from '../../errors.ts';

/** A file that is sent as it is. */
export interface StaticFile {
  readonly body: Uint8Array;
  readonly etag: string;
}

/** The built-in page, ready to be sent. */
export interface Page extends StaticFile {
  /** The scripts that the page and others import, by their paths; none where they were not built. */
  readonly scripts: ReadonlyMap<string, StaticFile>;
  /** Admits the inline script and style of this very file, and scripts and the feed of the same origin. */
  readonly contentSecurityPolicy: string;
}

/** The page that ships with the package. */
export function builtInPage(): string {
  return inPackage('web', 'index.html');
}

/** A file beside `package.json`, from the sources and from `dist/`. */
function inPackage(...path: readonly string[]): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'web', 'index.html')) || folder === dirname(folder))
      return join(folder, ...path);
  }
}

/** @throws HeartwireError `page_unreadable` */
export async function loadPage(file: string): Promise<Page> {
  let body: Buffer;
  try {
    body = await readFile(file);
  } catch (cause) {
    throw new HeartwireError('page_unreadable', `The built-in page ${file} could not be read.`, {
      seen: file,
      fix: 'Install heartwire again; the file is part of the package.',
      cause,
    });
  }
  const html = body.toString('utf8');
  const scripts = new Map<string, StaticFile>();
  for (const path of SCRIPT_PATHS) {
    const script = await readFile(inPackage('dist', 'browser', path)).catch(() => undefined);
    if (script !== undefined) scripts.set(path, staticFile(script));
  }
  return {
    ...staticFile(body),
    scripts,
    contentSecurityPolicy: [
      "default-src 'none'",
      `script-src 'self' ${hashes(html, 'script')}`,
      `style-src ${hashes(html, 'style')}`,
      "connect-src 'self'",
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  };
}

function staticFile(body: Uint8Array): StaticFile {
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}

/** The hash of every inline element of that name; a browser runs nothing else. */
function hashes(html: string, element: 'script' | 'style'): string {
  const found = [...html.matchAll(new RegExp(`<${element}[^>]*>([\\s\\S]*?)</${element}>`, 'g'))];
  const sources = found.map((match) => {
    // Browsers hash the text after newlines were normalised.
    const text = (match[1] ?? '').replace(/\r\n?/g, '\n');
    return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  });
  return sources.length === 0 ? "'none'" : sources.join(' ');
}
