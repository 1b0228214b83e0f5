// Lint first, then every test; further arguments go to vitest (`npm test -- test/feed`).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const step = (...args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
const lint = step('node_modules/@biomejs/biome/bin/biome', 'check', '.');
const tests = step('node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2));
process.exit(lint || tests);
