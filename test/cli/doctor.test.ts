import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { command as doctor } from '../../src/cli/commands/doctor.ts';
import { examineOpenFiles, examinePort } from '../../src/cli/examine.ts';
import { loadNativeWrites } from '../../src/feed/writes/native-writes.ts';
import { portHolders } from '../../src/links/port-holders.ts';
import { hasOpenssl, makeCertificate } from '../support/certificates.ts';
import { hasPtys, openPty } from '../support/pty.ts';
import { RecordedIo } from '../support/recorded-io.ts';
import { serialAddress } from '../support/serial-address.ts';
import { startBridge } from '../support/test-bridge.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heartwire-doctor-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const REGISTER = 'register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }';

async function diagnose(yaml: string) {
  writeFileSync(join(folder, 'devices.yaml'), yaml);
  const io = new RecordedIo(folder);
  const exit = await doctor.run({ file: 'devices.yaml', json: true }, io);
  // The shape that doctor prints, as these tests read it.
  const report = JSON.parse(io.printed) as {
    healthy: boolean;
    findings: Array<{ about: string; code?: string; detail: string }>;
  };
  const findings = report.findings.filter(({ about }) => !['open files', 'writes'].includes(about));
  return { exit, healthy: report.healthy, findings };
}

async function serve(): Promise<{ port: number; stop(): Promise<void> }> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return {
    port: address.port,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

describe('doctor, about places at which a port is exposed', () => {
  const examined = async (...expose: string[]) => {
    const { findings } = await diagnose(
      `server: { host: 127.0.0.1, port: 0 }
listeners: [{ link: "tcp-listen:127.0.0.1:0" }]
devices:
  - { id: tracker, match: { imei: "869858030720693" }, expose: [${expose.join(', ')}] }
`,
    );
    return findings.filter(({ about }) => about === 'tracker');
  };
  const pty = async (path: string) => {
    const [finding] = await examined(`{ pty: ${path} }`);
    return finding;
  };

  test('a port that is free, and one that is taken', async () => {
    const taken = await serve();
    const [free, busy] = await examined(
      '{ tcp: "127.0.0.1:0" }',
      `{ rfc2217: "127.0.0.1:${taken.port}", read_only: true }`,
    );
    await taken.stop();
    expect(free).toEqual({ about: 'tracker', detail: 'tcp 127.0.0.1:0 is free to be exposed.' });
    expect(busy).toMatchObject({ about: 'tracker', code: 'address_in_use' });
  });

  test('a path that is free, one of an earlier run, and one that is taken', async () => {
    expect(await pty(join(folder, 'line'))).toEqual({
      about: 'tracker',
      detail: `The pty ${join(folder, 'line')} can be made.`,
    });
    symlinkSync('/dev/pts/999', join(folder, 'old'));
    expect(await pty(join(folder, 'old'))).toMatchObject({ detail: expect.stringMatching(/is replaced/) });
    writeFileSync(join(folder, 'file'), '');
    expect(await pty(join(folder, 'file'))).toMatchObject({
      code: 'expose_failed',
      detail: expect.stringMatching(/is there already, and is no link to a pty/),
    });
  });

  test('a folder that is not there, or is none', async () => {
    expect(await pty(join(folder, 'none', 'line'))).toMatchObject({
      code: 'expose_failed',
      detail: expect.stringMatching(/The folder of the pty .* is not there\. Create /),
    });
    writeFileSync(join(folder, 'file'), '');
    expect(await pty(join(folder, 'file', 'line'))).toMatchObject({
      code: 'expose_failed',
      detail: expect.stringMatching(/is no folder/),
    });
  });

  // The system asks root for no rights.
  test.skipIf(process.getuid?.() === 0)('a folder that may not be written to', async () => {
    mkdirSync(join(folder, 'locked'), { mode: 0o500 });
    expect(await pty(join(folder, 'locked', 'line'))).toMatchObject({
      code: 'expose_failed',
      detail: expect.stringMatching(/this user may not write to/),
    });
  });
});

describe('doctor, without a devices.yaml', () => {
  const looked = async (file: string, json: boolean) => {
    const io = new RecordedIo(folder);
    return { exit: await doctor.run({ file, json }, io), printed: io.printed };
  };

  test('looks at the machine alone, and says how to make one', async () => {
    const { exit, printed } = await looked('devices.yaml', false);
    // The port of the bridge, or one that is plugged in, may be taken on the machine of the test.
    expect(exit).toBe(printed.includes('BAD') ? 1 : 0);
    expect(printed).toMatch(/^(?:ok|BAD) {1,2}server: .*\b8080\b/m);
    expect(printed).toMatch(/^ok {2}history: /m);
    expect(printed).toMatch(/^this machine: /m);
    expect(printed).toMatch(/There is no devices\.yaml here yet: `heartwire init` writes one\.\n$/);
    const report = JSON.parse((await looked('devices.yaml', true)).printed);
    expect(report).toMatchObject({ file: 'devices.yaml', problems: [] });
    expect(report.findings.length).toBeGreaterThan(2);
  });

  test('a file that is named must be there, and one that is there must be readable', async () => {
    await expect(looked('bench.yaml', false)).rejects.toMatchObject({ code: 'config_unreadable' });
    mkdirSync(join(folder, 'devices.yaml'));
    await expect(looked('devices.yaml', false)).rejects.toMatchObject({ code: 'config_unreadable' });
  });
});

describe('doctor', () => {
  test('tells of a token that has come to its end, and of no other', async () => {
    const hash = `sha256:${'9f86d081'.repeat(8)}`;
    const token = (name: string, more: string) =>
      `    - { name: ${name}, hash: "${hash}", roles: read, topics: "#"${more} }\n`;
    const { exit, findings } = await diagnose(
      `server: { host: 127.0.0.1, port: 0 }
access:
  tokens:
${token('old', ', expires: "2020-01-31"')}${token('new', ', expires: "2999-01-31"').replaceAll('9f86d081', '8f86d081')}listeners:
  - link: tcp-listen:127.0.0.1:0
`,
    );
    expect(findings.filter(({ about }) => about === 'access')).toEqual([
      {
        about: 'access',
        code: 'unauthorized',
        detail: expect.stringMatching(/^The token old came to its end at 2020-01-31/),
      },
    ]);
    expect(exit).toBe(1);
  });

  test('finds nothing to fix where a device answers and ports are free', async () => {
    const device = await serve();
    const { exit, findings } = await diagnose(
      `server: { host: 127.0.0.1, port: 0 }
devices:
  - { id: rack, link: "tcp:127.0.0.1:${device.port}", ${REGISTER} }
`,
    );
    expect(findings.map(({ about, code }) => [about, code])).toEqual([
      ['server', undefined],
      ['rack', undefined],
    ]);
    expect(exit).toBe(0);
    await device.stop();
  });

  test('names a busy listening port, a missing serial port and a refused address, each with its fix', async () => {
    const other = await serve();
    const another = await serve();
    const gone = await serve();
    await gone.stop();
    const { exit, healthy, findings } = await diagnose(
      `server: { host: 127.0.0.1, port: 0, tcp: { port: ${other.port} } }
devices:
  - { id: psu, link: ${join(folder, 'ttyNone')}, ${REGISTER} }
  - { id: rack, link: "tcp:127.0.0.1:${gone.port}", ${REGISTER} }
listeners:
  - { link: "tcp-listen:127.0.0.1:${another.port}" }
`,
    );
    await other.stop();
    await another.stop();
    expect(healthy).toBe(false);
    expect(findings.map(({ about, code }) => [about, code])).toEqual([
      ['server', undefined],
      ['server.tcp', 'address_in_use'],
      ['listener', 'address_in_use'],
      ['psu', 'port_missing'],
      ['rack', 'connect_refused'],
    ]);
    expect(exit).toBe(1);
  });

  test('says so where the bridge itself runs', async () => {
    await using bridge = await startBridge('listeners: [{ link: "tcp-listen:127.0.0.1:0" }]');
    const { port } = new URL(bridge.url);
    const { findings } = await diagnose(`server: { port: ${port} }\ndevices: []\n`);
    expect(findings).toMatchObject([{ about: 'server', code: 'address_in_use' }]);
    expect(findings[0]?.detail).toMatch(`A bridge runs at http://127.0.0.1:${port} already.`);
  });

  test.runIf(hasPtys())('finds one port behind two names', async () => {
    const pty = openPty();
    const name = join(folder, 'ttyMeter');
    symlinkSync(pty.path, name);
    const { exit, findings } = await diagnose(
      `server: { host: 127.0.0.1, port: 0 }
devices:
  - { id: psu, link: ${pty.path}, ${REGISTER} }
  - { id: twin, link: ${name}, ${REGISTER} }
`,
    );
    await pty.dispose();
    expect(exit).toBe(1);
    expect(findings.at(-1)).toMatchObject({ about: 'twin', code: 'port_busy' });
    expect(findings.at(-1)?.detail).toContain('psu');
  });

  test('a configuration that cannot be used is wrong usage', async () => {
    expect((await diagnose('devices: 3\n')).exit).toBe(2);
  });
});

test.runIf(hasPtys())('a pty is free, though its maker keeps it open, as socat does', async () => {
  const pty = openPty();
  const maker = spawn(process.execPath, [
    '-e',
    `require('node:fs').openSync(${JSON.stringify(pty.path)}, 'r+'); console.log('open'); setInterval(() => {}, 60_000);`,
  ]);
  try {
    await once(maker.stdout, 'data');
    // What is known of other processes may be half a second old.
    await expect
      .poll(async () => (await portHolders(pty.path)).some(({ pid }) => pid === maker.pid))
      .toBe(process.platform === 'linux');
    expect(await examinePort('psu', serialAddress(pty.path))).toEqual({
      about: 'psu',
      detail: `${pty.path} is there, free, and may be opened.`,
    });
  } finally {
    maker.kill();
    await once(maker, 'exit');
    await pty.dispose();
  }
});

test.runIf(hasPtys())('a port is looked at, not opened', async () => {
  const pty = openPty();
  // The system gives out the names of ptys again while other processes may still hold the former ones open.
  await expect
    .poll(() => examinePort('psu', serialAddress(pty.path)))
    .toEqual({ about: 'psu', detail: `${pty.path} is there, free, and may be opened.` });
  await pty.dispose();
  expect(await examinePort('psu', serialAddress(pty.path))).toMatchObject({ code: 'port_missing' });
  const file = join(folder, 'file');
  writeFileSync(file, '');
  expect(await examinePort('psu', serialAddress(file))).toMatchObject({ code: 'port_not_serial' });
});

test('a low limit on open files names the line to type', async () => {
  const limits = join(folder, 'limits');
  writeFileSync(
    limits,
    'Max processes 1 1 processes\nMax open files            1024                 4096                 files\n',
  );
  expect(await examineOpenFiles(1_000, limits)).not.toHaveProperty('code');
  const low = await examineOpenFiles(5_000, limits);
  expect(low).toMatchObject({ code: 'open_file_limit' });
  expect(low?.detail).toContain('ulimit -n 5000');
  expect(await examineOpenFiles(5_000, join(folder, 'none'))).toBeUndefined();
});

test('the folders that something is written to are looked at, and not made', async () => {
  const small = 'budget_mb: 1, max_files: 2';
  const yaml = (recording: string, files: string, record = true) =>
    `server: { host: 127.0.0.1, port: 0 }
recording: { dir: "${recording}", ${small} }
files: { dir: "${files}", ${small} }
listeners: [{ link: "tcp-listen:127.0.0.1:0", record: ${record} }]
`;
  writeFileSync(join(folder, 'a-file'), '');
  const about = async (text: string) =>
    (await diagnose(text)).findings.filter((each) => ['recording', 'files'].includes(each.about));
  expect(await about(yaml('new/traces', '.'))).toEqual([
    { about: 'recording', detail: expect.stringMatching(/new\/traces will be made\.$/) },
    { about: 'files', detail: expect.stringMatching(/may be written to\.$/) },
  ]);
  expect(existsSync(join(folder, 'new'))).toBe(false);
  expect(await about(yaml('a-file', 'a-file/below/it'))).toEqual([
    {
      about: 'recording',
      code: 'recording_failed',
      detail: expect.stringContaining('name another folder as `recording.dir`'),
    },
    { about: 'files', code: 'file_not_written', detail: expect.stringMatching(/a-file is no folder/) },
  ]);
  // Where nothing is recorded, nothing is written to it.
  expect((await about(yaml('a-file', '.', false))).map((each) => each.about)).toEqual(['files']);
});

test.each([
  [
    'budget_mb: 100000000, max_files: 2',
    /\.budget_mb is 100000000 MiB, and the disk of .* has room for \d+ MiB/,
  ],
  [
    'budget_mb: 1, max_files: 100000000',
    /\.max_files is 100000000, and the disk of .* has room for \d+ files/,
  ],
])('a disk without room for %s is named', async (limits, said) => {
  const { files } = await statfs(folder);
  // Some file systems have as many files as there is room for, and say nothing of it.
  if (limits.includes('max_files: 1') && (files === 0 || files > 100_000_000)) return;
  const { exit, findings } = await diagnose(`server: { host: 127.0.0.1, port: 0 }
recording: { dir: new/traces, ${limits} }
files: { dir: new/files, ${limits} }
listeners: [{ link: "tcp-listen:127.0.0.1:0", record: true }]
`);
  expect(exit).toBe(1);
  const codes = findings.filter(({ detail }) => said.test(detail)).map(({ code }) => code);
  expect(codes).toEqual(['recording_budget', 'file_not_stored']);
});

describe.runIf(hasOpenssl)('a certificate', () => {
  test('is looked into', async () => {
    makeCertificate(folder, 'one');
    const { exit, findings } = await diagnose(
      'server: { host: 127.0.0.1, port: 0, tls: { cert: one.crt, key: one.key } }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\n',
    );
    expect(exit).toBe(0);
    expect(findings[1]).toMatchObject({
      about: 'server',
      detail: expect.stringMatching(/valid until \d{4}-/),
    });
  });

  test('that is none makes the configuration unusable', async () => {
    const { exit, healthy } = await diagnose(
      'server: { host: 127.0.0.1, port: 0, tls: { cert: none.crt, key: none.key } }\n',
    );
    expect([exit, healthy]).toEqual([2, false]);
  });
});

test('names the devices of which nothing is kept for incidents, because their words are secret', async () => {
  writeFileSync(join(folder, 'one.key'), `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 });
  const secrecy =
    'secrecy: { keys: [{ id: one, file: one.key }], topics: [{ pattern: "devices/s/#", key: one }] }';
  const devices = ['s', 'p'].map((id) => `  - { id: ${id}, link: "tcp:127.0.0.1:1", ${REGISTER} }\n`);
  const { findings } = await diagnose(`server: { port: 0 }\n${secrecy}\ndevices:\n${devices.join('')}`);
  const said = findings.filter(({ about }) => about === 'black_box').map(({ detail }) => detail);
  expect(said).toEqual(['Nothing is kept for incidents of what `secrecy` covers: s.']);
});

describe('doctor, about how subscribers are written to', () => {
  const said = async (server: string): Promise<string | undefined> => {
    writeFileSync(join(folder, 'devices.yaml'), `server: { port: 0, ${server} }\ndevices: []\n`);
    const io = new RecordedIo(folder);
    await doctor.run({ file: 'devices.yaml', json: false }, io);
    return /^ok {2}writes: (.*)$/m.exec(io.printed)?.[1];
  };

  test('says whether the native part is used, and why not', async () => {
    const native = loadNativeWrites();
    expect(await said('workers: auto')).toBe(
      native.on
        ? 'One call writes to many subscribers: the native part is built.'
        : `Each subscriber is written to by itself, which costs more with hundreds of them: ${native.why}.`,
    );
    expect(await said('native: false')).toBe(
      'Each subscriber is written to by itself: `server.native` is false.',
    );
  });

  test.runIf(hasOpenssl)('says that TLS does not go together with it', async () => {
    makeCertificate(folder, 'one');
    expect(await said('tls: { cert: one.crt, key: one.key }')).toBe(
      'Each subscriber is written to by itself: the feed is served over TLS.',
    );
  });
});
