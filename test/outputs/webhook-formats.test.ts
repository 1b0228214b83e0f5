import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusedBy, webhookRequest } from '../../src/outputs/core/webhook-formats.ts';
import { Endpoint } from '../support/endpoint.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { OutputWorld } from '../support/output-world.ts';

const SECRET = 'SEC+test/secret=';
/** 2026-01-01 00:00:00 UTC in s. */
const AT = 1_767_225_600;

let folder: string;
let endpoint: Endpoint;
let clock: FakeClock;
let world: OutputWorld;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-formats-'));
  await writeFile(join(folder, 'secret'), `${SECRET}\n`);
  endpoint = await Endpoint.start();
  endpoint.behaviour = { status: 200, body: '{"code":0,"errcode":0}' };
  clock = new FakeClock(1_000, AT * 1_000);
  world = new OutputWorld({ clock });
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await endpoint[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const send = async (format: string): Promise<void> => {
  await world.apply(
    `  - webhook: { url: "${endpoint.url}/robot?access_token=x", format: ${format}, for: 0s, secret_file: ${join(folder, 'secret')} }`,
  );
  world.state('a');
  world.state('a', { status: 'offline' });
};

// Computed with the samples of the services' own documents, in Python (hmac, base64).
describe('the signature', () => {
  it('of Feishu has the time in s and the secret as its key, and signs nothing', async () => {
    await send('feishu');
    await expect.poll(() => endpoint.taken.length).toBe(1);
    expect(JSON.parse(endpoint.taken[0]?.body ?? '')).toEqual({
      timestamp: String(AT),
      sign: 'MItIQd1qDPRNHdhCLKzfPDEOZw1CEWTvoBWrGoCKnOY=',
      msg_type: 'text',
      content: { text: 'a is offline' },
    });
  });

  it('of DingTalk signs the time in ms and the secret, and stands in the address', async () => {
    await send('dingtalk');
    await expect.poll(() => endpoint.taken.length).toBe(1);
    expect(endpoint.taken[0]?.path).toBe(
      `/robot?access_token=x&timestamp=${AT}000&sign=KmQlI73vs7g3ypiVvm0XQ%2Fo7EiWSJwav2NP7rSQ4WZQ%3D`,
    );
  });
});

describe('a robot', () => {
  it('that has too many messages gets this one later', async () => {
    endpoint.behaviour = { status: 200, body: '{"errcode":130101,"errmsg":"send too fast"}' };
    await send('dingtalk');
    await expect
      .poll(() => world.shown())
      .toMatchObject({ status: 'backoff', reason: 'output_refused', lost: 0, waiting: 1 });
    endpoint.behaviour = { status: 200, body: '{"errcode":0,"errmsg":"ok"}' };
    clock.advance(2_999);
    expect(world.counts()).toEqual({ sent: 0, lost: 0, waiting: 1 });
    clock.advance(1);
    await expect.poll(() => world.counts()).toEqual({ sent: 1, lost: 0, waiting: 0 });
  });

  it.each([
    ['feishu', '{"code":0,"msg":"success"}', undefined],
    ['feishu', '{"Extra":null,"StatusCode":0,"StatusMessage":"success"}', undefined],
    ['feishu', '{"code":19021,"msg":"sign match fail"}', false],
    ['feishu', '{"code":11232,"msg":"frequency limit"}', true],
    ['wecom', '{"errcode":0,"errmsg":"ok"}', undefined],
    ['wecom', '{"errcode":93000,"errmsg":"invalid webhook url"}', false],
    ['wecom', '{"errcode":45009,"errmsg":"api freq out of limit"}', true],
    ['dingtalk', '{"errcode":310000,"errmsg":"sign not match"}', false],
    ['dingtalk', '<html>', false],
    ['slack', 'ok', undefined],
  ] as const)('of %s that answers %s', (format, answer, isBusy) => {
    expect(refusedBy(format, answer)?.isBusy).toBe(isBusy);
  });

  it.each([
    ['slack', { text: '&lt;!channel&gt; &amp; (a) is offline' }],
    ['feishu', { msg_type: 'text', content: { text: '＜!channel> & (a) is offline' } }],
  ] as const)('of %s calls no people by a name of a device', (format, body) => {
    const notice = {
      event: 'offline',
      device: 'a',
      subject: 'status',
      word: 'offline',
      at: 1,
      data: {},
    } as const;
    expect(webhookRequest(format, 'en', notice, { label: '<!channel> &' }, 'id').body).toEqual(body);
  });
});
