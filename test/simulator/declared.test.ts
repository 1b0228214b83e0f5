import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { speech } from '../../src/cli/simulated-speech.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { readShippedPacks } from '../../src/config/packs/tables.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import { DeclaredDevice } from '../../src/simulator/declared-device.ts';
import { declaredDevices } from '../../src/simulator/declared-link.ts';
import { SimulatedFleet } from '../../src/simulator/simulated-fleet.ts';
import { systemClock } from '../../src/system/clock.ts';
import { runCli } from '../cli/check-io.ts';
import { projectFiles, readProjectFile } from '../support/project-files.ts';
import { ModbusMaster } from './modbus-master.ts';

function load(text: string): DeclaredProtocol {
  const { protocol, problems } = loadMessages(text, 'f.yaml');
  if (protocol === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return protocol;
}

const MAP = load(`version: 1
protocol: modbus-rtu
registers:
  - { name: a, at: input:0, type: f32, range: [0, 10] }
  - { name: b, at: input:2 }
  - { name: limit, at: holding:4, type: i16, scale: 0.1, range: [-5, 45], write: true }
  - { name: total, at: holding:5, type: u32, write: true }
  - { name: fixed, at: holding:7 }
  - { name: on, at: coil:3, write: true }
  - { name: off, at: coil:4 }
  - { name: door, at: discrete:9 }
`);

async function listening(protocol: DeclaredProtocol, addresses: readonly number[]) {
  const fleet = new SimulatedFleet(
    {
      address: { scheme: 'tcp-listen', host: '127.0.0.1', port: 0 },
      count: 1,
      seed: 1,
      declared: { protocol, addresses, seed: 1, everyMs: 20 },
    },
    { clock: systemClock },
  );
  await fleet.start();
  return { fleet, port: Number(fleet.devices[0]?.listeningAt?.split(':').at(-1)) };
}

describe('a simulated Modbus slave', () => {
  it('answers a master that shares no code with it, for several addresses on one line', async () => {
    const { fleet, port } = await listening(MAP, [1, 7]);
    await using _ = fleet;
    await using master = await ModbusMaster.dial(port);
    expect(await master.ask(1, 4, 0, 0, 0, 3)).toMatch(/^010406[0-9a-f]{12}$/);
    expect(await master.ask(7, 4, 0, 2, 0, 1)).toMatch(/^070402[0-9a-f]{4}$/);
    expect(await master.ask(2, 4, 0, 0, 0, 2)).toBe('nothing');
    // Reads of any part, and what is not there.
    expect(await master.ask(1, 3, 0, 5, 0, 3)).toMatch(/^010306/);
    expect(await master.ask(1, 3, 0, 5, 0, 4)).toBe('018302');
    expect(await master.ask(1, 4, 0, 0, 0, 0)).toBe('018403');
    expect(await master.ask(1, 4, 0, 0, 0, 126)).toBe('018403');
    expect(await master.ask(1, 7, 0, 0, 0, 1)).toBe('018701');
    expect(await master.ask(1, 2, 0, 9, 0, 1)).toMatch(/^0102010[01]$/);
    // Writes of every kind, and what must not be written.
    expect(await master.ask(1, 6, 0, 4, 0, 100)).toBe('010600040064');
    expect(await master.ask(1, 3, 0, 4, 0, 1)).toBe('0103020064');
    expect(await master.ask(7, 3, 0, 4, 0, 1)).not.toBe('0703020064');
    expect(await master.ask(1, 6, 0, 4, 1, 195)).toBe('018603');
    expect(await master.ask(1, 6, 0, 7, 0, 1)).toBe('018602');
    expect(await master.ask(1, 16, 0, 5, 0, 2, 4, 0, 1, 2, 3)).toBe('011000050002');
    expect(await master.ask(1, 3, 0, 5, 0, 2)).toBe('01030400010203');
    expect(await master.ask(1, 16, 0, 5, 0, 2, 3, 0, 1, 2)).toBe('019003');
    expect(await master.ask(1, 5, 0, 3, 0xff, 0)).toBe('01050003ff00');
    expect(await master.ask(1, 1, 0, 3, 0, 1)).toBe('01010101');
    expect(await master.ask(1, 5, 0, 4, 0xff, 0)).toBe('018502');
    expect(await master.ask(1, 15, 0, 3, 0, 1, 1, 0)).toBe('010f00030001');
    expect(await master.ask(1, 1, 0, 3, 0, 1)).toBe('01010100');
  });

  it('says the same again with the same seed, and something else with another', () => {
    const at = (seed: number, elapsedMs: number) =>
      Buffer.from(
        new DeclaredDevice(MAP.at(1), seed).answer(Uint8Array.of(1, 4, 0, 0, 0, 3), {
          elapsedMs,
          wallMs: 0,
        }) ?? [],
      ).toString('hex');
    expect(at(1, 5_000)).toBe(at(1, 5_000));
    expect(at(1, 5_000)).not.toBe(at(2, 5_000));
    expect(at(1, 5_000)).not.toBe(at(1, 15_000));
  });
});

const examples = projectFiles(['examples'], ['messages.yaml']).map(
  (path) => [path, load(readProjectFile(path))] as const,
);
const packs = (await readShippedPacks()).map(({ name, protocol }) => [`pack ${name}`, protocol] as const);

describe.each([...examples, ...packs])('%s', (_, protocol) => {
  it('is filled with values that decode without an issue', () => {
    const [device] = declaredDevices({ protocol, addresses: [1], seed: 3 }).values();
    if (device === undefined) throw new Error('no device');
    const spoken = protocol.declaration.address === undefined ? protocol : protocol.at(1);
    let said = 0;
    for (const { name, declaration, forms } of spoken.messages) {
      if (declaration.from === 'host' || declaration.rejects !== undefined) continue;
      for (let elapsedMs = 0; elapsedMs < 200_000; elapsedMs += 7_000) {
        for (const payload of device.say(name, { elapsedMs, wallMs: 1_767_225_600_000 + elapsedMs })) {
          said++;
          const kind = spoken.kindOf(name);
          const decoded = spoken.decode(payload, 0, payload.length, 'device', undefined, kind);
          expect(decoded).toMatchObject({ name: 'declared', issues: [] });
          expect(forms.length).toBeGreaterThan(0);
        }
      }
    }
    expect(
      said + spoken.messages.filter(({ declaration }) => declaration.from === 'host').length,
    ).toBeGreaterThan(0);
  });
});

describe('a simulated device whose pack says no bounds', () => {
  const instants = Array.from({ length: 40 }, (_, at) => ({ elapsedMs: at * 5_000, wallMs: 0 }));
  const packOf = async (wanted: string): Promise<DeclaredProtocol> => {
    const found = (await readShippedPacks()).find(({ name }) => name === wanted);
    if (found === undefined) throw new Error('no such pack');
    return found.protocol;
  };
  const between = (values: readonly number[], least: number, greatest: number): void => {
    expect(values.length).toBe(instants.length);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(least);
    expect(Math.max(...values)).toBeLessThanOrEqual(greatest);
  };

  it.each([
    ['voltage', 0, 220, 240],
    ['current', 6, 0, 10],
    ['power_factor', 30, 0.8, 1],
    ['frequency', 70, 49, 51],
    ['import_energy', 72, 0, 1_000],
  ])('shows the %s of a meter near what is real', async (_, register, least, greatest) => {
    const [meter] = declaredDevices({
      protocol: await packOf('eastron-sdm'),
      addresses: [1],
      seed: 1,
    }).values();
    const values = instants.map((time) => {
      const reply = meter?.answer(Uint8Array.of(1, 4, 0, register, 0, 2), time) ?? new Uint8Array(0);
      return Buffer.from(reply).readFloatBE(3);
    });
    between(values, least, greatest);
  });

  it('shows a battery beside the mains', async () => {
    const protocol = await packOf('vedirect');
    const [charger] = declaredDevices({ protocol, addresses: [1], seed: 1 }).values();
    const shown = (key: string): number[] =>
      instants.flatMap((time) =>
        (charger?.say('block', time) ?? []).flatMap((line) => {
          const [name, value] = Buffer.from(line).toString('latin1').split('\t');
          return name === key ? [Number(value)] : [];
        }),
      );
    between(shown('V'), 11_000, 15_000);
    between(shown('AC_OUT_V'), 22_000, 24_000);
    between(shown('SOC'), 0, 1_000);
  });
});

describe('a simulated device of declared messages', () => {
  it('says by itself what is declared, answers, and shows what a command has set', async () => {
    const protocol = load(`version: 1
protocol: { framing: { type: delimiter, delimiter: "\\n" }, id: u8 }
messages:
  - { name: level, id: 65, from: device, every: 50ms, fields: [{ name: depth, type: u8, range: [48, 57] }, { name: goal, type: u8, range: [48, 57] }] }
  - { name: ask, id: 66, from: host, fields: [{ name: tag, type: u8 }], reply: { fields: [{ name: tag, type: u8 }, { name: mode, type: u8, enum: { 120: a, 121: b } }] } }
  - { name: set, id: 67, from: host, fields: [{ name: goal, type: u8 }], confirms: { goal: level.goal } }
`);
    const { fleet, port } = await listening(protocol, [1]);
    await using _ = fleet;
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    await once(socket, 'connect');
    socket.write('Bz\n');
    await expect.poll(() => text).toMatch(/^A\d\d\n/m);
    await expect.poll(() => text).toMatch(/^Bz[xy]\n/m);
    socket.write('C7\n');
    await expect.poll(() => text).toMatch(/A\d7\nA\d7\n$/);
    socket.destroy();
  });
});

describe('heartwire simulate', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-simulate-'));
    await writeFile(
      join(folder, 'empty.trace'),
      '#heartwire-trace 1\n#start 2026-01-01T00:00:00.000Z\n0 c1 = open x\n',
    );
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each([
    [['--pack', 'nothing-like-it'], 'There is no pack "nothing-like-it"'],
    [['--pack', 'mh-z19', '--messages', 'x.yaml'], 'Choose one of --messages, --pack and --like'],
    [['--pack', 'mh-z19', '--address', '1'], 'These messages carry no address'],
    [['--pack', 'eastron-sdm', '--address', 'x'], '--address is for example'],
    [['--pack', 'eastron-sdm', '--address', '9..1'], '--address is for example'],
    [['--address', '1'], '--address goes with'],
    [['--like', 'empty.trace'], 'the device says nothing in this trace'],
    [['--like', 'none.trace'], 'none.trace'],
    [['--messages', 'none.yaml'], 'none.yaml'],
  ])('refuses %j', async (argv, text) => {
    const { code, err } = await runCli(['simulate', '--listen', '0', ...argv], folder);
    expect([code > 0, err]).toEqual([true, expect.stringContaining(text)]);
  });
});

describe('a device like a recorded one', () => {
  it('answers what was answered, in its order, and says what was said by itself', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heartwire-like-'));
    const trace = `#heartwire-trace 1
#start 2026-01-01T00:00:00.000Z
#meta device=a session=none
0 c1 = open x
0.05 c1 < "hello\\n"
2 c1 > "a?\\n"
2.01 c1 < "a1\\n"
3 c1 > "a?\\n"
3.01 c1 < "a"
3.02 c1 < "2\\n"
4 c1 > "b?\\n"
`;
    await writeFile(join(folder, 'a.trace'), trace);
    const args = {
      messages: undefined,
      pack: undefined,
      address: undefined,
      like: 'a.trace',
      every: undefined,
      'ask-time': undefined,
      identity: undefined,
      seed: 1,
    };
    const io = { cwd: folder, err: () => undefined } as unknown as Parameters<typeof speech>[1]; // all that it uses
    const { recorded } = await speech(args, io);
    await rm(folder, { recursive: true });
    if (recorded === undefined) throw new Error('nothing recorded');
    await using fleet = new SimulatedFleet(
      { address: { scheme: 'tcp-listen', host: '127.0.0.1', port: 0 }, count: 1, seed: 1, recorded },
      { clock: systemClock },
    );
    await fleet.start();
    const socket = connect(Number(fleet.devices[0]?.listeningAt?.split(':').at(-1)), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    await once(socket, 'connect');
    await expect.poll(() => text).toBe('hello\n');
    for (const [asked, wanted] of [
      ['a?\n', 'a1\n'],
      ['a?\n', 'a2\n'],
      ['b?\n', ''],
      ['a?\n', 'a1\n'],
    ] as const) {
      text = '';
      socket.write(asked);
      await expect.poll(() => text).toContain(wanted);
    }
    socket.destroy();
  });
});
