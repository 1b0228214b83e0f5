import { describe, expect, test } from 'vitest';
import { projectFiles, readProjectFile } from '../../support/project-files.ts';
import { scanSource } from '../../support/source-text.ts';

const NAMES = 'src/links/names/';
/** What Node looks names up for by the system's function, unless it is given addresses or a `lookup`. */
const LOOKS_UP: ReadonlyArray<readonly [what: string, pattern: RegExp]> = [
  ['dns', /"§dns"/],
  ['connects', /(?<![.\w#])connect\s*\(\s*\{(?![^}]*\b(?:lookup|path)\b)/],
  ['opens a WebSocket', /new WebSocket\s*\([^)]*\{(?![^)]*\blookup\b)/],
  ['listens', /\.listen\s*\(\s*\{\s*host\s*:/],
  ['fetches', /(?<![.\w#])fetch\s*\(/],
];

/** The code of a file with the specifiers of its imports of `node:dns` in place. */
function codeOf(path: string): string {
  const { code, strings } = scanSource(readProjectFile(path));
  return code.replace(/"§(\d+)"/g, (_, index: string) =>
    strings[Number(index)]?.startsWith('node:dns') ? '"§dns"' : '""',
  );
}

describe('names', () => {
  test('are looked up nowhere else', () => {
    const found = projectFiles(['src'], ['.ts'])
      .filter((path) => !path.startsWith(NAMES))
      .flatMap((path) => {
        const code = codeOf(path);
        return LOOKS_UP.filter(([, pattern]) => pattern.test(code)).map(([what]) => `${path} ${what}`);
      });
    expect(found).toEqual([
      // A command that asks one bridge, in a process of its own.
      'src/cli/bridge-http.ts fetches',
      // The loopback address, to find a free port.
      'src/cli/commands/demo.ts listens',
      // Hosts that were resolved just before.
      'src/cli/examine.ts fetches',
      'src/links/server-port.ts listens',
      'src/links/sharing/tcp-exposure.ts listens',
    ]);
    for (const path of ['src/cli/examine.ts', 'src/links/server-port.ts'])
      expect(codeOf(path)).toContain('await listeningHost(host)');
    expect(codeOf('src/links/sharing/tcp-exposure.ts')).toContain('void listeningHost(host).then(');
  });
});
