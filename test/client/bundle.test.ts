import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BridgeFace } from '../support/bridge-face.ts';
import { PROJECT_ROOT, readProjectFile } from '../support/project-files.ts';

const file = join(PROJECT_ROOT, 'dist/browser/heartwire-client.js');

describe('the client for browsers', () => {
  const text = (): Buffer => {
    expect(existsSync(file), 'npm test bundles it first; so does npm run build').toBe(true);
    return readFileSync(file);
  };

  it('is one small file that imports nothing', () => {
    expect(gzipSync(text(), { level: 9 }).length).toBeLessThan(8_000);
    expect(text().toString()).not.toMatch(/\bimport\b|\brequire\b|node:/);
  });

  it('loses no name that the wire, a caller or its own code speaks of', () => {
    const [, list = ''] = /INTERNAL = `([^`]*)`/.exec(readProjectFile('scripts/bundle-client.mjs')) ?? [];
    const wire = ['server-messages', 'client-messages', 'field-types', 'topic-documents'].flatMap((name) =>
      keys(withoutComments(readProjectFile(`src/contract/feed/${name}.ts`))),
    );
    const quoted = [
      ...text()
        .toString()
        .matchAll(/[`'"](\w+)[`'"]/g),
    ].map(([, word = '']) => word);
    const spoken = new Set([...wire, ...publicNames(), ...quoted]);
    expect(
      ['reply_to', 'retryAtMs', 'maxHz', 'unsubscribe', 'topic'].map((each) => spoken.has(each)),
    ).toEqual([true, false, true, true, true]);
    expect(words(list).length).toBeGreaterThan(10);
    expect(words(list).filter((name) => spoken.has(name))).toEqual([]);
  });

  it('is served by the bridge, and only to who has another version', async () => {
    await using face = await BridgeFace.open();
    const address = `${face.url}/heartwire-client.js`;
    const first = await fetch(address);
    expect([first.status, first.headers.get('content-type')]).toEqual([
      200,
      'text/javascript; charset=utf-8',
    ]);
    expect(first.headers.get('x-content-type-options')).toBe('nosniff');
    expect(Buffer.from(await first.arrayBuffer()).equals(text())).toBe(true);
    const again = await fetch(address, { headers: { 'If-None-Match': String(first.headers.get('etag')) } });
    expect(again.status).toBe(304);
  });
});

function words(text: string): string[] {
  return text.match(/\w+/g) ?? [];
}

/** The keys of objects and types; words within texts are none. */
function keys(text: string): string[] {
  return [...text.replace(/'[^'\n]*'|`[^`]*`/g, '').matchAll(/(\w+)\??:/g)].map(([, key = '']) => key);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
}

/** The members of everything that `heartwire/client` exports, but those which are only there for its own parts. */
function publicNames(): string[] {
  const index = readProjectFile('src/client/index.ts');
  return [...index.matchAll(/export (?:type )?{([^}]*)} from '(\.[^']*)'/g)].flatMap(
    ([, names = '', path = '']) => {
      const file = readProjectFile(join('src/client', path));
      return words(names).flatMap((name) => {
        const [, block = ''] =
          new RegExp(`^export (?:interface|class|type) ${name}\\b([\\s\\S]*?)^(?:}|$)`, 'm').exec(file) ?? [];
        return words(withoutComments(withoutOwn(block)));
      });
    },
  );
}

/** Without the bodies of methods, private members, and what says that it is for the client or for `connect`. */
function withoutOwn(block: string): string {
  const members = block.split(/\n(?= {2}(?:\/\*\*|\S))/);
  const own = members.filter(
    (_, at) => !/^ {2}\/\*\* For (?:the client|`connect`)/.test(members[at - 1] ?? ''),
  );
  return own
    .filter((each) => !/^ {2}(?:readonly |async \*?|get )*#/.test(each))
    .map((each) => each.replace(/ {\n[\s\S]*/, ''))
    .join('\n');
}
