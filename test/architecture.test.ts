import { describe, expect, it } from 'vitest';
import { breaches, type Room, roomOf, shapeBreaches } from './support/import-law.ts';
import { projectFiles, readProjectFile } from './support/project-files.ts';

/** The import law: a room imports only from rooms with a lower floor number, and from itself. */
const ROOMS: readonly Room[] = [
  { path: 'src/errors.ts', floor: 0, pure: true },
  { path: 'src/instant.ts', floor: 0, pure: true },
  { path: 'src/printable.ts', floor: 0, pure: true },
  { path: 'src/protocol', floor: 1, pure: true },
  { path: 'src/trace', floor: 2, pure: true },
  { path: 'src/device', floor: 3, pure: true },
  { path: 'src/feed', floor: 4, pure: true },
  { path: 'src/feed/wire', floor: 4, pure: true, only: ['src/errors.ts', 'src/instant.ts'] },
  { path: 'src/access', floor: 5, pure: true },
  { path: 'src/client', floor: 5, only: ['src/feed/wire'] },
  { path: 'src/regular-file.ts', floor: 5 },
  { path: 'src/local-time.ts', floor: 6 },
  { path: 'src/links', floor: 6 },
  { path: 'src/config', floor: 7 },
  { path: 'src/runtime', floor: 8 },
  {
    path: 'src/simulator',
    floor: 8,
    only: ['src/errors.ts', 'src/instant.ts', 'src/protocol', 'src/local-time.ts', 'src/links'],
  },
  { path: 'src/testing', floor: 9 },
  { path: 'src/cli', floor: 9 },
  { path: 'src/index.ts', floor: 9 },
  { path: 'bin', floor: 10, process: true },
];

const LONGEST = 450;

const files = (...below: readonly string[]) =>
  projectFiles(below, ['.ts', '.mjs']).map((path) => ({ path, text: readProjectFile(path) }));

describe('the house', () => {
  const house = files('src', 'bin');

  it('is there to be judged', () => {
    expect(house.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        'src/errors.ts',
        'src/instant.ts',
        'src/protocol/decoder.ts',
        'src/runtime/clock.ts',
      ]),
    );
  });

  it('obeys the import law', () => {
    expect(house.flatMap((file) => breaches(ROOMS, file))).toEqual([]);
  });

  it('is made of small files with names in kebab-case', () => {
    const all = [...house, ...files('test', 'bench', 'scripts')];
    expect(all.flatMap((file) => shapeBreaches(file, LONGEST))).toEqual([]);
  });
});

describe('the law has teeth', () => {
  it.each([
    [
      'src/feed/store.ts',
      "import { systemClock } from '../runtime/clock.ts';",
      'of floor 8, but src/feed stands on floor 4',
    ],
    ['src/feed/store.ts', "import type { Clock } from '../runtime/clock.ts';", 'of floor 8'],
    ['src/feed/store.ts', "export * from '../runtime/clock.ts';", 'of floor 8'],
    [
      'src/runtime/bridge.ts',
      "import '../simulator/fleet.ts';",
      'of floor 8, but src/runtime stands on floor 8',
    ],
    ['src/runtime/bridge.ts', "await import('../cli/run.ts');", 'of floor 9'],
    ['src/runtime/bridge.ts', 'await import(name);', 'imports something that is not written out'],
    [
      'src/runtime/bridge.ts',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is program text.
      'await import(`../cli/${name}.ts`);',
      'imports something that is not written out',
    ],
    [
      'src/runtime/bridge.ts',
      "import x from '../../test/x.ts';",
      'imports test/x.ts, which belongs to no room',
    ],
    ['src/errors.ts', "import type { Instant } from './instant.ts';", 'of floor 0'],
    [
      'src/device/session.ts',
      "import { createHash } from 'node:crypto';",
      'is pure, but imports node:crypto',
    ],
    ['src/protocol/crc.ts', "import { z } from 'zod';", 'is pure, but imports zod'],
    ['src/protocol/crc.ts', "export { z } from 'zod';", 'is pure, but imports zod'],
    [
      'src/feed/wire/patch.ts',
      "import { crc } from '../../protocol/crc.ts';",
      'may import only src/errors.ts, src/instant.ts',
    ],
    ['src/feed/wire/patch.ts', "import { Store } from '../store.ts';", 'may import only'],
    ['src/client/client.ts', "import { Store } from '../feed/store.ts';", 'may import only src/feed/wire'],
    ['src/simulator/fleet.ts', "import { load } from '../config/load.ts';", 'may import only'],
    ['src/device/session.ts', 'const at = Date.now();', 'is pure, but reads a clock'],
    ['src/device/session.ts', 'const at = new Date();', 'is pure, but reads a clock'],
    ['src/device/session.ts', 'const at = performance.now();', 'is pure, but reads a clock'],
    ['src/device/session.ts', 'const pick = Math.random();', 'is pure, but draws random numbers'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is program text.
    ['src/device/session.ts', 'const text = `${Math.random()}`;', 'is pure, but draws random numbers'],
    ['src/device/session.ts', 'setTimeout(beat, 3);', 'is pure, but sets a timer'],
    ['src/device/session.ts', 'const bytes = Buffer.alloc(4);', 'is pure, but uses Buffer'],
    ['src/device/session.ts', 'const quote = /["\'`]/; const bytes: Buffer = x;', 'is pure, but uses Buffer'],
    ['src/device/session.ts', 'new Intl.DateTimeFormat();', 'is pure, but asks for a time zone'],
    ['src/device/session.ts', 'new Date(wallMs).getHours();', 'is pure, but asks for the local time'],
    ['src/device/session.ts', 'console.log(1);', 'is pure, but reaches outside'],
    ['src/runtime/log.ts', 'process.stdout.write(text);', 'uses process'],
    ['src/runtime/log.ts', "import { stdout } from 'node:process';", 'uses process'],
    ['src/runtime/log.ts', 'const { env } = process;', 'uses process'],
    ['src/device/session.ts', 'process.nextTick(beat);', 'is pure, but sets a timer'],
    [
      'src/device/session.ts',
      "if (process.platform === 'win32') beat();",
      'is pure, but asks about the machine',
    ],
    ['src/links/tcp.ts', 'const home = process.env.HOME;', 'uses process'],
    ['src/attic/box.ts', '', 'belongs to no room'],
  ])('%s with %s', (path, text, expected) => {
    const found = breaches(ROOMS, { path, text });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('names the line', () => {
    const text = "/* Date.now()\n * more */\nconst a = 'x';\nconst at = Date.now(); // now\n";
    expect(breaches(ROOMS, { path: 'src/device/a.ts', text })).toEqual([
      'src/device/a.ts:4: is pure, but reads a clock',
    ]);
  });

  it('complains of names and sizes', () => {
    expect(shapeBreaches({ path: 'src/feed/myStore.ts', text: '' }, 3)).toEqual([
      'src/feed/myStore.ts: is not kebab-case',
    ]);
    expect(shapeBreaches({ path: 'src/feed/store.ts', text: '1\n2\n3\n4\n' }, 3)).toEqual([
      'src/feed/store.ts: has 4 lines, more than 3',
    ]);
    expect(shapeBreaches({ path: 'test/feed/store.test.ts', text: '1\n2\n3\n' }, 3)).toEqual([]);
  });
});

describe('the law lets pass', () => {
  it.each([
    [
      'src/feed/store.ts',
      "import { match } from './wire/match.ts'; import { crc } from '../protocol/crc.ts';",
    ],
    ['src/feed/wire/patch.ts', "import type { Instant } from '../../instant.ts'; import './match.ts';"],
    ['src/client/client.ts', "import { apply } from '../feed/wire/patch.ts'; import WebSocket from 'ws';"],
    ['src/simulator/fleet.ts', "import { crc } from '../protocol/crc.ts'; import net from 'node:net';"],
    ['src/runtime/bridge.ts', "import { load } from '../config/load.ts'; import { a } from './http/a.ts';"],
    ['src/device/session.ts', "const at = Date.UTC(2026, 0, 1); const text = 'process.exit, Date.now()';"],
    ['src/device/session.ts', '// Date.now()\nconst day = new Date(wallMs).toISOString(); task.process();'],
    ['src/device/session.ts', 'const half = total / 2; /* Buffer */ const ratio = half / 3;'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is program text.
    ['src/device/session.ts', 'const text = `Buffer ${name} process.env ${`Math.random() ${1}`}`;'],
    ['src/runtime/http/a.ts', 'const here = import.meta.url; const child = spawn(); child.process.kill();'],
    ['src/links/tcp.ts', "process.nextTick(opened); if (process.platform === 'win32') beat();"],
    ['bin/heartwire.ts', "import { main } from '../src/cli/main.ts'; process.exitCode = 2;"],
  ])('%s with %s', (path, text) => {
    expect(breaches(ROOMS, { path, text })).toEqual([]);
  });

  it('finds the innermost room', () => {
    expect(roomOf(ROOMS, 'src/feed/wire/patch.ts')?.path).toBe('src/feed/wire');
    expect(roomOf(ROOMS, 'src/feed/wired.ts')?.path).toBe('src/feed');
    expect(roomOf(ROOMS, 'src/feeds/a.ts')).toBeUndefined();
  });
});
