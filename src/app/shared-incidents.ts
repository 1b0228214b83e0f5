import { open } from 'node:fs/promises';
import { mayHear } from '../access/index.ts';
import type { SharedFeed } from '../backplane/index.ts';
import type { IncidentDocument } from '../contract/feed/index.ts';
import type { Publisher } from '../contract/index.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../contract/wire/index.ts';
import type { IncidentPeers, PeerIncident, ServedIncidents } from '../server/index.ts';

/** As long as a person waits. */
const ANSWER_MS = 4_000;
/** Incidents that one instance lists for another. */
const MOST_LISTED = 1_000;
/** Bytes of a trace that go in one answer. */
const PIECE_BYTES = 192 * 1_024;
/** A trace that is longer can be fetched at its own instance only. */
const MOST_TRACE_BYTES = 64 * 2 ** 20;

/** Answers what other instances ask of the incidents of this one, and asks them for requests to this one. */
export function shareIncidents(
  shared: SharedFeed,
  incidents: () => ServedIncidents | undefined,
): IncidentPeers {
  shared.calls.handle('incidents', async (body) => listed(incidents()?.all ?? [], body));
  shared.calls.handle('incident_trace', async (body) => {
    const [id, from] = ['id', 'from'].map((key) => ownValue(body, key));
    const found = typeof id === 'string' ? incidents()?.find(id) : undefined;
    if (found === undefined || typeof from !== 'number') return null;
    return pieceOf(found.path, from);
  });
  return {
    instance: shared.instance,
    async list({ device, id, topics }) {
      const question = {
        topics,
        ...(device === undefined ? {} : { device }),
        ...(id === undefined ? {} : { id }),
      };
      const { answers, unreached } = await shared.peers.askAll('incidents', question, ANSWER_MS);
      const found = [...answers].flatMap(([instance, answer]) =>
        // The instances write it.
        (Array.isArray(answer) ? (answer as unknown as readonly IncidentDocument[]) : []).map(
          (each): PeerIncident => ({ ...each, instance }),
        ),
      );
      return { incidents: found, unreached: [...new Set([...unreached, ...shared.peers.missing()])] };
    },
    trace: (incident) => traceOf(shared, incident),
  };
}

function listed(all: readonly IncidentDocument[], body: JsonObject): Json {
  const [device, id, topics] = ['device', 'id', 'topics'].map((key) => ownValue(body, key));
  const patterns = Array.isArray(topics) ? topics.filter((each) => typeof each === 'string') : [];
  const grant = { subject: '', role: 'read', topics: patterns } as const;
  const found = all.filter(
    (each) =>
      (device === undefined || each.device === device) &&
      (id === undefined || each.id === id) &&
      mayHear(grant, `devices/${each.device}/state`),
  );
  // Its members are JSON; the compiler does not see that of a list of objects.
  return found.slice(-MOST_LISTED) as unknown as Json;
}

async function pieceOf(path: string, from: number): Promise<Json> {
  const file = await open(path).catch(() => undefined);
  // It made room for another one since it was listed.
  if (file === undefined) return null;
  try {
    const buffer = Buffer.alloc(PIECE_BYTES);
    const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, from);
    return { data: buffer.toString('base64', 0, bytesRead) };
  } finally {
    await file.close();
  }
}

/** One piece after the other, so that no more than one of them is under way. */
async function traceOf(
  shared: SharedFeed,
  { id, bytes, instance }: PeerIncident,
): Promise<readonly Uint8Array[] | undefined> {
  if (bytes > MOST_TRACE_BYTES) return undefined;
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < bytes; ) {
    const { answers } = await shared.peers.askEach('incident_trace', ANSWER_MS, (each) =>
      each === instance ? { id, from } : undefined,
    );
    const answer = answers.get(instance);
    const data = isJsonObject(answer) ? ownValue(answer, 'data') : undefined;
    const piece = typeof data === 'string' ? Buffer.from(data, 'base64') : undefined;
    if (piece === undefined || piece.byteLength === 0) return undefined;
    pieces.push(piece);
    from += piece.byteLength;
  }
  return pieces;
}

/** What stands in `bridge/incidents` is shown to all instances under the name of this one too. */
export function sharedIncidents(publisher: Publisher, instance: string): Publisher {
  return {
    publishState(topic, document) {
      publisher.publishState(topic, document);
      if (topic === 'bridge/incidents') publisher.publishState(`bridge/${instance}/incidents`, document);
    },
    removeState: (topic) => publisher.removeState(topic),
    publishEvent: (topic, data, reach) => publisher.publishEvent(topic, data, reach),
  };
}
