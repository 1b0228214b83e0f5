import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientFrame, EVENT, Subscribers, text, upgradeTo, type Way } from './fan-out-way.ts';
import { cpuOf, end, freePort } from './processes.ts';

/** The first of these that exits as expected. */
function present(candidates: readonly string[], args: readonly string[], status = 0): string | undefined {
  return candidates.find((each) => spawnSync(each, args).status === status);
}

async function reachable(port: number): Promise<Socket> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (open) return socket;
    await sleep(50);
  }
  throw new Error(`nobody listens on port ${port}`);
}

/** An MQTT packet whose length fits into two bytes. */
function packet(head: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7];
  return Buffer.concat([Buffer.from([head, ...length]), body]);
}

const field = (value: string): Buffer => Buffer.from([0, value.length, ...Buffer.from(value)]);
/** MQTT 3.1.1, a clean session, no keep-alive, no client id. */
const MQTT_CONNECT = packet(0x10, field('MQTT'), Buffer.from([4, 2, 0, 0, 0, 0]));
const MQTT_SUBSCRIBE = packet(0x82, Buffer.from([0, 1]), field('devices/+/messages'), Buffer.from([0]));

/** Mosquitto, its subscribers over WebSocket; undefined where it is not installed. */
export async function mosquitto(count: number): Promise<Way | undefined> {
  // Its help exits with 3.
  const program = present(['mosquitto', '/usr/sbin/mosquitto'], ['-h'], 3);
  if (program === undefined) return undefined;
  const [forPublisher, forSubscribers] = [await freePort(), await freePort()];
  const folder = await mkdtemp(join(tmpdir(), 'heartwire-bench-'));
  const settings = [
    `listener ${forPublisher} 127.0.0.1`,
    `listener ${forSubscribers} 127.0.0.1`,
    'protocol websockets',
    'allow_anonymous true',
    'log_type none',
    'set_tcp_nodelay true',
    'max_queued_messages 0',
  ];
  await writeFile(join(folder, 'mosquitto.conf'), `${settings.join('\n')}\n`);
  const child = spawn(program, ['-c', join(folder, 'mosquitto.conf')], { stdio: 'ignore' });
  const publisher = await reachable(forPublisher);
  publisher.resume();
  publisher.write(MQTT_CONNECT);
  (await reachable(forSubscribers)).destroy();
  const subscribers = await Subscribers.connect({
    port: forSubscribers,
    count,
    framing: 'frames',
    head: upgradeTo('/mqtt', 'Sec-WebSocket-Protocol: mqtt\r\n'),
    greetings: [`${clientFrame(MQTT_CONNECT)} ${clientFrame(MQTT_SUBSCRIBE)}`],
    // SUBACK and PUBLISH.
    ready: { at: 0, byte: 0x90 },
    counted: { at: 0, byte: 0x30 },
  });
  const { pid = 0 } = child;
  let n = 0;
  return {
    name: (/mosquitto version \S+/.exec(spawnSync(program, ['-h'], { encoding: 'utf8' }).stdout) ?? [
      'mosquitto',
    ])[0],
    async round(messages, perTick, deliveries) {
      const before = cpuOf(pid);
      for (let told = 0; told < messages; ) {
        const packets: Buffer[] = [];
        for (; packets.length < perTick && told < messages; told++) {
          packets.push(packet(0x30, field('devices/p0/messages'), Buffer.from(text(n++, 1))));
        }
        publisher.write(Buffer.concat(packets));
        await sleep(1);
      }
      await subscribers.received(deliveries);
      return cpuOf(pid) - before;
    },
    async close() {
      subscribers.close();
      publisher.destroy();
      await end(child);
      await rm(folder, { recursive: true });
    },
  };
}

const PYTHON = `
import asyncio, json, sys, time, websockets

clients = set()

async def handler(socket):
    clients.add(socket)
    await socket.wait_closed()

def text(n):
    data = {"name": "telemetry", "values": {"n": n, "temperature": 20 + n % 100 / 10, "mode": "heating", "uptime": n * 3}}
    payload = {"topic": "devices/p0/messages", "epoch": "bench", "rev": n, "seq": n, "data": data}
    message = {"type": "event", "id": f"r{n}", "timestamp": int(time.time() * 1000), "payload": payload}
    return json.dumps(message, separators=(",", ":"))

async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with websockets.serve(handler, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        n = 0
        while line := await reader.readline():
            messages, per_tick = map(int, line.split())
            for at in range(messages):
                websockets.broadcast(clients, text(n))
                n += 1
                if (at + 1) % per_tick == 0:
                    await asyncio.sleep(0.001)
            print(len(clients), flush=True)

asyncio.run(main())
`;

/** Python's `websockets` with its `broadcast`; undefined where it is not installed. */
export async function pythonWebsockets(count: number): Promise<Way | undefined> {
  const python = present(
    ['python3', '/usr/bin/python3'],
    ['-c', 'import websockets; websockets.serve; websockets.broadcast'],
  );
  if (python === undefined) return undefined;
  const child = spawn(python, ['-c', PYTHON], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const subscribers = await Subscribers.connect({
    port: Number((await answers.next()).value),
    count,
    framing: 'frames',
    head: upgradeTo('/'),
    greetings: [],
    counted: EVENT,
  });
  const { pid = 0 } = child;
  return {
    name: `Python websockets ${spawnSync(python, ['-c', 'import websockets; print(websockets.__version__)'], { encoding: 'utf8' }).stdout.trim()}`,
    async round(messages, perTick, deliveries) {
      const before = cpuOf(pid);
      child.stdin.write(`${messages} ${perTick}\n`);
      await answers.next();
      await subscribers.received(deliveries);
      return cpuOf(pid) - before;
    },
    async close() {
      subscribers.close();
      await end(child);
    },
  };
}
