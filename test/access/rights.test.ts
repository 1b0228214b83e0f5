import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClientMessage } from '../../src/contract/feed/client-messages.ts';
import type { ServerMessage } from '../../src/contract/feed/server-messages.ts';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import { AccessWorld, secretOf, token } from '../support/access-world.ts';
import type { FeedClient } from '../support/feed-world.ts';
import type { LinesClient } from '../support/lines-world.ts';

type Type = ClientMessage['type'];
type Right = 'ok' | 'unauthorized' | 'forbidden';

const ROLES = ['read', 'command', 'admin'] as const;
const WHO = ['nobody', ...ROLES] as const;

/** What the role alone allows, in the order of `WHO`. */
const BY_ROLE: Readonly<Record<Type, readonly [Right, Right, Right, Right]>> = {
  auth: ['ok', 'ok', 'ok', 'ok'],
  ping: ['ok', 'ok', 'ok', 'ok'],
  pong: ['ok', 'ok', 'ok', 'ok'],
  echo: ['unauthorized', 'ok', 'ok', 'ok'],
  ack: ['unauthorized', 'ok', 'ok', 'ok'],
  resume: ['unauthorized', 'ok', 'ok', 'ok'],
  subscribe: ['unauthorized', 'ok', 'ok', 'ok'],
  unsubscribe: ['unauthorized', 'ok', 'ok', 'ok'],
  resync: ['unauthorized', 'ok', 'ok', 'ok'],
  get_clients: ['unauthorized', 'ok', 'ok', 'ok'],
  command: ['unauthorized', 'forbidden', 'ok', 'ok'],
  broadcast: ['unauthorized', 'forbidden', 'ok', 'ok'],
  kick: ['unauthorized', 'forbidden', 'forbidden', 'ok'],
  add_entry: ['unauthorized', 'forbidden', 'forbidden', 'ok'],
};

const TOPICS = {
  all: ['#'],
  one: ['devices/p1/#'],
  states: ['devices/+/state', 'clients'],
  parts: ['devices', 'devices/+/#'],
} as const;
type Topics = keyof typeof TOPICS;

/** Which patterns lie within the topics of a token; a command stands for all of its device. */
const BY_TOPIC: ReadonlyArray<readonly [pattern: string, ...within: Topics[]]> = [
  ['#', 'all'],
  ['+', 'all'],
  ['+/+/state', 'all'],
  ['clients', 'all', 'states'],
  ['bridge/status', 'all'],
  ['broadcast/all', 'all'],
  ['devices', 'all', 'parts'],
  ['devices/#', 'all', 'parts'],
  ['devices/+/#', 'all', 'parts'],
  ['devices/+/state', 'all', 'states', 'parts'],
  ['devices/+/bytes', 'all', 'parts'],
  ['devices/p1', 'all', 'one', 'parts'],
  ['devices/p1/#', 'all', 'one', 'parts'],
  ['devices/p1/+', 'all', 'one', 'parts'],
  ['devices/p1/state', 'all', 'one', 'states', 'parts'],
  ['devices/p1/bytes', 'all', 'one', 'parts'],
  ['devices/p1/messages', 'all', 'one', 'parts'],
  ['devices/+/messages', 'all', 'parts'],
  ['devices/p2/#', 'all', 'parts'],
  ['devices/p2/messages', 'all', 'parts'],
  ['devices/p2/state', 'all', 'states', 'parts'],
];
const within = (pattern: string, topics: Topics): boolean =>
  BY_TOPIC.some(([each, ...tokens]) => each === pattern && tokens.includes(topics));

interface Case {
  readonly message: JsonObject & { readonly type: Type };
  /** The pattern that must lie within the token's. */
  readonly pattern?: string;
  /** What comes back where the message gets past the rights. */
  readonly answer: string;
}

const CASES: readonly Case[] = [
  { message: { type: 'ping' }, answer: 'pong' },
  { message: { type: 'pong' }, answer: 'silence' },
  { message: { type: 'echo', data: 1 }, answer: 'echo' },
  { message: { type: 'ack', ids: ['r1'] }, answer: 'silence' },
  { message: { type: 'resume', session: 'none' }, answer: 'session_unknown' },
  { message: { type: 'get_clients' }, pattern: 'clients', answer: 'clients_list' },
  { message: { type: 'broadcast', data: 1 }, answer: 'broadcast_ack' },
  { message: { type: 'kick', client_id: 'nobody' }, answer: 'client_unknown' },
  {
    message: { type: 'add_entry', section: 'devices', lines: '- id: p3', dry_run: true },
    pattern: '#',
    answer: 'config_not_a_file',
  },
  ...['p1', 'p2'].map(
    (device): Case => ({
      message: { type: 'command', device, message: 'heartbeat' },
      pattern: `devices/${device}/#`,
      answer: 'response',
    }),
  ),
  ...BY_TOPIC.flatMap(([pattern]): Case[] => [
    { message: { type: 'subscribe', topics: [pattern] }, pattern, answer: 'synced' },
    {
      message: { type: 'subscribe', topics: ['devices/p1/state', pattern], since: { epoch: 1 } },
      pattern,
      answer: 'synced',
    },
    { message: { type: 'unsubscribe', topics: [pattern] }, answer: 'not_subscribed' },
  ]),
  ...BY_TOPIC.filter(([pattern]) => !/[+#]/.test(pattern)).map(
    ([pattern]): Case => ({
      message: { type: 'resync', topics: [pattern] },
      pattern,
      answer: 'not_subscribed',
    }),
  ),
];

function expected({ message, pattern, answer }: Case, who: (typeof WHO)[number], topics: Topics): string {
  const right = BY_ROLE[message.type][WHO.indexOf(who)];
  if (right !== 'ok' || who === 'nobody') return right === 'ok' ? answer : String(right);
  // The first pattern of two is in all of them.
  return pattern === undefined || within(pattern, topics) ? answer : 'forbidden';
}

/** One client, whatever carries its messages. */
interface Talker {
  send(message: JsonObject): void;
  readonly messages: readonly ServerMessage[];
}

/** What came back for a message: the type of the reply, the code of an error, or silence. */
async function answerTo(client: Talker, message: JsonObject): Promise<string> {
  client.send({ ...message, id: 'asked' });
  client.send({ type: 'ping', id: 'end' });
  const replies = (to: string) =>
    client.messages.filter(({ payload }) => 'reply_to' in payload && payload.reply_to === to);
  const final = () => replies('asked').filter(({ type }) => type !== 'snapshot');
  await expect.poll(() => replies('end').length, { interval: 1 }).toBe(1);
  if (message.type === 'subscribe') await expect.poll(() => final().length, { interval: 1 }).toBe(1);
  const [reply] = final();
  if (reply === undefined) return 'silence';
  return reply.type === 'error' ? reply.payload.code : reply.type;
}

let world: AccessWorld;
beforeAll(async () => {
  const tokens = ROLES.flatMap((role) =>
    Object.entries(TOPICS).map(([name, topics]) => token(`${role}-${name}`, role, topics)),
  );
  world = await AccessWorld.start({ tokens });
});
afterAll(() => world[Symbol.asyncDispose]());

function end({ socket }: FeedClient | LinesClient): void {
  if ('terminate' in socket) socket.terminate();
  else socket.destroy();
}

const transports = {
  'a WebSocket': () => world.socket(),
  'JSON lines': () => world.lines(),
} as const;
const holders: ReadonlyArray<readonly [(typeof WHO)[number], Topics]> = WHO.flatMap((who) => {
  const topics: readonly Topics[] = who === 'nobody' ? ['all'] : ['all', 'one', 'states', 'parts'];
  return topics.map((each) => [who, each] as const);
});

describe.each(Object.keys(transports) as Array<keyof typeof transports>)('over %s', (transport) => {
  it.each(holders)('%s with the topics "%s": every message, every pattern', async (who, topics) => {
    const seen: string[] = [];
    const right: string[] = [];
    for (const each of CASES) {
      const client = transports[transport]();
      expect((await client.next('welcome')).payload.auth).toBe('required');
      if (who !== 'nobody') {
        client.send({ type: 'auth', id: 'auth', token: secretOf(`${who}-${topics}`) });
        const { result } = (await client.next('response')).payload;
        expect(result).toEqual({ subject: `token:${who}-${topics}`, role: who, topics: TOPICS[topics] });
      }
      const name = JSON.stringify(each.message);
      seen.push(`${name}: ${await answerTo(client, each.message)}`);
      right.push(`${name}: ${expected(each, who, topics)}`);
      end(client);
    }
    expect(seen).toEqual(right);
  });

  it('covers every type of message that there is', () => {
    const types = new Set<string>(['auth', ...CASES.map(({ message }) => message.type)]);
    expect([...types].sort()).toEqual(Object.keys(BY_ROLE).sort());
  });
});

describe('more patterns than a client may have', () => {
  const topics = Array.from({ length: 257 }, (_, n) => `devices/p2/${n}`);

  it.each(Object.keys(transports) as Array<keyof typeof transports>)(
    'are counted before each is held against the rights, over %s',
    async (transport) => {
      const client = transports[transport]();
      await client.next('welcome');
      client.send({ type: 'subscribe', topics });
      expect((await client.next('error')).payload.code).toBe('unauthorized');
      client.send({ type: 'auth', token: secretOf('read-one') });
      client.send({ type: 'subscribe', topics });
      expect((await client.next('error')).payload.code).toBe('too_many_patterns');
      client.send({ type: 'subscribe', topics: topics.slice(1) });
      expect((await client.next('error')).payload.code).toBe('forbidden');
      end(client);
    },
  );

  it('are counted first over HTTP, too', async () => {
    const headers = { Authorization: `Bearer ${secretOf('read-one')}` };
    const url = `http://127.0.0.1:${world.port}/api/feed?topics=`;
    expect((await fetch(`${url}${topics.join(',')}`, { headers })).status).toBe(400);
    expect((await fetch(`${url}${topics.slice(1).join(',')}`, { headers })).status).toBe(403);
  });
});

describe('over HTTP', () => {
  const PATHS: ReadonlyArray<readonly [path: string, pattern: string | undefined]> = [
    ['/api/devices', 'devices/+/state'],
    ['/api/devices/p1', 'devices/p1/state'],
    ['/api/devices/p2', 'devices/p2/state'],
    ['/api/files', 'devices/+/messages'],
    ['/api/files/p1.20260101T000000000Z-7.bin', 'devices/p1/messages'],
    ['/api/files/p2.20260101T000000000Z-7.bin', 'devices/p2/messages'],
    ['/metrics', undefined],
    ...BY_TOPIC.map(([pattern]) => [`/api/feed?topics=${encodeURIComponent(pattern)}`, pattern] as const),
  ];

  async function status(path: string, name: string | undefined): Promise<string> {
    const headers = name === undefined ? {} : { Authorization: `Bearer ${secretOf(name)}` };
    const outgoing = request({ host: '127.0.0.1', port: world.port, path, headers, agent: false });
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    // There is no such file, and who may see it is told so.
    if (response.statusCode === 200 || response.statusCode === 404) {
      response.destroy();
      return '200';
    }
    let body = '';
    for await (const chunk of response) body += String(chunk);
    expect(response.headers['www-authenticate']).toMatch(/^Bearer /);
    return `${response.statusCode} ${JSON.parse(body).code}`;
  }

  it.each(holders)('%s with the topics "%s": every path, every pattern', async (who, topics) => {
    const seen: string[] = [];
    const right: string[] = [];
    for (const [path, pattern] of PATHS) {
      seen.push(`${path}: ${await status(path, who === 'nobody' ? undefined : `${who}-${topics}`)}`);
      const allowed = pattern === undefined || within(pattern, topics);
      right.push(`${path}: ${who === 'nobody' ? '401 unauthorized' : allowed ? '200' : '403 forbidden'}`);
    }
    expect(seen).toEqual(right);
  });

  it.each(['/', '/healthz', '/readyz'])('%s is open', async (path) => {
    expect(await status(path, undefined)).toBe('200');
  });

  it('nothing else is', async () => {
    for (const path of [
      '/api',
      '/api/files',
      '/api/files/x.bin',
      '/api/anything',
      '/config',
      '/x/../healthz',
    ]) {
      expect([path, await status(path, undefined)]).toEqual([path, '401 unauthorized']);
    }
  });
});
