// Writes the JSON Schemas that are shipped from the shapes that are checked; run after a change in src/config/.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { devicesJsonSchemaText } from '../dist/src/config/json-schema.js';
import { messagesJsonSchemaText } from '../dist/src/config/messages/json-schema.js';

const folder = fileURLToPath(new URL('../schemas/', import.meta.url));
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}devices.schema.json`, devicesJsonSchemaText());
writeFileSync(`${folder}messages.schema.json`, messagesJsonSchemaText());
