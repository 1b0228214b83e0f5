import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { devicesJsonSchema } from '../../src/config/json-schema.ts';
import { runCli } from './check-io.ts';

it('schema devices prints the JSON Schema, from any folder', async () => {
  const { code, out, err } = await runCli(['schema', 'devices'], tmpdir());
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(JSON.parse(out)).toEqual(devicesJsonSchema());
});
