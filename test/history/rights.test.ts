import { describe, expect, it } from 'vitest';
import type { Grant } from '../../src/access/grant.ts';
import type { Answer } from '../../src/access/http-answer.ts';
import type { HistoryAnswer } from '../../src/history/history.ts';
import type { Query } from '../../src/history/query.ts';
import { HistoryRoutes } from '../../src/history/routes.ts';

const grantOf = (...topics: string[]): Grant => ({ subject: 's', role: 'read', topics });

/** Routes over a history that knows the device `mine` with one field, and notes what it was asked. */
function bench(answers: (query: Query) => object | undefined = () => ({ points: [] })) {
  const asked: Query[] = [];
  const routes = new HistoryRoutes({
    history: {
      async query(query): Promise<HistoryAnswer> {
        asked.push(query);
        const answer = answers(query);
        return { ok: true, body: answer && new TextEncoder().encode(`${JSON.stringify(answer)}\n`) };
      },
    },
    now: () => 1_000_000_000,
    isKnown: (device) => device === 'mine',
  });
  const get = async (path: string, grant: Grant) => {
    const [name = '', query = ''] = path.split('?');
    const found = routes.find(`/api/history/${name}`, { query: new URLSearchParams(query), grant })?.();
    const answer: Answer | undefined = (await found?.later?.()) ?? found;
    return { status: answer?.status, text: Buffer.from(answer?.body ?? '').toString() };
  };
  return { get, asked, routes };
}

describe('the rights to the history', () => {
  it.each(['values?device=DEVICE&field=a.x', 'events?device=DEVICE'])(
    'of a device that a token may not see are those to a device that is unknown: %s',
    async (path) => {
      const { get, asked } = bench(({ kind }) => (kind === 'events' ? { events: [] } : undefined));
      const at = (device: string) => path.replace('DEVICE', device);
      const hidden = await get(at('mine'), grantOf('devices/other/#'));
      const unknown = await get(at('nothing'), grantOf('#'));
      expect(hidden.status).toBe(404);
      expect(hidden.text.replace('mine', 'nothing')).toBe(unknown.text);
      // Not even asked: how long it takes says nothing.
      expect(asked.some((query) => query.device === 'mine')).toBe(false);
    },
  );

  it('are the same for another instance that asks', async () => {
    const { get, routes } = bench(({ kind }) => (kind === 'events' ? { events: [] } : { points: [1] }));
    for (const path of ['values?device=mine&field=a.x', 'values?device=mine', 'events', 'devices', 'nothing'])
      for (const topics of [['#'], ['devices/other/#'], []]) {
        const [name = '', query = ''] = path.split('?');
        const { status, text } = await get(path, grantOf(...topics));
        const answer = await routes.ask(`/api/history/${name}`, query, topics);
        expect(answer).toEqual(status === undefined ? undefined : { status, body: text });
      }
  });

  it('hand the patterns of the token to what reads events and devices', async () => {
    const { get, asked } = bench(() => ({ events: [] }));
    await get('events', grantOf('devices/mine/#'));
    await get('devices', grantOf('devices/mine/#'));
    expect(asked).toMatchObject([{ topics: ['devices/mine/#'] }, { topics: ['devices/mine/#'] }]);
  });

  it.each([
    ['devices/mine/state', 200],
    ['devices/+/messages', 200],
    ['devices/mine/#', 200],
    ['#', 200],
    ['devices/mine/alarms', 404],
    ['devices/minette/#', 404],
    ['bridge/status', 404],
  ])('to values, with a token for %s: %d', async (pattern, status) => {
    const { get } = bench();
    expect((await get('values?device=mine&field=a.x', grantOf(pattern))).status).toBe(status);
  });

  it('answers with the reason while nothing can be read', async () => {
    const routes = new HistoryRoutes({
      history: { query: async () => ({ ok: false, code: 'history_locked', message: 'database is locked' }) },
      now: () => 0,
      isKnown: () => true,
    });
    const find = routes.find('/api/history/devices', {
      query: new URLSearchParams(),
      grant: grantOf('#'),
    })?.();
    const answer = await find?.later?.();
    expect(answer).toMatchObject({ status: 503, body: expect.stringContaining('"history_locked"') });
  });
});
