import { describe, expect, it } from 'vitest';
import { BridgeCommands } from '../../src/app/bridge-commands.ts';
import type { CommandOutcome, FeedCommand } from '../../src/contract/index.ts';
import { withResolvers } from '../../src/system/index.ts';
import { FakeClock } from '../support/fake-clock.ts';

const COMMAND: FeedCommand = { device: 'psu-1', message: 'status', fields: {}, timeoutMs: 5_000 };
const CLIENT = { id: 'a', address: '127.0.0.1' };
const DONE: CommandOutcome = { ok: true, result: {} };

function made() {
  const clock = new FakeClock();
  const { promise, resolve } = withResolvers<CommandOutcome>();
  const perform = () => promise;
  const commands = new BridgeCommands({ clock, anywhere: perform, here: perform });
  return { clock, commands, resolve };
}

describe('the commands of a bridge that stops', () => {
  it('are waited for where they are under way, and refused where they are not', async () => {
    const { commands, resolve } = made();
    const underWay = commands.anywhere(COMMAND, CLIENT);
    let drained = false;
    const drain = commands.drain().then(() => {
      drained = true;
    });
    for (const perform of [commands.anywhere, commands.here])
      expect(await perform(COMMAND, CLIENT)).toMatchObject({
        ok: false,
        code: 'device_not_online',
        message: 'The bridge is being stopped; nothing was sent to psu-1.',
        retry: true,
      });
    expect(drained).toBe(false);
    resolve(DONE);
    expect(await underWay).toEqual(DONE);
    await drain;
  });

  it('are not waited for without end', async () => {
    const { clock, commands } = made();
    void commands.here(COMMAND, CLIENT);
    const drain = commands.drain();
    clock.advance(3_000);
    await drain;
  });
});
