import { expect, test } from 'vitest';
import { FAULT_EXAMPLES } from '../../src/simulator/faults.ts';
import type { SimulatorEvent } from '../../src/simulator/settings.ts';
import { readProjectFile } from '../support/project-files.ts';

const text = readProjectFile('docs/reference/simulator.md');

/** A record and not a list: a kind that is missing here does not compile. */
const KINDS: Record<SimulatorEvent['kind'], true> = {
  listening: true,
  connected: true,
  registered: true,
  refused: true,
  unable: true,
  peer_registered: true,
  disconnected: true,
  stalled: true,
  resumed: true,
  half_open: true,
};

test.each(FAULT_EXAMPLES)('docs/reference/simulator.md has a row for the fault %s', (example) => {
  expect(text).toContain(`| \`${example}\` |`);
});

test.each(Object.keys(KINDS))('docs/reference/simulator.md names the event %s', (kind) => {
  expect(text).toContain(`\`${kind}\``);
});

test('docs/reference/simulator.md and docs/reference/sessions.md name only options that there are', () => {
  const help = readProjectFile('fixtures/golden/help.txt');
  const named = [text, readProjectFile('docs/reference/sessions.md')].flatMap((each) =>
    [...each.matchAll(/--[a-z][a-z-]+/g)].map(([option]) => option),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((option) => !help.includes(`${option} `))).toEqual([]);
});
