import { describe, expect, it } from 'vitest';
import type { CommandOutcome } from '../../../src/contract/command.ts';
import { type FeedClient, FeedWorld } from '../../support/feed-world.ts';

const ASK = { type: 'command', device: 'd1', message: 'datetime', ack: true };
const DONE: CommandOutcome = { ok: true, result: { fields: {} } };
const REFUSED: CommandOutcome = { ok: false, code: 'device_unknown', message: 'Not here.', retry: false };

function secretOf(client: FeedClient): string {
  const [welcome] = client.messages;
  return welcome?.type === 'welcome' ? welcome.payload.session : '';
}

/** The outcomes that a client got of its commands. */
const outcomes = (client: FeedClient) =>
  client.messages.filter(({ type }) => type === 'response' || type === 'error');

async function settled(client: FeedClient): Promise<void> {
  client.send({ type: 'ping' });
  await client.next('pong');
}

describe('the outcome of a command that asks for an acknowledgement', () => {
  it.each([
    ['response', DONE],
    ['error', REFUSED],
  ] as const)('is sent again under the same id until it is acknowledged: %s', async (type, outcome) => {
    await using world = await FeedWorld.start({ commands: async () => outcome });
    const client = await world.client();
    client.send({ ...ASK, id: '1' });
    const first = await client.next(type);
    expect(first).toMatchObject({ ack_required: true, payload: { reply_to: '1' } });
    world.clock.advance(31_000);
    const again = await client.next(type);
    expect([again.id, again.payload]).toEqual([first.id, first.payload]);
    client.send({ type: 'ack', ids: [first.id] });
    await settled(client);
    world.clock.advance(31_000);
    await settled(client);
    expect(outcomes(client)).toHaveLength(2);
  });

  it('is sent five times, and then only on request', async () => {
    let carriedOut = 0;
    const commands = async () => {
      carriedOut++;
      return DONE;
    };
    await using world = await FeedWorld.start({ commands });
    const client = await world.client();
    client.send({ ...ASK, id: '1' });
    for (let round = 0; round < 8; round++) {
      await settled(client);
      world.clock.advance(31_000);
    }
    await settled(client);
    expect(outcomes(client)).toHaveLength(5);
    client.send({ ...ASK, id: '1' });
    await expect.poll(() => outcomes(client).length).toBe(6);
    expect(carriedOut).toBe(1);
  });

  it('comes by itself to a client that resumes the session, unless it was acknowledged', async () => {
    await using world = await FeedWorld.start({ commands: async () => DONE });
    const first = await world.client();
    first.send({ ...ASK, id: 'kept' });
    await first.next('response');
    first.send({ ...ASK, id: 'done' });
    const done = await first.next('response');
    first.send({ type: 'ack', ids: [done.id] });
    await settled(first);
    first.socket.terminate();
    const second = await world.client();
    second.send({ type: 'resume', id: 'r', session: secretOf(first) });
    await expect.poll(() => outcomes(second).length).toBe(2);
    expect(outcomes(second)).toMatchObject([
      { payload: { reply_to: 'r', result: { unacknowledged: 1 } } },
      { ack_required: true, payload: { reply_to: 'kept' } },
    ]);
  });

  it('takes a place among the commands that may be open', async () => {
    await using world = await FeedWorld.start({ commands: async () => DONE });
    const client = await world.client();
    for (let n = 0; n < 33; n++) client.send({ ...ASK, id: `c${n}` });
    const { payload } = await client.next('error');
    expect(payload).toMatchObject({ reply_to: 'c32', code: 'too_many_commands', retry: true });
    // One that was asked before is only looked up, and needs no place.
    client.send({ ...ASK, id: 'c7' });
    expect((await client.next('response')).payload).toMatchObject({ reply_to: 'c7' });
    client.send({ type: 'ack', ids: outcomes(client).map(({ id }) => id) });
    client.send({ ...ASK, id: 'next' });
    await expect.poll(() => outcomes(client).at(-1)?.payload).toMatchObject({ reply_to: 'next' });
  });

  it('is plain where none is asked for', async () => {
    await using world = await FeedWorld.start({ commands: async () => DONE });
    const client = await world.client();
    client.send({ ...ASK, ack: false, id: '1' });
    expect(await client.next('response')).not.toHaveProperty('ack_required');
    client.send({ ...ASK, ack: 'yes', id: '2' });
    expect((await client.next('error')).payload).toMatchObject({ code: 'bad_field', reply_to: '2' });
  });
});
