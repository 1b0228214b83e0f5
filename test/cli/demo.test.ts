import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { ask } from '../support/http.ts';
import { RecordedIo } from '../support/recorded-io.ts';

async function demo(...args: string[]) {
  const io = new RecordedIo();
  const code = main(['demo', '--devices', '0', ...args], io);
  const port = (): number | undefined => {
    const found = /Open {4}http:\/\/127\.0\.0\.1:(\d+)/.exec(io.printed)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  return {
    port,
    said: () => io.logged,
    code,
    [Symbol.asyncDispose]: async () => {
      io.signal('SIGINT');
      await code;
    },
  };
}

describe('heartwire demo', () => {
  it('names a port that its own like does not hold, where its port is taken', async () => {
    await using first = await demo('--port', '0');
    await expect.poll(first.port).toBeTypeOf('number');
    const taken = first.port() ?? 0;
    await using second = await demo('--port', String(taken));
    expect(await second.code).toBe(1);
    expect(second.said()).toContain(`Another program listens on 127.0.0.1:${taken}.`);
    // Beside 8080 it would be that of its JSON lines.
    expect(second.said()).not.toContain(`--port ${taken} `);
    expect(second.said()).not.toContain(`--port ${taken + 1} `);
    expect(second.said()).toMatch(/Take another port: heartwire demo --port \d+ /);
  });

  it('lets pages of other origins connect that are named', async () => {
    const [one, other] = ['http://localhost:5173', 'https://panel.example'];
    await using running = await demo('--port', '0', '--origin', one, '--origin', other);
    await expect.poll(running.port).toBeTypeOf('number');
    const allowed = async (origin: string) =>
      (await ask(running.port() ?? 0, '/api/devices', { headers: { Origin: origin } })).headers[
        'access-control-allow-origin'
      ];
    expect(await Promise.all([one, other, 'http://localhost:5174'].map(allowed))).toEqual([
      one,
      other,
      undefined,
    ]);
  });

  it('says how an origin is written', async () => {
    await using wrong = await demo('--origin', 'http://localhost:5173/');
    expect(await wrong.code).toBe(2);
    expect(wrong.said()).toContain('Write http://localhost:5173.');
  });
});
