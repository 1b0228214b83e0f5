import { ClientSession, type SessionEvent } from '../../src/client/client-session.ts';
import type { EffectHandler, Lost } from '../../src/client/session-events.ts';
import { FeedView } from '../../src/client/view.ts';
import { applyPatch, type Json, type JsonObject, matchesTopic } from '../../src/contract/wire/index.ts';
import { readProjectFile } from '../support/project-files.ts';

/** What a client of the feed does, in any language: `fixtures/conformance/*.json`. */
export interface SessionCase {
  readonly name: string;
  readonly has_token: boolean;
  readonly steps: readonly SessionStep[];
}

/** At this second this happens; then these effects follow, and the next deadline is at that second (null: none). */
interface SessionStep {
  readonly at: number;
  readonly event: EventCase;
  readonly effects: readonly Json[];
  readonly deadline: number | null;
}

type EventCase =
  | readonly ['start' | 'deadline' | 'close']
  | readonly ['received', JsonObject]
  | readonly ['lost', Lost]
  | readonly ['token', string]
  | readonly ['acknowledge', string]
  | readonly [
      'subscribe',
      number,
      {
        readonly topics: readonly string[];
        readonly max_hz?: number;
        readonly ack?: true;
        readonly raw?: true;
      },
    ]
  | readonly ['unsubscribe' | 'abandon', number]
  | readonly ['ask', number, string, JsonObject, number];

export interface ViewCase {
  readonly name: string;
  /** Each a call with its arguments, and what it gave. */
  readonly steps: readonly ViewStep[];
}

interface ViewStep {
  readonly call: readonly [string, ...Json[]];
  readonly gives: Json;
}

export interface WordCases {
  readonly matches: ReadonlyArray<readonly [pattern: string, topic: string, covers: boolean]>;
  readonly patches: ReadonlyArray<readonly [document: JsonObject, patch: JsonObject, result: JsonObject]>;
}

/** The cases of one file. */
export function casesOf<T>(name: string): T {
  // The shapes are those that this file writes.
  return JSON.parse(readProjectFile(`fixtures/conformance/${name}.json`)) as T;
}

/** A file's text: a case a block, a step a line, so that a difference is seen. */
export function casesText(
  cases: ReadonlyArray<{ readonly name: string; readonly steps: readonly object[] }>,
): string {
  const blocks = cases.map(({ steps, ...head }) => {
    const lines = steps.map((step) => `      ${JSON.stringify(step)}`).join(',\n');
    return `  {\n    ${JSON.stringify(head).slice(1, -1)},\n    "steps": [\n${lines}\n    ]\n  }`;
  });
  return `[\n${blocks.join(',\n')}\n]\n`;
}

/** The case with the effects and deadlines that our client has. */
export function runSession({ steps, ...head }: SessionCase): SessionCase {
  const backOff = { firstMs: 1_000, mostMs: 30_000 };
  const options = { backOff, random: () => 0.5, hasToken: head.has_token };
  const session = new ClientSession(options, { monoMs: 0, wallMs: 0 });
  const ran = steps.map(({ at, event }) => {
    const effects: Json[] = [];
    const moment = { monoMs: at * 1_000, wallMs: at * 1_000 };
    for (const each of session.handle(eventOf(event), moment)) each(recorder(effects));
    const deadline = session.nextDeadline();
    return {
      at,
      event,
      effects,
      deadline: deadline === Infinity ? null : Number((deadline / 1_000).toFixed(6)),
    };
  });
  return { ...head, steps: ran };
}

function eventOf(event: EventCase): SessionEvent {
  switch (event[0]) {
    case 'start':
    case 'deadline':
    case 'close':
      return (session) => session[event[0]]();
    case 'received':
      // The cases hold messages as the bridge writes them.
      return (session) => session.received(event[1] as never);
    case 'lost':
      return (session) => session.lost(event[1]);
    case 'token':
      return (session) => session.tokenReceived(event[1]);
    case 'acknowledge':
      return (session) => session.acknowledge(event[1]);
    case 'subscribe': {
      const { topics, max_hz: maxHz, ack, raw } = event[2];
      return (session) => session.subscribe(event[1], { topics, maxHz, ack, raw });
    }
    case 'unsubscribe':
    case 'abandon':
      return (session) => session[event[0]](event[1]);
    case 'ask':
      return (session) => session.ask(event[1], { type: event[2], fields: event[3], timeoutMs: event[4] });
  }
}

/** Writes effects down as JSON. */
function recorder(into: Json[]): EffectHandler {
  return {
    openSocket: () => void into.push(['open_socket']),
    closeSocket: () => void into.push(['close_socket']),
    send: (text) => void into.push(['send', JSON.parse(text)]),
    getToken: (renew) => void into.push(['get_token', renew]),
    status: ({ state, reason = null, code = null, attempt, retryAt = null }) =>
      void into.push(['status', state, reason, code, attempt, retryAt]),
    applied: (message, changes, repeated = false) =>
      void into.push([
        'applied',
        message?.type ?? null,
        changes.map(({ topic, document = null }) => [topic, document]),
        repeated,
      ]),
    settle: (request, outcome) =>
      void into.push(['settle', request, outcome instanceof Error ? outcome.code : outcome.type]),
    handle: (handle, error) => void into.push(['handle', handle, error?.code ?? null]),
    error: ({ code }) => void into.push(['error', code]),
    ended: (error) => void into.push(['ended', error?.code ?? null]),
  };
}

/** The case with what our view gives. */
export function runView({ name, steps }: ViewCase): ViewCase {
  const view = new FeedView();
  return { name, steps: steps.map(({ call }) => ({ call, gives: callView(view, call) })) };
}

/** Arguments as the cases hold them: patterns, ids and messages. */
function callView(view: FeedView, [method, given = null]: readonly [string, ...Json[]]): Json {
  const list = Array.isArray(given) ? given.map(String) : [];
  switch (method) {
    case 'connected':
      view.connected();
      return null;
    case 'subscribing':
      view.subscribing(String(given));
      return null;
    case 'refused':
      view.refused(String(given));
      return null;
    case 'not_resynced':
      view.notResynced(list);
      return null;
    case 'not_taken':
      view.notTaken(given as never);
      return null;
    case 'keep_only':
      return view.keepOnly(new Set(list)).map(({ topic, document = null }) => [topic, document]);
    case 'since':
      return view.since(list) ?? null;
    case 'topics':
      return [...view.topics()].sort();
    case 'document':
      return view.document(String(given)) ?? null;
    case 'apply': {
      const { changes, resync, repeated } = view.apply(given as never);
      return {
        changes: changes.map(({ topic, document = null }) => [topic, document]),
        resync: [...resync],
        repeated,
      };
    }
    default:
      throw new Error(`no such call of a view: ${method}`);
  }
}

export function runWords({ matches, patches }: WordCases): WordCases {
  return {
    matches: matches.map(([pattern, topic]) => [pattern, topic, matchesTopic(pattern, topic)]),
    patches: patches.map(([document, patch]) => [document, patch, applyPatch(document, patch)]),
  };
}
