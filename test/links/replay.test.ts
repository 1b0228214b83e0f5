import { execFileSync } from 'node:child_process';
import { mkdtemp, open, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DialOptions } from '../../src/links/link-transport.ts';
import { dial, parseLinkAddress } from '../../src/links/transports.ts';
import { type LinkPair, linkContract } from '../support/link-contract.ts';
import { startBridge } from '../support/test-bridge.ts';

const TRACE = `#heartwire-trace 1
#start 2026-01-01T00:00:00.000Z
0 c1 = open 10.0.0.7:9089
0.5 c1 < 0102
0.5 c1 > ffff
1 c1 = idle
1 c1 < 03
1.5 c1 = close
9 c2 = dial 10.0.0.7:9089
9 c2 < 04
`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
});

function addressOf(text: string) {
  const parsed = parseLinkAddress(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

/** What one life of a link brings, in words. */
function live(
  address: ReturnType<typeof addressOf>,
  opened?: (link: ReturnType<typeof dial>) => void,
  options: DialOptions = {},
): Promise<string[]> {
  return new Promise((resolve) => {
    const told: string[] = [];
    const link = dial(address, options);
    link.open({
      opened: () => {
        told.push(`opened ${link.send(new Uint8Array(1))}`);
        opened?.(link);
      },
      data: (chunk) => void told.push(Buffer.from(chunk).toString('hex')),
      idle: () => void told.push('idle'),
      closed: ({ code }) => resolve([...told, code]),
    });
  });
}

describe('a link that is a trace', () => {
  it.each(['trace', 'trace.gz'])(
    'plays a connection each time it is dialled, and begins again (.%s)',
    async (ending) => {
      const path = join(folder, `x.${ending}`);
      await writeFile(path, ending === 'trace' ? TRACE : gzipSync(TRACE));
      const address = addressOf(`replay:${path}?speed=100`);
      expect(address).toEqual({ scheme: 'replay', path, speed: 100 });
      const first = ['opened accepted', '0102', 'idle', '03', 'link_closed'];
      expect(await live(address)).toEqual(first);
      expect(await live(address)).toEqual(['opened accepted', '04', 'trace_ended']);
      expect(await live(address)).toEqual(['trace_ended']);
      expect(await live(address)).toEqual(first);
    },
  );

  it.runIf(process.platform === 'linux')(
    'closes its file where the connection ends before the trace',
    async () => {
      const path = join(folder, 'x.trace');
      await writeFile(path, TRACE);
      const address = addressOf(`replay:${path}?speed=1000`);
      for (let count = 0; count < 3; count++) await live(address);
      const openFiles = async (): Promise<string[]> => {
        const all = (await readdir('/proc/self/fd')).map((fd) =>
          readlink(`/proc/self/fd/${fd}`).catch(() => ''),
        );
        return (await Promise.all(all)).filter((target) => target === path);
      };
      await expect.poll(openFiles).toEqual([]);
    },
  );

  it('tells silences by the times of a trace without idle lines, where frames end with them', async () => {
    const path = join(folder, 'x.trace');
    const silent = TRACE.replace('1 c1 = idle\n', '').replace('c1 < 03', 'c1 < 03\n1.1 c1 < 05');
    await writeFile(path, silent);
    const address = () => addressOf(`replay:${path}?speed=100`);
    const plain = ['opened accepted', '0102', '03', '05', 'link_closed'];
    expect(await live(address())).toEqual(plain);
    // What we sent ends the first burst; 200 ms is the silence of TCP.
    const silence = { gapMs: undefined };
    expect(await live(address(), undefined, { silence })).toEqual([
      'opened accepted',
      '0102',
      'idle',
      '03',
      '05',
      'idle',
      'link_closed',
    ]);
    expect(await live(address(), undefined, { silence: { gapMs: 80 } })).toContain('05');
    await writeFile(path, TRACE);
    const marked = ['opened accepted', '0102', 'idle', '03', 'link_closed'];
    expect(await live(address(), undefined, { silence })).toEqual(marked);
  });

  it('keeps the pace of the trace', async () => {
    const path = join(folder, 'x.trace');
    await writeFile(path, TRACE);
    const began = performance.now();
    await live(addressOf(`replay:${path}?speed=10`));
    expect(performance.now() - began).toBeGreaterThanOrEqual(149);
  });

  it('can be destroyed while it waits', async () => {
    const path = join(folder, 'x.trace');
    await writeFile(path, TRACE.replace('0.5 c1 <', '100 c1 <').split('\n').slice(0, 4).join('\n'));
    expect(await live(addressOf(`replay:${path}`), (link) => link.destroy())).toEqual([
      'opened accepted',
      'link_ended',
    ]);
  });

  it.each([
    ['is not there', undefined, 'trace_unreadable'],
    ['is none', 'nonsense', 'trace_unreadable'],
    ['holds nothing', TRACE.split('\n').slice(0, 2).join('\n'), 'trace_ended'],
  ])('ends at once where the trace %s', async (_, text, code) => {
    const path = join(folder, 'x.trace');
    if (text !== undefined) await writeFile(path, text);
    expect(await live(addressOf(`replay:${path}`))).toEqual([code]);
  });
});

it('a device that is a trace is live, and marked', async () => {
  const path = join(folder, 'x.trace');
  const register = '00000034 00 "3f2504e0-4f89-41d3-9a0c-0305e82c3301" "490154203237518"';
  await writeFile(
    path,
    `${TRACE.split('\n').slice(0, 3).join('\n')}\n0.1 c1 < ${register}\n60 c1 < 00000001 01\n`,
  );
  await using bridge = await startBridge(`devices: [{ id: old, link: "replay:${path}", role: server }]`);
  await expect
    .poll(() => bridge.bridge.store.document('devices/old/state'))
    .toMatchObject({ status: 'online', replay: true, link: { transport: 'replay', address: path } });
  await expect.poll(() => bridge.bridge.store.document('devices/old/stats')).toMatchObject({ replay: true });
});

/** A trace that is written while it is played: a pipe that the process was given. */
async function pipedPair(): Promise<LinkPair> {
  const dir = await mkdtemp(join(tmpdir(), 'heartwire-'));
  const path = join(dir, 'x.trace');
  execFileSync('mkfifo', [path]);
  // For reading too: a pipe that is opened for writing alone waits for its reader.
  const pipe = await open(path, 'r+');
  let written: Promise<unknown> = pipe.write(`${TRACE.split('\n').slice(0, 3).join('\n')}\n`);
  const end = (): Promise<unknown> => (written = written.then(() => pipe.close()).catch(() => undefined));
  return {
    link: dial(addressOf(`replay:/dev/fd/${pipe.fd}`)),
    peer: async () => ({
      write(bytes) {
        written = written.then(() => pipe.write(`0 c1 < ${Buffer.from(bytes).toString('hex')}\n`));
      },
      received: () => Buffer.alloc(0),
      stall: () => undefined,
      resume: () => undefined,
      hangUp: () => void end(),
    }),
    async dispose() {
      await end();
      await rm(dir, { recursive: true });
    },
  };
}

describe.runIf(process.platform !== 'win32')('a pipe with a name', () => {
  it('is refused by its kind, though nothing writes to it', async () => {
    const path = join(folder, 'pipe.trace');
    execFileSync('mkfifo', [path]);
    const end = await new Promise((closed) => {
      const nothing = (): void => undefined;
      dial(addressOf(`replay:${path}`)).open({ opened: nothing, data: nothing, idle: nothing, closed });
    });
    expect(end).toEqual({
      code: 'trace_unreadable',
      detail: `${path} could not be played: it is a pipe, not a regular file.`,
    });
  });
});

describe.runIf(process.platform !== 'win32')('over a pipe', () => {
  linkContract('A link that is a trace', pipedPair, {
    hangUpCodes: ['trace_ended'],
    bulk: 65_536,
    sends: 'nowhere',
  });
});
