// A program of its own: prints what an independent reader (arrow-rs, the Parquet of Rust) finds in a file, as JSON.
import { readFileSync } from 'node:fs';
import { tableFromIPC } from 'apache-arrow';
import { readParquet } from 'parquet-wasm';

const [, , file = ''] = process.argv;
const table = tableFromIPC(readParquet(readFileSync(file)).intoIPCStream());
const { fields } = table.schema;
const columns = fields.map(({ name, type, nullable }) => ({ name, type: String(type), nullable }));
const rows = table.toArray().map((row) => fields.map(({ name }) => row[name]));
console.log(JSON.stringify({ columns, rows }));
