// Writes the schemas that are shipped from what is checked; run after a change in src/config/ or src/feed/schema/.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { devicesJsonSchemaText } from '../dist/src/config/json-schema.js';
import { messagesJsonSchemaText } from '../dist/src/config/messages/json-schema.js';
import { asyncApiText } from '../dist/src/contract/feed/schema/async-api.js';

const folder = fileURLToPath(new URL('../schemas/', import.meta.url));
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}devices.schema.json`, devicesJsonSchemaText());
writeFileSync(`${folder}messages.schema.json`, messagesJsonSchemaText());
writeFileSync(`${folder}asyncapi.json`, asyncApiText());
