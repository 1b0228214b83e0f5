import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { replay, type Trace, traceFixture } from '../../src/testing/index.ts';
import { HEARTBEAT } from '../support/listener-bench.ts';
import { RunningProgram } from '../support/running-program.ts';

const IMEI = '490154203237518';
const REGISTER = encodeFrame({
  name: 'register',
  kind: 'request',
  fields: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: IMEI },
});

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A bridge that records into `traces`, and where. */
async function startBridge(recording = ''): Promise<{ bridge: RunningProgram; url: string; port: number }> {
  await writeFile(
    join(folder, 'devices.yaml'),
    `${recording}\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\n`,
  );
  const bridge = new RunningProgram(
    ['run', 'devices.yaml', '--port', '0', '--record', 'traces', '--quiet'],
    folder,
  );
  const port = Number(await bridge.said(/Devices may dial in at \S+:(\d+)\n/));
  return { bridge, port, url: await bridge.said(/Heartwire is at (\S+)/) };
}

/** A device that has registered. */
async function dialIn(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port }).setNoDelay(true);
  socket.on('error', () => undefined);
  socket.write(REGISTER);
  await once(socket, 'data');
  return socket;
}

/** Bytes in the traces so far. */
function recordedBytes(): number {
  const traces = join(folder, 'traces');
  return readdirSync(traces).reduce((sum, name) => sum + statSync(join(traces, name)).size, 0);
}

async function recorded(): Promise<{ readonly name: string; readonly trace: Trace }> {
  const [name = '', ...others] = await readdir(join(folder, 'traces'));
  expect(others).toEqual([]);
  return { name, trace: traceFixture(join(folder, 'traces', name)) };
}

it.each([
  ['', /\.trace$/],
  ['recording: { gzip: true }', /\.trace\.gz$/],
])('a killed bridge leaves a trace that lacks the last second at most (%j)', async (recording, ending) => {
  const { bridge, port } = await startBridge(recording);
  using _ = bridge;
  const device = await dialIn(port);
  /** When the bridge had answered each beat, which it read before that. */
  const answeredAt: number[] = [];
  /** When the trace was seen to have grown: the kill comes when the next time is nearly due, which loses the most. */
  const grownAt: number[] = [];
  let bytes = 0;
  const nearlyDue = (): number => {
    const [before = Number.POSITIVE_INFINITY, last = Number.POSITIVE_INFINITY] = grownAt.slice(-2);
    return grownAt.length < 3 ? Number.POSITIVE_INFINITY : last + (last - before) * 0.9;
  };
  // One beat after the other.
  while (performance.now() < nearlyDue()) {
    device.write(HEARTBEAT);
    await once(device, 'data');
    answeredAt.push(performance.now());
    const now = recordedBytes();
    // A large piece is seen to grow while it is written; that is one time.
    if (now > bytes && performance.now() - (grownAt.at(-1) ?? 0) < 200) grownAt.pop();
    if (now > bytes) grownAt.push(performance.now());
    bytes = now;
  }
  const killedAt = performance.now();
  bridge.child.kill('SIGKILL');
  expect(await bridge.exited).toMatchObject({ signal: 'SIGKILL' });
  const { name, trace } = await recorded();
  expect(name).toMatch(ending);
  const beats = trace.events.filter(({ fact }) => fact.kind === 'in' && fact.bytes.length === 5).length;
  const old = answeredAt.filter((at) => at <= killedAt - 1_000).length;
  expect(old).toBeGreaterThan(100);
  expect(beats).toBeGreaterThanOrEqual(old);
  expect(trace.warnings.join()).toMatch(/the recording was cut short: its last line is not #end/);
  expect(replay(trace).playTo(1).state).toMatchObject({ status: 'online', identity: { imei: IMEI } });
});

it('notes of the command and of a subscriber stand in the trace, and one that cannot is refused', async () => {
  const { bridge, port, url } = await startBridge();
  using _ = bridge;
  const device = await dialIn(port);
  const note = async (id: string, ...words: string[]) => {
    using program = new RunningProgram(['note', id, ...words, '--url', url], folder);
    const { code } = await program.exited;
    return { code, err: program.err };
  };
  expect(await note(IMEI, 'wiggled', 'the cable')).toEqual({ code: 0, err: '' });
  expect(await note('nobody', 'x')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/no device nobody/),
  });
  const subscriber = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  await once(subscriber, 'open');
  const answers: unknown[] = [];
  subscriber.on('message', (data) => void answers.push(JSON.parse(String(data))));
  const command = { type: 'command', id: '1', device: IMEI, message: 'note', fields: { text: 'pulled it' } };
  subscriber.send(JSON.stringify(command));
  await expect
    .poll(() => answers)
    .toContainEqual(
      expect.objectContaining({
        type: 'response',
        payload: { reply_to: '1', result: { recorded: true, incident: true } },
      }),
    );
  subscriber.terminate();
  device.destroy();
  bridge.child.kill('SIGTERM');
  expect(await bridge.exited).toMatchObject({ code: 0 });
  const { name, trace } = await recorded();
  expect(trace.warnings).toEqual([]);
  const notes = trace.events.flatMap(({ fact }) => (fact.kind === 'note' ? [fact.text] : []));
  expect(notes).toEqual(['wiggled the cable', 'pulled it']);
  expect(await readFile(join(folder, 'traces', name), 'utf8')).toMatch(/ c1 \* wiggled the cable\n/);
});

it('a served replay is on the feed and in the API, marked, until it is told to end', async () => {
  const trace = new URL('../../fixtures/traces/silent-device.trace', import.meta.url).pathname;
  using served = new RunningProgram(['replay', trace, '--serve', '--port', '0', '--speed', '20'], folder);
  const url = await served.said(/The replay is at (\S+)/);
  const subscriber = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  await once(subscriber, 'open');
  subscriber.send(JSON.stringify({ type: 'subscribe', topics: ['devices/#'] }));
  const told: string[] = [];
  subscriber.on('message', (data) => void told.push(String(data)));
  await served.said(/(The traces are over)/);
  const { devices } = Object(await (await fetch(`${url}/api/devices`)).json());
  expect(devices).toHaveLength(1);
  expect(devices[0]).toMatchObject({ device: 'psu-1', status: 'online', replay: true });
  // What was published while it played came over the feed as well: the messages of the second connection.
  await expect.poll(() => told.join('\n')).toMatch(/"message":"register"[^\n]*"replay":true/);
  subscriber.terminate();
  served.child.kill('SIGTERM');
  expect(await served.exited).toEqual({ code: 0, signal: null });
});
