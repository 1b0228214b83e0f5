import { describe, expect, it } from 'vitest';
import type { Grant } from '../../src/access/grant.ts';
import { incidentRoutes } from '../../src/server/http/incident-routes.ts';

const grantOf = (...topics: string[]): Grant => ({ subject: 's', role: 'read', topics });
const incident = (id: string, device: string, bus?: string) => ({
  id,
  device,
  ...(bus === undefined ? {} : { bus }),
  at: 1,
  reason: 'offline' as const,
  detail: 'it went silent',
  from: 0,
  to: 2,
  bytes: 10,
  path: `/kept/${id}.trace`,
});
const KEPT = [
  incident('mine.1', 'mine'),
  incident('other.1', 'other'),
  incident('member.1', 'member', 'rs485'),
];

function get(path: string, ...topics: string[]) {
  const incidents = { all: KEPT, find: (id: string) => KEPT.find((each) => each.id === id) };
  return incidentRoutes(incidents, path, { query: new URLSearchParams(), grant: grantOf(...topics) })?.();
}
const idsIn = (body: unknown): string[] =>
  (JSON.parse(Buffer.from(body as Uint8Array).toString()) as { incidents: { id: string }[] }).incidents.map(
    ({ id }) => id,
  );

describe('the rights to incidents', () => {
  it('list those of the devices whose state the token may read', () => {
    expect(idsIn(get('/api/incidents', '#')?.body)).toEqual(['member.1', 'other.1', 'mine.1']);
    expect(idsIn(get('/api/incidents', 'devices/mine/#')?.body)).toEqual(['mine.1']);
    expect(idsIn(get('/api/incidents', 'devices/mine/bytes')?.body)).toEqual([]);
  });

  it('make one that a token may not see the same as one that is not there', () => {
    for (const suffix of ['', '.trace']) {
      const hidden = get(`/api/incidents/mine.1${suffix}`, 'devices/other/#');
      const absent = get(`/api/incidents/none.1${suffix}`, 'devices/other/#');
      expect(hidden?.status).toBe(404);
      expect(String(hidden?.body).replace('mine.1', 'none.1')).toBe(String(absent?.body));
    }
  });

  it.each([
    ['mine.1', ['devices/mine/#'], 200],
    ['mine.1', ['devices/mine/state', 'devices/mine/bytes'], 200],
    ['mine.1', ['devices/mine/state'], 403],
    // On a bus the trace holds what all its devices said.
    ['member.1', ['devices/member/#'], 403],
    ['member.1', ['devices/member/#', 'buses/rs485/bytes'], 200],
  ])('to the trace of %s, with a token for %j: %d', (id, topics, status) => {
    expect(get(`/api/incidents/${id}.trace`, ...topics)?.status).toBe(status);
  });
});
