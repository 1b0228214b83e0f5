import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { DEFAULT_SERIAL_SETTINGS, type SerialSettings } from '../../src/links/serial-address.ts';
import { dial } from '../../src/links/transports.ts';
import { freePort } from '../support/free-port.ts';
import { needs } from '../support/needs.ts';
import { hasPtys, openPty, type Pty } from '../support/pty.ts';
import { RecordedLink } from '../support/recorded-link.ts';

const ser2net = needs('ser2net');
const running: { readonly program: ChildProcess; readonly pty: Pty }[] = [];

afterEach(async () => {
  for (const { program, pty } of running.splice(0)) {
    program.kill();
    await once(program, 'exit');
    await pty.dispose();
  }
});

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

/** A real serial server, with a pty as its line. */
async function serve(accepter: string): Promise<{ readonly port: number; readonly pty: Pty }> {
  const pty = openPty();
  const port = await freePort();
  const line = `serialdev,${pty.path},9600n81,local`;
  const yaml = `connection: &a#  accepter: ${accepter},127.0.0.1,${port}#  connector: ${line}#  options:#    kickolduser: true`;
  const program = spawn(ser2net.path, ['-n', '-P', '', '-Y', yaml], { stdio: 'ignore' });
  running.push({ program, pty });
  await expect.poll(() => answers(port), { timeout: 10_000 }).toBe(true);
  return { port, pty };
}

const link = (port: number, change: Partial<SerialSettings> = {}) =>
  new RecordedLink(
    dial({
      scheme: 'rfc2217',
      host: '127.0.0.1',
      port,
      settings: { ...DEFAULT_SERIAL_SETTINGS, baud: 19_200, ...change },
    }),
  );

describe.runIf(ser2net.run && hasPtys())('with ser2net', () => {
  test('the line opens with its settings and carries every byte both ways', async () => {
    const { port, pty } = await serve('telnet(rfc2217),tcp');
    const recorded = link(port, { stopBits: 2 });
    await expect.poll(() => recorded.end?.detail ?? recorded.opened, { timeout: 10_000 }).toBe(true);
    const every = Uint8Array.from({ length: 256 }, (_, at) => at);
    recorded.link.send(every);
    await expect.poll(() => pty.received().length).toBe(256);
    expect([...pty.received()]).toEqual([...every]);
    pty.write(every);
    await expect.poll(() => recorded.arrived).toBe(256);
    expect([...recorded.bytes()]).toEqual([...every]);
    recorded.link.end();
    await expect.poll(() => recorded.end?.code).toBe('link_ended');
  });

  test('a port without RFC 2217 is refused with the fallback', async () => {
    const { port } = await serve('telnet,tcp');
    const recorded = link(port);
    await expect.poll(() => recorded.end?.code, { timeout: 10_000 }).toBe('com_port_refused');
    expect(recorded.end?.detail).toContain('line: serial');
  });
});
