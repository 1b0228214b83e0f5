import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { replay, traceFixture } from '../../src/testing/index.ts';
import { runCli } from '../cli/check-io.ts';

const FOLDER = fileURLToPath(new URL('../../fixtures/traces/declared/', import.meta.url));

it.each([
  ['telemetry', 'messages'],
  ['budget', 'checked'],
  ['air', 'air'],
])('%s, spoken as %s.yaml says, comes out as expected', async (name, messages) => {
  const golden = ['--expect', `${name}.golden.jsonl`];
  const argv = ['replay', `${name}.trace`, '--messages', `${messages}.yaml`, ...golden];
  expect(await runCli(argv, FOLDER)).toMatchObject({ code: 0, err: '' });
});

it('declared values stand in the state of a replayed device', () => {
  const messages = readFileSync(`${FOLDER}messages.yaml`, 'utf8');
  const device = replay(traceFixture(`${FOLDER}telemetry.trace`), { messages });
  expect(device.playTo(1.5).state).toMatchObject({
    values: { telemetry: { temperature: 23.13, mode: 'heating' } },
  });
  expect(device.finish()).toEqual([]);
});

it('the dissector knows them', async () => {
  const { code, out } = await runCli(['dissector', '--messages', 'messages.yaml'], FOLDER);
  expect(code).toBe(0);
  expect(out).toContain('ProtoField.int16("heartwire.telemetry.temperature"');
  expect(await runCli(['dissector', '--messages', 'none.yaml'], FOLDER)).toMatchObject({ code: 2 });
});
