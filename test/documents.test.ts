import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../src/cli/commands.ts';
import { commandsTable } from '../src/cli/commands-text.ts';
import { devicesJsonSchema } from '../src/config/json-schema.ts';
import { loadConfig } from '../src/config/load.ts';
import { loadMessages } from '../src/config/messages/load-messages.ts';
import { MESSAGES_TABLES } from '../src/config/messages/tables.ts';
import { packTables, readShippedPacks } from '../src/config/packs/tables.ts';
import { formatProblem } from '../src/config/problem.ts';
import { CONFIG_TABLES } from '../src/config/tables.ts';
import { TABLES, withTables } from '../src/contract/feed/tables.ts';
import { Stats } from '../src/devices/core/stats.ts';
import { announced, DEFAULT_FEED_LIMITS } from '../src/feed/hub/limits.ts';
import { parseLinkAddress, parseListenAddress } from '../src/links/transports.ts';
import { encodeFrame } from '../src/protocol/codec.ts';
import type { Message } from '../src/protocol/message.ts';
import { projectFiles, readProjectFile } from './support/project-files.ts';

describe('the tables of the documents', async () => {
  const pages = projectFiles(['docs'], ['.md']);
  const commands = () => commandsTable(COMMANDS);
  const packs = packTables(await readShippedPacks());
  const tables = { ...TABLES, ...CONFIG_TABLES, ...MESSAGES_TABLES, ...packs, commands };

  it('are as the contracts say (else run `npm run generate`)', () => {
    for (const page of pages) {
      expect(withTables(readProjectFile(page), tables), page).toBe(readProjectFile(page));
    }
  });

  it('stand somewhere, each of them', () => {
    const text = pages.map(readProjectFile).join('\n');
    const missing = Object.keys(tables).filter((name) => !text.includes(`<!-- table: ${name} -->`));
    expect(missing).toEqual([]);
  });

  it.each(['nothing', 'keys of NOTHING', 'keys of 2nd-order things'])(
    'are refused where none is %s',
    (name) => {
      expect(() => withTables(`<!-- table: ${name} -->\n<!-- end -->`)).toThrow(RangeError);
    },
  );
});

describe('docs/reference/feed.md', () => {
  it('says what every count of a device is, and which limits it tells', () => {
    const text = readProjectFile('docs/reference/feed.md');
    const keys = [...Object.keys(new Stats().counts), ...Object.keys(announced(DEFAULT_FEED_LIMITS))];
    expect(keys.filter((key) => !text.includes(`\`${key}\``))).toEqual([]);
  });
});

describe('docs/reference/devices-yaml.md', () => {
  const text = readProjectFile('docs/reference/devices-yaml.md');

  interface Schema {
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly anyOf?: readonly Schema[];
    readonly items?: Schema;
    readonly description?: string;
    readonly default?: unknown;
  }

  /** The rows that a schema asks for: every described key, dotted, with its default. */
  function wanted(schema: Schema, path = ''): readonly string[] {
    return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
      const preset = value.default;
      const shown =
        preset === undefined ? '' : `\`${typeof preset === 'string' ? preset : JSON.stringify(preset)}\``;
      const own =
        value.description === undefined
          ? []
          : [`| \`${path}${key}\` | ${shown} | ${value.description} |`.replace('|  |', '| |')];
      return [...own, ...[value, ...(value.anyOf ?? [])].flatMap((each) => wanted(each, `${path}${key}.`))];
    });
  }

  it('explains every key with its default, in the words of the schema', () => {
    const { server, access, defaults, devices, listeners } = devicesJsonSchema().properties as Record<
      string,
      Schema
    >;
    const parts = [server, access, defaults, devices?.items, listeners?.items].map((each) =>
      wanted(each ?? {}),
    );
    for (const part of parts) expect(part.length).toBeGreaterThan(3);
    expect([...new Set(parts.flat())].filter((row) => !text.includes(row))).toEqual([]);
  });

  it('shows an example without a problem', () => {
    const example = /```yaml\n(server:[\s\S]*?)```/.exec(text)?.[1] ?? '';
    expect(loadConfig(example, 'example').problems.map(formatProblem)).toEqual([]);
    expect(loadConfig(example, 'example').config?.devices).toHaveLength(3);
  });

  it('shows links that are understood', () => {
    const links = [...text.matchAll(/^\| (`.*?`) \| .* \|$/gm)]
      .flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, link = '']) => link))
      .filter((link) => /^(?:tcp[:-]|udp[:-]|rfc2217:|unix:|serial:|\/dev|COM|\\\\)/.test(link));
    expect(links.length).toBeGreaterThan(6);
    for (const link of links) {
      const concrete = link.replace('HOST', 'host').replace('PORT', '9089');
      const parsed = /^(?:tcp|udp)-listen:/.test(link)
        ? parseListenAddress(concrete)
        : parseLinkAddress(concrete);
      expect(parsed, link).toMatchObject({ ok: true });
    }
  });
});

describe('docs/reference/links.md', () => {
  it('shows devices that are understood', () => {
    const examples = readProjectFile('docs/reference/links.md').match(/(?<=```yaml\n)[\s\S]*?(?=```)/g) ?? [];
    expect(examples.length).toBeGreaterThan(5);
    for (const each of examples) {
      const named = [...each.matchAll(/messages: (.*)/g)].map(([, name = '']) => name);
      const files = new Map(named.map((name) => [name, loadMessages(readProjectFile(name), name)]));
      const { problems } = loadConfig(each, 'example', files);
      expect(problems.filter(({ file }) => file === 'example').map(formatProblem), each).toEqual([]);
    }
  });
});

describe('docs/reference/protocol.md', () => {
  const messages: readonly Message[] = [
    { name: 'register', kind: 'reply', error: 0 },
    { name: 'register', kind: 'reply', error: -1 },
    { name: 'heartbeat', kind: 'request' },
    { name: 'heartbeat', kind: 'reply', error: 0 },
    { name: 'datetime', kind: 'request' },
    { name: 'datetime', kind: 'reply', error: 0, fields: { datetime: '2026-11-21 00:07:36' } },
    { name: 'datetime', kind: 'reply', error: -1, fields: {} },
  ];

  it('shows the bytes that are really sent', () => {
    // Rows whose bytes are written out in full: a length of 8 digits first, nothing abridged.
    const rows =
      readProjectFile('docs/reference/protocol.md').match(/^\| `[0-9a-f]{8}`( `[0-9a-f]+`)+ \|/gm) ?? [];
    const shown = rows.map((row) => row.replace(/[^0-9a-f]/g, ''));
    expect(shown).toEqual(messages.map((message) => Buffer.from(encodeFrame(message)).toString('hex')));
  });
});

describe('what the documents say about installing', () => {
  const documents = [...projectFiles(['docs'], ['.md']), 'README.md', 'README.zh-CN.md', 'CONTRIBUTING.md'];

  it('takes a packed file: the package is in no registry', () => {
    expect(documents).toContain('docs/reference/library.md');
    const wrong = documents.filter((path) =>
      /npm (?:install|i|add)(?: -\S+)* heartwire(?![\w.-]*\.tgz|\/)/.test(readProjectFile(path)),
    );
    expect(wrong).toEqual([]);
  });
});
