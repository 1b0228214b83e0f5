import { describe, expect, it, vi } from 'vitest';
import { CLOSE_CODES } from '../../../src/contract/wire/close-code.ts';
import type { JsonObject } from '../../../src/contract/wire/json.ts';
import { Subscriber } from '../../../src/feed/core/subscriber.ts';
import type { FeedServerOptions } from '../../../src/feed/transports/feed-server.ts';
import { BridgeFace } from '../../support/bridge-face.ts';
import { DOORS, DoorClient } from '../../support/door-client.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ask } from '../../support/http.ts';

const GOOD = 'devices/good/state';
const BROKEN = 'devices/broken/state';

/** A document that cannot be encoded while `broken`. */
class Document {
  broken = false;

  get state(): JsonObject {
    const isBroken = (): boolean => this.broken;
    return {
      device: 'broken',
      get value(): number {
        if (isBroken()) throw new TypeError('this document is broken');
        return 1;
      },
    };
  }
}

const broken = (): never => {
  throw new TypeError('the position is broken');
};

/** A bridge with one document that is well and one that is not, and what it says of defects. */
async function stage(feed: Partial<FeedServerOptions> = {}) {
  const reported: object[] = [];
  const document = new Document();
  const onDefect = (hit: object, cause: unknown): void =>
    void reported.push({ ...hit, cause: String(cause) });
  const face = await BridgeFace.open({ feed: { ...feed, onDefect, closeTimeoutMs: 100 } });
  face.store.publishState(GOOD, { n: 0 });
  face.store.publishState(BROKEN, document.state);
  document.broken = true;
  return { face, document, reported, [Symbol.asyncDispose]: () => face[Symbol.asyncDispose]() };
}

describe.each(DOORS)('a defect with a subscriber over %s', (door) => {
  it('ends its connection, and no other', async () => {
    await using world = await stage();
    const { face, reported } = world;
    using witness = await DoorClient.follow(door, face, [GOOD]);
    using hit = DoorClient.knock(door, face, [BROKEN]);
    if (door !== 'sse') {
      await hit.until(() => hit.types.includes('welcome'));
      hit.say({ type: 'subscribe', topics: [BROKEN] });
    }
    await hit.closed;
    expect(reported).toEqual([
      { address: '127.0.0.1', client: expect.any(String), cause: 'TypeError: this document is broken' },
    ]);
    await expect.poll(() => face.endings(door)).toEqual({ internal_error: 1 });
    const { code } = CLOSE_CODES.internal_error;
    expect(hit.closing).toEqual({ code, reason: 'internal_error', reconnect: true });
    if (door === 'websocket') expect(hit.closeCode).toBe(code);
    face.store.publishState(GOOD, { n: 1 });
    await witness.until(() => witness.view.documents()[GOOD]?.n === 1);
    expect(witness.types).not.toContain('closing');
    // What is fixed is had again.
    world.document.broken = false;
    using back = await DoorClient.follow(door, face, [BROKEN]);
    expect(back.view.documents()).toMatchObject({ [BROKEN]: { value: 1 } });
  });
});

describe('a defect that shows', () => {
  it('where a message of a subscriber is read ends its connection, and no other', async () => {
    await using world = await stage();
    const { face, reported } = world;
    using witness = await DoorClient.follow('websocket', face, [GOOD]);
    using hit = await DoorClient.follow('websocket', face, [GOOD]);
    Object.assign(face.store, { recoverable: broken });
    hit.say({ type: 'subscribe', topics: [GOOD], since: { e: 1 } });
    await hit.closed;
    expect(hit.closing).toMatchObject({ reason: 'internal_error' });
    expect(reported).toMatchObject([{ client: hit.clientId, cause: 'TypeError: the position is broken' }]);
    expect(face.clients.map(({ id }) => id)).toEqual([witness.clientId]);
  });

  it('where connections are looked after each second ends one, and the others are looked after', async () => {
    const clock = new FakeClock();
    await using world = await stage({ clock });
    const { face, reported } = world;
    using hit = await DoorClient.follow('websocket', face, [GOOD]);
    using witness = await DoorClient.follow('websocket', face, [GOOD]);
    const remind = vi.spyOn(Subscriber.prototype, 'remind').mockImplementationOnce(broken);
    clock.advance(1_000);
    expect(remind).toHaveBeenCalledTimes(2);
    remind.mockRestore();
    await hit.closed;
    expect(reported).toMatchObject([{ client: hit.clientId, cause: 'TypeError: the position is broken' }]);
    expect(face.clients.map(({ id }) => id)).toEqual([witness.clientId]);
  });
});

describe.each(['websocket', 'json_lines'] as const)('a defect in what comes later, over %s', (door) => {
  it('ends the connection that waits for it, and no other', async () => {
    const { state } = Object.assign(new Document(), { broken: true });
    await using world = await stage({ commands: async () => ({ ok: true, result: state }) });
    const { face, reported } = world;
    using witness = await DoorClient.follow(door, face, [GOOD]);
    using hit = DoorClient.knock(door, face);
    await hit.until(() => hit.types.includes('welcome'));
    hit.say({ type: 'command', id: 'c', device: 'd1', message: 'read' });
    await hit.closed;
    expect(reported).toEqual([
      { address: '127.0.0.1', client: hit.clientId, cause: 'TypeError: this document is broken' },
    ]);
    expect(hit.closing).toMatchObject({ reason: 'internal_error' });
    face.store.publishState(GOOD, { n: 1 });
    await witness.until(() => witness.view.documents()[GOOD]?.n === 1);
  });
});

describe('a defect with a request over HTTP', () => {
  it('is answered, and others are too', async () => {
    await using world = await stage();
    const { face, reported } = world;
    const answer = await ask(face.port, '/api/devices/broken');
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      500,
      { code: 'internal_error', message: expect.stringContaining('defect') },
    ]);
    expect(reported).toEqual([{ address: '127.0.0.1', cause: 'TypeError: this document is broken' }]);
    expect((await ask(face.port, '/api/devices/good')).status).toBe(200);
  });
});
