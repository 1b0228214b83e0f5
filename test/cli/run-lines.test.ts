import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CliIo } from '../../src/cli/command.ts';
import { main } from '../../src/cli/main.ts';
import { LinesClient } from '../support/lines-world.ts';
import { runCli } from './check-io.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-run-'));
  await writeFile(
    join(folder, 'devices.yaml'),
    'server: { port: 0, tcp: { port: 0 } }\nlisteners:\n  - link: tcp-listen:127.0.0.1:0\n',
  );
});
afterAll(() => rm(folder, { recursive: true }));

/** A command line that is stopped by calling `stop`. */
function terminal() {
  let printed = '';
  const watching = new Set<() => void>();
  const io: CliIo = {
    out: (text) => {
      printed += text;
    },
    err: () => {},
    program: 'heartwire',
    terminal: false,
    env: {},
    cwd: folder,
    onSignal: (_signal, callback) => {
      watching.add(callback);
      return () => void watching.delete(callback);
    },
    onUncaught: () => () => undefined,
    outClosed: new AbortController().signal,
  };
  const stop = (): void => {
    for (const each of [...watching]) each();
  };
  return { io, printed: () => printed, stop };
}

describe('run --record', () => {
  it('refuses what is no folder, before anything is opened', async () => {
    await writeFile(join(folder, 'a-file'), '');
    const { code, out, err } = await runCli(['run', '--port', '0', '--record', 'a-file'], folder);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/a-file is no folder.*name another folder as --record/s);
    // What else is wrong is said, too.
    await writeFile(join(folder, 'bad.yaml'), 'devices: 7\n');
    const both = await runCli(['run', 'bad.yaml', '--record', 'a-file'], folder);
    expect(both).toMatchObject({ code: 2, err: expect.stringMatching(/bad\.yaml:1:.*a-file is no folder/s) });
  });
});

describe('run and demo', () => {
  it.each([
    ['run', ['run', '--quiet'], /JSON lines is at 127\.0\.0\.1:(\d+)/],
    ['demo', ['demo', '--port', '0', '--devices', '0'], /nc 127\.0\.0\.1 (\d+)/],
  ])('%s prints where the feed is as JSON lines, and says goodbye there', async (_, args, line) => {
    const { io, printed, stop } = terminal();
    const code = main(args, io);
    await expect.poll(printed).toMatch(line);
    const client = new LinesClient(connect(Number(line.exec(printed())?.[1]), '127.0.0.1'));
    await client.subscribe('1', 'bridge/status');
    expect(client.view.documents()).toHaveProperty('bridge/status');
    stop();
    expect((await client.next('closing')).payload).toMatchObject({ code: 4000, reconnect: true });
    expect(await code).toBe(0);
    await client.closed;
  });
});
