import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { RowMaker } from '../../src/capture/export-rows.ts';
import { importCapture } from '../../src/capture/import-capture.ts';
import { PcapngExport } from '../../src/capture/pcapng.ts';
import { HeartwireError } from '../../src/errors.ts';
import { SimulatedDevice } from '../../src/simulator/simulated-device.ts';
import { systemClock } from '../../src/system/clock.ts';
import { replay, traceFixture } from '../../src/testing/index.ts';
import { needs } from '../support/needs.ts';
import { startBridge } from '../support/test-bridge.ts';
import { runCli } from './check-io.ts';

/** Programs that capture what goes over the loopback: how they are started, and what they say once they listen. */
const capturers = [
  {
    name: 'tcpdump',
    ...needs('tcpdump'),
    file: 'live.pcap',
    argv: (port: number, file: string) => ['-i', 'lo', '-U', '-s', '0', '-w', file, 'tcp', 'port', `${port}`],
    listens: 'listening on',
  },
  {
    name: 'dumpcap',
    ...needs('dumpcap'),
    file: 'live.pcapng',
    argv: (port: number, file: string) => ['-i', 'lo', '-f', `tcp port ${port}`, '-w', file],
    listens: 'File: ',
  },
].filter(({ run }) => run);
const fixture = (name: string) =>
  traceFixture(new URL(`../../fixtures/traces/${name}.trace`, import.meta.url));

let folder: string;
const cli = (...argv: string[]) => runCli(argv, folder);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
});

function pcapng(name: string): Buffer {
  const { head, events } = fixture(name);
  const [rows, writer] = [new RowMaker(head), new PcapngExport(head)];
  const made = [...events.flatMap((event) => rows.take(event)), ...rows.finish()];
  return Buffer.concat([writer.begin(), ...made.flatMap((row) => writer.row(row))]);
}

describe('a trace that was exported as pcapng', () => {
  it.each([
    [['h.hex', '--meta', 'role'], 1, /--meta cannot be read: This is no key=value/],
    [['h.hex', '--meta', 'a="x'], 1, /--meta cannot be read/],
    [['h.hex', '-o', './h.hex'], 1, /h\.hex is the file that is read/],
    [['h.hex', '--port', 'abc'], 2, /--port is a whole number from 1/],
  ])('import %j ends with %i', async (argv, code, said) => {
    await writeFile(join(folder, 'h.hex'), '< 00000001 01\n');
    const outcome = await cli('import', ...argv);
    expect(outcome.err).toMatch(said);
    expect(outcome.code).toBe(code);
    expect(await readFile(join(folder, 'h.hex'), 'utf8')).toBe('< 00000001 01\n');
  });

  it('export does not write over what it reads, by whatever name', async () => {
    const name = new URL('../../fixtures/traces/client-normal.trace', import.meta.url);
    const text = await readFile(name, 'utf8');
    await writeFile(join(folder, 'a.trace'), text);
    await symlink('a.trace', join(folder, 'b.trace'));
    const { code, err } = await cli('export', 'a.trace', '--to', 'csv', '-o', 'b.trace');
    expect(err).toMatch(/b\.trace is the file that is read/);
    expect(code).toBe(1);
    expect(await readFile(join(folder, 'a.trace'), 'utf8')).toBe(text);
  });

  it('says how to keep what is whole of one that was cut short', async () => {
    await writeFile(join(folder, 'x.pcapng'), pcapng('server-normal').subarray(0, -5));
    const { code, err } = await cli('import', 'x.pcapng', '-o', 'x.trace');
    expect(code).toBe(1);
    expect(err).toMatch(/ends in the middle of a block\. End the capture .* `tshark -r FILE -w WHOLE`/);
  });

  it('is told to hold several connections, because they become one device', async () => {
    await writeFile(join(folder, 'x.pcapng'), pcapng('takeover'));
    const { err } = await cli('import', 'x.pcapng', '-o', 'x.trace');
    expect(err).toMatch(/^x\.trace: \d+ lines of 3 connections, all taken for one device\n$/);
    await writeFile(join(folder, 'y.pcapng'), pcapng('identity-changed'));
    expect((await cli('import', 'y.pcapng', '-o', 'y.trace')).err).not.toContain('connections');
  });

  it.each(['client-normal', 'server-normal', 'silent-device', 'takeover', 'serial-noise'])(
    '%s imports to one that replays alike',
    async (name) => {
      await writeFile(join(folder, 'x.pcapng'), pcapng(name));
      expect(await cli('import', 'x.pcapng', '-o', 'x.trace')).toMatchObject({ code: 0 });
      const imported = replay(traceFixture(join(folder, 'x.trace')));
      const own = replay(fixture(name));
      expect(imported.finish()).toEqual([]);
      own.finish();
      expect(imported.messages.map(({ message, kind, fields }) => [message, kind, fields])).toEqual(
        own.messages.map(({ message, kind, fields }) => [message, kind, fields]),
      );
      expect(imported.sent).toEqual(own.sent);
      if (name !== 'serial-noise') expect(imported.statuses).toEqual(own.statuses);
    },
  );

  it('tells of damage at every byte, or imports what is left', () => {
    const bytes = pcapng('server-normal');
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      for (const sample of [damaged, bytes.subarray(0, at)]) {
        try {
          expect(importCapture(sample, 'x.pcapng').events.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(HeartwireError);
          expect(error).toMatchObject({
            code: 'capture_invalid',
            message: expect.stringMatching(/^x\.pcapng: /),
          });
        }
      }
    }
  });
});

describe('other forms', () => {
  it.each([
    ['xxd', '00000000: 0000 0001 0100 0000 0102                  ..........\n'],
    ['hexdump -C', '00000000  00 00 00 01 01 00 00 00  01 02                    |..........|\n0000000a\n'],
    ['directions', '< 00 00 00 01 01\n> 00 00 00 02 01 00\n< 00 00 00 01 02\n'],
    ['plain hex', '0000000101\n0000000102\n'],
  ])('are imported: %s', async (_, text) => {
    await writeFile(join(folder, 'x.hex'), text);
    expect(await cli('import', 'x.hex', '-o', 'x.trace')).toMatchObject({ code: 0 });
    const device = replay(traceFixture(join(folder, 'x.trace')));
    device.finish();
    expect(device.sent.map((frame) => frame.slice(0, 12))).toEqual(['000000020100', '000000150200']);
  });

  it('are imported: the logs of gpsd', async () => {
    const log = Buffer.concat([
      Buffer.from('# Name: a device\n# Notes: none\n'),
      Buffer.from([0, 0, 0, 1, 1]),
    ]);
    await writeFile(join(folder, 'x.log'), log);
    const { out, code } = await cli('import', 'x.log');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^0\.001000 c1 \* Name: a device\n0\.002000 c1 \* Notes: none\n0\.003000 c1 < 0000000101\n/m,
    );
  });

  it.each([
    ['nothing', '', /no bytes/],
    ['half a byte', '< 000', /x:1:\d+: .*one is missing/],
  ])('are refused: %s', async (_, text, err) => {
    await writeFile(join(folder, 'x'), text);
    expect(await cli('import', 'x', '--from', 'hex')).toMatchObject({
      code: 1,
      err: expect.stringMatching(err),
    });
  });

  it('leave the shape that was asked for', async () => {
    const { out } = await runCli(
      ['export', 'server-normal.trace', '--to', 'csv'],
      new URL('../../fixtures/traces/', import.meta.url).pathname,
    );
    expect(out.split('\r\n')[0]).toBe(
      'time,seconds,device,connection,direction,what,kind,error,fields,detail,hex',
    );
    expect(out).toContain(
      '\r\n2026-01-01T00:00:00.012345Z,0.012345,tracker-9,c1,in,heartbeat,request,,,,0000000101\r\n',
    );
    const json = await runCli(
      ['export', 'server-normal.trace', '--to', 'jsonl'],
      new URL('../../fixtures/traces/', import.meta.url).pathname,
    );
    const rows = json.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.find(({ what }) => what === 'register')).toMatchObject({
      direction: 'in',
      fields: { imei: '490154203237518' },
    });
  });
});

describe.each(capturers)('a capture that $name makes of a live session', ({ path, file, argv, listens }) => {
  it('replays to the messages of our own recording of it', async () => {
    const recordings = join(folder, 'traces');
    const capture = join(folder, file);
    let dump: ChildProcess | undefined;
    {
      await using bridge = await startBridge(`
recording: { dir: ${JSON.stringify(recordings)} }
listeners: [{ link: "tcp-listen:127.0.0.1:0", record: true, heartbeat: { interval: 200ms } }]`);
      const { devicePort } = bridge;
      dump = spawn(path, argv(devicePort, capture), { stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      dump.stderr?.on('data', (text) => {
        said += String(text);
      });
      await expect.poll(() => said).toContain(listens);
      const device = new SimulatedDevice(
        {
          name: 'p1',
          address: { scheme: 'tcp', host: '127.0.0.1', port: devicePort },
          role: 'client',
          identity: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' },
          heartbeatEveryMs: 200,
          datetimeEveryMs: 300,
        },
        { clock: systemClock, random: () => 0.5 },
      );
      device.start();
      await expect.poll(() => existsSync(capture) && statSync(capture).size).toBeGreaterThan(3_000);
      await device[Symbol.asyncDispose]();
      await expect
        .poll(() => bridge.bridge.store.document('devices/490154203237518/state'))
        .toMatchObject({ status: 'offline' });
      // It has written the last packet, which it would not read any more once it is told to end.
      await expect
        .poll(async () => (await cli('import', file, '--port', String(devicePort))).out)
        .toMatch(/ = close/);
      dump.kill('SIGINT');
      await once(dump, 'exit');
      const [name = ''] = await readdir(recordings);
      expect(name).toMatch(/^490154203237518\.\d{8}T\d{9}Z\.trace$/);
      expect(await cli('import', file, '--port', String(devicePort), '-o', 'live.trace')).toMatchObject({
        code: 0,
      });
    }
    const [name = ''] = await readdir(recordings);
    const own = replay(traceFixture(join(recordings, name)));
    const theirs = replay(traceFixture(join(folder, 'live.trace')), { meta: { interval: '200ms' } });
    own.finish();
    theirs.finish();
    const told = (device: typeof own) =>
      device.messages.map(({ message, kind, fields }) => [message, kind, fields]);
    expect(told(own).length).toBeGreaterThan(3);
    expect(told(theirs)).toEqual(told(own));
    expect(theirs.sent.map((frame) => frame.slice(0, 12))).toEqual(
      own.sent.map((frame) => frame.slice(0, 12)),
    );
    expect(await readFile(join(recordings, name), 'utf8')).toMatch(/\n#end\n$/);
  });
});
