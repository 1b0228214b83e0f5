import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCli } from './check-io.ts';

const folder = fileURLToPath(new URL('../../fixtures/traces/', import.meta.url));
const hasFullDisk = existsSync('/dev/full');
if (!hasFullDisk) console.warn('skipped: there is no /dev/full, which is a disk without room');

describe('a file that is named for the output', () => {
  const commands = [
    ['export', 'client-normal.trace', '--to', 'csv', '-o'],
    ['import', 'client-normal.trace', '--from', 'raw', '-o'],
    ['replay', 'client-normal.trace', '--update', '--expect'],
  ];

  it.each(commands)('%s: says that there is no such folder', async (...command) => {
    const { code, err } = await runCli([...command, 'nowhere/at/all'], folder);
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/all could not be written: ENOENT/),
    });
    expect(err).not.toContain('unexpected');
  });

  it.runIf(hasFullDisk).each(commands)('%s: says that the disk is full', async (...command) => {
    const { code, err } = await runCli([...command, '/dev/full'], folder);
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/full could not be written: ENOSPC/),
    });
    expect(err).not.toContain('unexpected');
  });
});
