// Writes what is derived from the contracts: the schemas that are shipped, the tables of the documents,
// and the list of commands.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { commandsTable, commandsText, listed } from '../dist/src/cli/commands-text.js';
import { devicesJsonSchemaText } from '../dist/src/config/json-schema.js';
import { messagesJsonSchemaText, registersJsonSchemaText } from '../dist/src/config/messages/json-schema.js';
import { MESSAGES_TABLES } from '../dist/src/config/messages/tables.js';
import { packTables, readShippedPacks } from '../dist/src/config/packs/tables.js';
import { CONFIG_TABLES } from '../dist/src/config/tables.js';
import { asyncApiText } from '../dist/src/contract/feed/async-api.js';
import { pythonWireText } from '../dist/src/contract/feed/python-text.js';
import { TABLES, withTables } from '../dist/src/contract/feed/tables.js';
import { wireTypesText } from '../dist/src/contract/feed/wire-types-text.js';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
mkdirSync(at('schemas'), { recursive: true });
writeFileSync(at('schemas/devices.schema.json'), devicesJsonSchemaText());
writeFileSync(at('schemas/messages.schema.json'), messagesJsonSchemaText());
writeFileSync(at('schemas/registers.schema.json'), registersJsonSchemaText());
writeFileSync(at('schemas/asyncapi.json'), asyncApiText());
writeFileSync(at('src/contract/wire/wire-types.ts'), formatted(wireTypesText()));
writeFileSync(at('clients/python/heartwire/_wire.py'), pythonWireText());
const commandNames = readdirSync(at('src/cli/commands')).map((file) => file.replace(/\.ts$/, ''));
const commands = await Promise.all(
  commandNames.map(async (name) => [name, (await import(`../dist/src/cli/commands/${name}.js`)).command]),
);
writeFileSync(at('src/cli/commands.ts'), commandsText(new Map(commands)));
writeFileSync(at('src/outputs/output-kinds.ts'), formatted(outputKindsText()));
const inOrder = listed(new Map(commands)).map(([, command]) => command);
const COMMAND_TABLES = { commands: () => commandsTable(inOrder) };
const PACK_TABLES = packTables(await readShippedPacks());
for (const name of readdirSync(at('docs'), { recursive: true }).filter((each) => each.endsWith('.md'))) {
  const path = at(`docs/${name}`);
  const text = readFileSync(path, 'utf8');
  const written = withTables(text, {
    ...TABLES,
    ...CONFIG_TABLES,
    ...MESSAGES_TABLES,
    ...PACK_TABLES,
    ...COMMAND_TABLES,
  });
  if (written !== text) writeFileSync(path, written);
}

/** The outputs, by the first word of the names of the files that export one. */
function outputKindsText() {
  const files = readdirSync(at('src/outputs'))
    .filter((file) => file.endsWith('.ts'))
    .filter((file) => /^export const output\b/m.test(readFileSync(at(`src/outputs/${file}`), 'utf8')));
  const kindOf = (file) => file.replace(/\W.*$/, '');
  return [
    '// `npm run generate` writes this file from those in this folder that export `output`.',
    ...files.map((file) => `import { output as ${kindOf(file)} } from './${file}';`),
    '',
    `export const OUTPUT_KINDS = { ${files.map(kindOf).join(', ')} } as const;`,
    '',
  ].join('\n');
}

/** As Biome puts it in order. */
function formatted(text) {
  const biome = at('node_modules/@biomejs/biome/bin/biome');
  const { stdout, status } = spawnSync(
    process.execPath,
    [biome, 'format', '--stdin-file-path=wire-types.ts'],
    {
      input: text,
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error('Biome could not format the types.');
  return stdout;
}
