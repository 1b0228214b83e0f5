import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { replay, traceFixture } from '../../src/testing/index.ts';
import { MODBUS, modbus } from '../support/bus-line.ts';
import {
  incidentsAt,
  METER,
  METER_FILES,
  MortalPeer,
  meterYaml,
  statesInNotes,
  statesInReplay,
} from '../support/incident-world.ts';
import { PROJECT_ROOT, readProjectFile } from '../support/project-files.ts';
import { Seeded } from '../support/seeded.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const DOCUMENT = 'docs/reference/incidents.md';
const PATIENCE = { timeout: 40_000, interval: 50 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-replays-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const stateOf = ({ bridge }: TestBridge, device: string) => bridge.store.document(`devices/${device}/state`);
const voltsOf = (values: unknown): unknown => Object(Object(values).line).volts;

/** Its device was killed after so many pieces of what it said; what was and what the trace says. */
async function killed(dir: string, pieces: number) {
  const { peer, port } = await MortalPeer.start();
  await using _ = peer;
  const box = { dir, beforeMs: 60_000, afterMs: 100 };
  await using test = await startBridge(meterYaml(port), undefined, undefined, METER_FILES, box);
  await expect.poll(() => voltsOf(stateOf(test, 'meter')?.values), PATIENCE).toBeTypeOf('number');
  await peer.killAfter(pieces);
  await expect.poll(() => incidentsAt(test.url), PATIENCE).toHaveLength(1);
  const [incident] = await incidentsAt(test.url);
  return { incident, live: stateOf(test, 'meter'), file: join(dir, `${incident?.id}.trace`) };
}

describe('an incident of a device that is killed at a random moment', () => {
  const random = new Seeded(16);
  it.each(Array.from({ length: 5 }, () => 1 + random.below(60)))(
    'replays to the same states and values: %d pieces on',
    async (pieces) => {
      const { incident, live, file } = await killed(join(folder, 'incidents'), pieces);
      expect(incident).toMatchObject({ device: 'meter', reason: 'offline' });
      const trace = traceFixture(file);
      const played = replay(trace, { messages: METER }).playToEnd();
      expect(played.state).toMatchObject({
        status: 'offline',
        reason: incident?.code,
        detail: incident?.detail,
        values: live?.values,
      });
      const then = statesInNotes(trace, 'meter');
      expect(then.map(([, status]) => status)).toContain('offline');
      const now = statesInReplay(played.lines);
      expect(now.slice(-then.length)).toEqual(then);
      // Whole lines in their order, whatever was cut off at the end.
      const volts = played.messages.map(({ fields }) => Number(Object(fields).volts));
      const [first = 0] = volts;
      expect(volts).toEqual(Array.from({ length: volts.length }, (_, index) => first + index));
      expect(volts.at(-1)).toBe(voltsOf(live?.values));
    },
  );

  it('becomes a test of vitest by the lines of the document', async () => {
    const { file } = await killed(join(folder, 'incidents'), 7);
    const [, lines = ''] = /```ts\n([\s\S]*?)```/.exec(readProjectFile(DOCUMENT)) ?? [];
    expect(lines).toContain("from 'vitest'");
    // A project of its own, which has both packages.
    const project = join(folder, 'project');
    await mkdir(join(project, 'node_modules'), { recursive: true });
    await symlink(PROJECT_ROOT, join(project, 'node_modules/heartwire'), 'junction');
    await symlink(
      join(PROJECT_ROOT, 'node_modules/vitest'),
      join(project, 'node_modules/vitest'),
      'junction',
    );
    await copyFile(file, join(project, 'incident.trace'));
    await writeFile(join(project, 'messages.yaml'), METER);
    await writeFile(join(project, 'package.json'), '{"type":"module"}');
    // A device with messages of its own, as the line below says.
    const [, option = ''] = /`(, \{ messages: [^`]* \})`/.exec(readProjectFile(DOCUMENT)) ?? [];
    const own = `import { readFileSync } from 'node:fs';\n${lines.replace("('incident.trace')", `('incident.trace')${option}`)}`;
    expect(own).toContain("messages: readFileSync('messages.yaml', 'utf8')");
    await writeFile(join(project, 'incident.test.ts'), own);
    await writeFile(join(project, 'wrong.test.ts'), own.replace("status: 'offline'", "status: 'online'"));
    const { VITEST: _, ...env } = process.env;
    const vitest = [
      join(PROJECT_ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=json',
      '--testTimeout=60000',
    ];
    const { stdout } = await promisify(execFile)(process.execPath, vitest, { cwd: project, env }).catch(
      (error: { readonly stdout: string }) => error,
    );
    const { testResults } = JSON.parse(stdout) as {
      testResults: { name: string; assertionResults: { failureMessages: string[] }[] }[];
    };
    const failures = new Map(
      testResults.map(({ name, assertionResults }) => [
        basename(name),
        assertionResults.flatMap(({ failureMessages }) => failureMessages).join('\n'),
      ]),
    );
    expect(failures.get('incident.test.ts')).toBe('');
    expect(failures.get('wrong.test.ts')).toContain('to match object');
  }, 240_000);
});

describe('an incident of a device on a bus', () => {
  it('replays to the same states of all that stand on it', async () => {
    const protocol = modbus();
    const sockets = new Set<Socket>();
    const silent = new Set<number>();
    let asked = 0;
    // Slaves behind one gateway: what they measure says whose it is.
    const gateway = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', ([address = 0]) => {
        if (silent.has(address)) return;
        asked += 1;
        socket.write(protocol.at(address).encodeReply('read', 0, { power: 100 * address + (asked % 50) }));
      });
    });
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    const { port } = gateway.address() as AddressInfo; // A listening TCP server has an address of this kind.
    const dir = join(folder, 'incidents');
    const poll = 'poll: [{ message: read, fields: { start: 0, count: 1 }, every: 200ms }]';
    const member = (n: number) =>
      `  - { id: m${n}, bus: line, address: ${n}, messages: modbus.yaml, silence: 6s, ${poll} }\n`;
    const yaml = `buses: [{ id: line, link: "tcp:127.0.0.1:${port}", timeout: 300ms }]\ndevices:\n${member(1)}${member(2)}`;
    const files = new Map([['modbus.yaml', loadMessages(MODBUS, 'modbus.yaml')]]);
    try {
      await using test = await startBridge(yaml, undefined, undefined, files, {
        dir,
        beforeMs: 60_000,
        afterMs: 100,
      });
      for (const id of ['m1', 'm2'])
        await expect.poll(() => stateOf(test, id)?.status, PATIENCE).toBe('online');
      silent.add(2);
      await expect.poll(() => incidentsAt(test.url), PATIENCE).not.toHaveLength(0);
      const [incident] = (await incidentsAt(test.url)).toReversed();
      expect(incident).toMatchObject({ device: 'm2', bus: 'line', reason: 'offline' });
      const trace = traceFixture(join(dir, `${incident?.id}.trace`));
      const played = replay(trace, { messages: MODBUS }).playToEnd();
      const then = statesInNotes(trace, 'line');
      const now = statesInReplay(played.lines);
      for (const id of ['m1', 'm2']) {
        const of = (states: typeof now) => states.filter(([device]) => device === id);
        expect(of(then).length, id).toBeGreaterThan(0);
        expect(of(now).slice(-of(then).length)).toEqual(of(then));
      }
      expect(now.filter(([device]) => device === 'm2').at(-1)).toEqual([
        'm2',
        'offline',
        incident?.code,
        'connected',
      ]);
      // Each value went to the device that was asked for it.
      const hundreds = played.lines.flatMap(({ device, received }) => {
        const power = Object(Object(received).fields).power;
        return power === undefined ? [] : [`${device} ${Math.floor(power / 100)}`];
      });
      expect(new Set(hundreds)).toEqual(new Set(['m1 1', 'm2 2']));
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => gateway.close(resolve));
    }
  });
});
