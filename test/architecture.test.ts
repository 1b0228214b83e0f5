import { describe, expect, it } from 'vitest';
import {
  breaches,
  cycles,
  doorBreaches,
  idleOffers,
  impureReaches,
  type Room,
  roomOf,
  shapeBreaches,
} from './support/import-law.ts';
import { projectFiles, readProjectFile } from './support/project-files.ts';

/**
 * The import law: a room imports only from rooms with a lower floor number, and from itself. What lies in a `core/` is
 * pure and stands on the floor of its room, which it serves.
 */
const ROOMS: readonly Room[] = [
  { path: 'src/error-codes.ts', floor: 0, pure: true },
  { path: 'src/errors.ts', floor: 1, pure: true },
  { path: 'src/instant.ts', floor: 0, pure: true },
  { path: 'src/contract', floor: 2, pure: true, packages: ['zod'] },
  { path: 'src/system', floor: 3 },
  { path: 'src/protocol', floor: 3, pure: true },
  { path: 'src/client', floor: 3 },
  { path: 'src/trace', floor: 4, pure: true },
  { path: 'src/guess', floor: 5, pure: true },
  { path: 'src/links', floor: 5 },
  { path: 'src/config', floor: 6 },
  { path: 'src/devices', floor: 7 },
  { path: 'src/devices/core', floor: 7, pure: true },
  { path: 'src/recording', floor: 8 },
  { path: 'src/capture', floor: 8 },
  { path: 'src/inspection', floor: 9 },
  { path: 'src/access', floor: 9 },
  { path: 'src/history', floor: 10 },
  { path: 'src/history/core', floor: 10, pure: true },
  { path: 'src/outputs', floor: 10 },
  { path: 'src/outputs/core', floor: 10, pure: true },
  { path: 'src/feed', floor: 10 },
  { path: 'src/feed/core', floor: 10, pure: true },
  { path: 'src/backplane', floor: 11 },
  { path: 'src/backplane/core', floor: 11, pure: true },
  { path: 'src/server', floor: 11 },
  { path: 'src/encryption', floor: 11 },
  { path: 'src/app', floor: 12 },
  { path: 'src/replay', floor: 13 },
  {
    path: 'src/simulator',
    floor: 13,
    only: ['src/errors.ts', 'src/instant.ts', 'src/contract', 'src/system', 'src/protocol', 'src/links'],
  },
  { path: 'src/testing', floor: 14 },
  { path: 'src/cli', floor: 14 },
  { path: 'src/index.ts', floor: 14 },
  { path: 'bin', floor: 15, process: true },
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
        'src/system/clock.ts',
      ]),
    );
  });

  it('obeys the import law', () => {
    expect(house.flatMap((file) => breaches(ROOMS, file))).toEqual([]);
  });

  it('has pure files that reach pure files only', () => {
    expect(impureReaches(ROOMS, house)).toEqual([]);
  });

  it('has no circle of imports, those of types included', () => {
    expect(cycles(house)).toEqual([]);
  });

  it('has rooms that are entered by their doors', () => {
    expect(doorBreaches(house, ['src/client/secret.ts'])).toEqual([]);
  });

  it('has doors that offer what other rooms take', () => {
    expect(
      idleOffers(house, [
        'src/index.ts',
        'src/client/index.ts',
        'src/inspection/index.ts',
        'src/testing/index.ts',
      ]),
    ).toEqual([]);
  });

  it('is made of small files with names in kebab-case', () => {
    const all = [...house, ...files('test', 'bench', 'scripts')];
    expect(all.flatMap((file) => shapeBreaches(file, LONGEST))).toEqual([]);
  });
});

describe('the law has teeth', () => {
  it.each([
    [
      'src/feed/core/store.ts',
      "import { route } from '../../server/http/routes.ts';",
      'of floor 11, but src/feed/core stands on floor 10',
    ],
    ['src/feed/core/store.ts', "import type { Route } from '../../server/http/routes.ts';", 'of floor 11'],
    ['src/feed/core/store.ts', "export * from '../../server/http/routes.ts';", 'of floor 11'],
    [
      'src/replay/replay.ts',
      "import '../simulator/fleet.ts';",
      'of floor 13, but src/replay stands on floor 13',
    ],
    ['src/app/bridge.ts', "await import('../cli/run.ts');", 'of floor 14'],
    ['src/app/bridge.ts', 'await import(name);', 'imports something that is not written out'],
    [
      'src/app/bridge.ts',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is program text.
      'await import(`../cli/${name}.ts`);',
      'imports something that is not written out',
    ],
    ['src/app/bridge.ts', "import x from '../../test/x.ts';", 'imports test/x.ts, which belongs to no room'],
    ['src/instant.ts', "import type { ErrorCode } from './error-codes.ts';", 'of floor 0'],
    [
      'src/devices/core/session.ts',
      "import { createHash } from 'node:crypto';",
      'is pure, but imports node:crypto',
    ],
    ['src/protocol/crc.ts', "import { z } from 'zod';", 'is pure, but imports zod'],
    ['src/protocol/crc.ts', "export { z } from 'zod';", 'is pure, but imports zod'],
    ['src/contract/patch.ts', "import { crc } from '../protocol/crc.ts';", 'of floor 3'],
    ['src/contract/patch.ts', "import pino from 'pino';", 'is pure, but imports pino'],
    ['src/client/client.ts', "import { Store } from '../feed/store.ts';", 'of floor 10'],
    ['src/client/client.ts', "import { Clock } from '../system/clock.ts';", 'of floor 3'],
    ['src/feed/core/store.ts', "import { Hub } from '../hub.ts';", 'of floor 10'],
    ['src/simulator/fleet.ts', "import { load } from '../config/load.ts';", 'may import only'],
    ['src/devices/core/session.ts', 'const at = Date.now();', 'is pure, but reads a clock'],
    ['src/devices/core/session.ts', 'const at = new Date();', 'is pure, but reads a clock'],
    ['src/devices/core/session.ts', 'const at = performance.now();', 'is pure, but reads a clock'],
    ['src/devices/core/session.ts', 'const pick = Math.random();', 'is pure, but draws random numbers'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is program text.
    ['src/devices/core/session.ts', 'const text = `${Math.random()}`;', 'is pure, but draws random numbers'],
    ['src/devices/core/session.ts', 'setTimeout(beat, 3);', 'is pure, but sets a timer'],
    ['src/devices/core/session.ts', 'const bytes = Buffer.alloc(4);', 'is pure, but uses Buffer'],
    [
      'src/devices/core/session.ts',
      'const quote = /["\'`]/; const bytes: Buffer = x;',
      'is pure, but uses Buffer',
    ],
    ['src/devices/core/session.ts', 'new Intl.DateTimeFormat();', 'is pure, but asks for a time zone'],
    ['src/devices/core/session.ts', 'new Date(wallMs).getHours();', 'is pure, but asks for the local time'],
    ['src/devices/core/session.ts', 'console.log(1);', 'is pure, but reaches outside'],
    ['src/system/log.ts', 'process.stdout.write(text);', 'uses process'],
    ['src/system/log.ts', "import { stdout } from 'node:process';", 'uses process'],
    ['src/system/log.ts', 'const { env } = process;', 'uses process'],
    ['src/devices/core/session.ts', 'process.nextTick(beat);', 'is pure, but sets a timer'],
    [
      'src/devices/core/session.ts',
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
    expect(breaches(ROOMS, { path: 'src/devices/core/a.ts', text })).toEqual([
      'src/devices/core/a.ts:4: is pure, but reads a clock',
    ]);
  });

  it('complains of names and sizes', () => {
    expect(shapeBreaches({ path: 'src/feed/myStore.ts', text: '' }, 3)).toEqual([
      'src/feed/myStore.ts: is not kebab-case',
    ]);
    expect(shapeBreaches({ path: 'src/feed/core/store.ts', text: '1\n2\n3\n4\n' }, 3)).toEqual([
      'src/feed/core/store.ts: has 4 lines, more than 3',
    ]);
    expect(shapeBreaches({ path: 'test/feed/store.test.ts', text: '1\n2\n3\n' }, 3)).toEqual([]);
  });
});

describe('the law sees from file to file', () => {
  const file = (path: string, text: string) => ({ path, text });

  it('a circle, through types as well', () => {
    const circle = [
      file('src/feed/core/a.ts', "import { b } from './b.ts';"),
      file('src/feed/core/b.ts', "import type { C } from './c.ts';"),
      file('src/feed/core/c.ts', "export * from './a.ts';"),
    ];
    expect(cycles(circle)).toEqual([
      'src/feed/core/a.ts -> src/feed/core/b.ts -> src/feed/core/c.ts -> src/feed/core/a.ts',
    ]);
    expect(cycles(circle.slice(0, 2))).toEqual([]);
  });

  it('what a pure file reaches at run time', () => {
    const clock = file('src/system/clock.ts', 'export const now = () => Date.now();');
    const between = file('src/system/between.ts', "import { now } from './clock.ts';");
    const reaches = (text: string) =>
      impureReaches(ROOMS, [file('src/feed/core/a.ts', text), between, clock]);
    expect(reaches("import { x } from '../../system/between.ts';")).toEqual([
      'src/feed/core/a.ts: reaches src/system/clock.ts, which is not pure',
    ]);
    expect(reaches("import type { Clock } from '../../system/clock.ts';")).toEqual([]);
    const door = file(
      'src/system/index.ts',
      "export { type Clock, now } from './clock.ts'; export { Ring } from './ring.ts';",
    );
    const ring = file('src/system/ring.ts', 'export class Ring {}');
    const through = (text: string) =>
      impureReaches(ROOMS, [file('src/feed/core/a.ts', text), door, clock, ring]);
    expect(through("import { type Clock, Ring } from '../../system/index.ts';")).toEqual([]);
    expect(through("import { now } from '../../system/index.ts';")).toEqual([
      'src/feed/core/a.ts: reaches src/system/clock.ts, which is not pure',
    ]);
  });

  it('who passes a door', () => {
    const from = (text: string) => doorBreaches([file('src/app/bridge.ts', text)], ['src/client/secret.ts']);
    expect(from("import { a } from '../feed/hub/a.ts';")).toEqual([
      'src/app/bridge.ts: imports src/feed/hub/a.ts, past the door of src/feed',
    ]);
    expect(from("import { a } from '../feed/index.ts'; import { s } from '../client/secret.ts';")).toEqual(
      [],
    );
    expect(from("import { a } from './reload/a.ts'; import { e } from '../errors.ts';")).toEqual([]);
  });

  it('who passes the door of a room inside a room', () => {
    const inner = file('src/contract/wire/index.ts', "export { a } from './a.ts';");
    const from = (path: string, text: string) => doorBreaches([inner, file(path, text)], []);
    expect(from('src/contract/feed/b.ts', "import type { A } from '../wire/a.ts';")).toEqual([
      'src/contract/feed/b.ts: imports src/contract/wire/a.ts, past the door of src/contract/wire',
    ]);
    expect(from('src/client/b.ts', "import { a } from '../contract/wire/index.ts';")).toEqual([]);
    expect(
      from('src/contract/wire/b.ts', "import { a } from './a.ts'; import { c } from '../c.ts';"),
    ).toEqual([]);
  });

  it('which names of a door are not taken', () => {
    const door = file(
      'src/links/index.ts',
      "export { a, type B } from './a.ts'; export { c } from './c.ts';",
    );
    const user = file(
      'src/app/x.ts',
      "import { a as b } from '../links/index.ts'; const { c } = await import('../links/index.ts');",
    );
    expect(idleOffers([door, user], [])).toEqual(['src/links/index.ts: offers B, which no other room takes']);
    expect(idleOffers([door], ['src/links/index.ts'])).toEqual([]);
  });
});

describe('the law lets pass', () => {
  it.each([
    [
      'src/feed/core/store.ts',
      "import { match } from './match.ts'; import { crc } from '../../protocol/crc.ts';",
    ],
    ['src/contract/patch.ts', "import type { Instant } from '../instant.ts'; import { z } from 'zod';"],
    ['src/client/client.ts', "import { apply } from '../contract/patch.ts'; import WebSocket from 'ws';"],
    ['src/simulator/fleet.ts', "import { crc } from '../protocol/crc.ts'; import net from 'node:net';"],
    ['src/app/bridge.ts', "import { load } from '../config/load.ts'; import { a } from './reload/a.ts';"],
    [
      'src/devices/core/session.ts',
      "const at = Date.UTC(2026, 0, 1); const text = 'process.exit, Date.now()';",
    ],
    [
      'src/devices/core/session.ts',
      '// Date.now()\nconst day = new Date(wallMs).toISOString(); task.process();',
    ],
    ['src/devices/core/session.ts', 'const half = total / 2; /* Buffer */ const ratio = half / 3;'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is program text.
    ['src/devices/core/session.ts', 'const text = `Buffer ${name} process.env ${`Math.random() ${1}`}`;'],
    ['src/server/http/a.ts', 'const here = import.meta.url; const child = spawn(); child.process.kill();'],
    ['src/links/tcp.ts', "process.nextTick(opened); if (process.platform === 'win32') beat();"],
    ['bin/heartwire.ts', "import { main } from '../src/cli/main.ts'; process.exitCode = 2;"],
  ])('%s with %s', (path, text) => {
    expect(breaches(ROOMS, { path, text })).toEqual([]);
  });

  it('finds the innermost room', () => {
    expect(roomOf(ROOMS, 'src/feed/core/store.ts')?.path).toBe('src/feed/core');
    expect(roomOf(ROOMS, 'src/feed/cores.ts')?.path).toBe('src/feed');
    expect(roomOf(ROOMS, 'src/feeds/a.ts')).toBeUndefined();
  });
});
