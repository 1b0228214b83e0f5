import { describe, expect, it } from 'vitest';
import { ClientSession, type SessionEvent } from '../../src/client/client-session.ts';
import type { EffectHandler } from '../../src/client/session-events.ts';
import type { ServerMessage } from '../../src/contract/feed/server-messages.ts';

/** At this second this happens, these effects follow, and the next deadline is at that second. */
type Step = readonly [atS: number, event: SessionEvent, effects: readonly string[], deadlineS: number];

const says = (type: string, payload: object): SessionEvent => {
  // The shapes are those of the contract; only what the session reads is spelled out.
  const message = { type, id: 'm', timestamp: 0, payload } as ServerMessage;
  return (session) => session.received(message);
};
const welcome = (session: string, auth = 'none') =>
  says('welcome', { client_id: 'c', session, auth, ping_interval_ms: 20_000 });
const lost =
  (code: number): SessionEvent =>
  (session) =>
    session.lost({ code, reason: '' });
const start: SessionEvent = (session) => session.start();
const deadline: SessionEvent = (session) => session.deadline();
const ask: SessionEvent = (session) =>
  session.ask(7, { type: 'command', fields: { device: 'a', message: 'go' }, timeoutMs: 5_000 });
const COMMAND = '{"type":"command","id":"1","device":"a","message":"go"}';
const follow = (id: string, topic: string) =>
  `{"type":"subscribe","id":"${id}","topics":["${topic}"],"json_ping":true}`;

function run(steps: readonly Step[], hasToken = false): void {
  const backOff = { firstMs: 1_000, mostMs: 30_000 };
  const session = new ClientSession({ backOff, random: () => 0.5, hasToken }, { monoMs: 0, wallMs: 0 });
  for (const [atS, event, expected, deadlineS] of steps) {
    const said: string[] = [];
    const handler: EffectHandler = {
      openSocket: () => void said.push('open'),
      closeSocket: () => void said.push('drop'),
      send: (text) => void said.push(text),
      getToken: (renew) => void said.push(renew ? 'new token' : 'token'),
      status: ({ state, reason = '' }) => void said.push(`${state} ${reason}`.trim()),
      applied: () => undefined,
      settle: (_request, outcome) => void said.push(outcome instanceof Error ? outcome.code : 'answered'),
      handle: () => undefined,
      error: ({ code }) => void said.push(`error ${code}`),
      ended: () => void said.push('ended'),
    };
    for (const each of session.handle(event, { monoMs: atS * 1_000, wallMs: atS * 1_000 })) each(handler);
    expect([atS, ...said]).toEqual([atS, ...expected]);
    expect([atS, session.nextDeadline() / 1_000]).toEqual([atS, deadlineS]);
  }
}

describe('a session of the client', () => {
  it.each<[string, readonly Step[]]>([
    [
      'tries again ever more patiently, and at once on request',
      [
        [0, start, ['open'], 10],
        [1, lost(1006), ['drop', 'connecting unreachable'], 1.5],
        [1.5, deadline, ['open', 'connecting unreachable'], 11.5],
        [11.5, deadline, ['drop', 'connecting no_welcome'], 12.5],
        [12, start, ['open', 'connecting no_welcome'], 22],
        [13, lost(1006), ['drop', 'connecting unreachable'], 15],
      ],
    ],
    [
      'waits as long as the bridge asks for',
      [
        [0, start, ['open'], 10],
        [1, welcome('s'), ['connected'], 23],
        [
          2,
          says('closing', { code: 4000, reason: 'draining', reconnect: true, retry_after_ms: 60_000 }),
          ['drop', 'stale draining'],
          62,
        ],
      ],
    ],
    [
      'asks for the result of a command over the next connection, once its session goes on',
      [
        [0, start, ['open'], 10],
        [1, welcome('s'), ['connected'], 23],
        [2, ask, [COMMAND], 17],
        [3, lost(1006), ['drop', 'stale connection_lost'], 3.5],
        [3.5, deadline, ['open', 'stale connection_lost'], 13.5],
        [4, welcome('t'), ['{"type":"resume","id":"2","session":"s"}', 'recovering connection_lost'], 26],
        [5, says('response', { reply_to: '2', result: { client_id: 'c' } }), [COMMAND, 'connected'], 20],
        [6, says('response', { reply_to: '1', result: {} }), ['answered'], 28],
      ],
    ],
    [
      'does not send it where the session is gone',
      [
        [0, start, ['open'], 10],
        [1, welcome('s'), ['connected'], 23],
        [2, ask, [COMMAND], 17],
        [3, lost(1006), ['drop', 'stale connection_lost'], 3.5],
        [3.1, ask, ['not_connected'], 3.5],
        [3.5, deadline, ['open', 'stale connection_lost'], 13.5],
        [4, welcome('t'), ['{"type":"resume","id":"2","session":"s"}', 'recovering connection_lost'], 26],
        [
          5,
          says('error', { reply_to: '2', code: 'session_unknown', message: '', retry: false }),
          ['command_outcome_unknown', 'connected'],
          27,
        ],
      ],
    ],
    [
      'gives up a command whose result is kept no longer',
      [
        [0, start, ['open'], 10],
        [1, welcome('s'), ['connected'], 23],
        [2, ask, [COMMAND], 17],
        [
          3,
          says('closing', { code: 4000, reason: 'draining', reconnect: true, retry_after_ms: 300_000 }),
          ['drop', 'stale draining'],
          123,
        ],
        [123, deadline, ['command_outcome_unknown'], 303],
      ],
    ],
    [
      'stays away from a bridge that does not want it',
      [
        [0, start, ['open'], 10],
        [1, welcome('s'), ['connected'], 23],
        [2, lost(4503), ['drop', 'closed connection_lost', 'ended'], Infinity],
        [3, ask, ['closed'], Infinity],
        [4, start, [], Infinity],
      ],
    ],
    [
      'asks for nothing before it is confirmed what it has given up',
      [
        [0, start, ['open'], 10],
        [1, welcome('s'), ['connected'], 23],
        [2, (session) => session.subscribe(1, { topics: ['a'] }), [follow('1', 'a')], 23],
        [3, says('synced', { reply_to: '1', mode: 'full', topics: ['a'], position: { e: 1 } }), [], 25],
        [4, (session) => session.unsubscribe(1), ['{"type":"unsubscribe","id":"2","topics":["a"]}'], 25],
        [5, (session) => session.subscribe(2, { topics: ['#'] }), [], 25],
        [6, says('response', { reply_to: '2', result: { unsubscribed: ['a'] } }), [follow('3', '#')], 28],
      ],
    ],
    [
      'is closed where a token is wanted and none is there',
      [
        [0, start, ['open'], 10],
        [1, welcome('s', 'required'), ['drop', 'closed token_missing', 'ended'], Infinity],
      ],
    ],
  ])('%s', (_what, steps) => run(steps));

  it('asks for a token where one is wanted, keeps it, and asks again when it has expired', () => {
    const auth = (id: string, token: string) => `{"type":"auth","id":"${id}","token":"${token}"}`;
    run(
      [
        [0, start, ['open'], 10],
        [1, welcome('s', 'required'), ['token'], 23],
        [2, (session) => session.tokenReceived('x'), [auth('1', 'x')], 23],
        [3, says('response', { reply_to: '1', result: {} }), ['connected'], 25],
        [4, lost(1006), ['drop', 'stale connection_lost'], 4.5],
        [5, deadline, ['open', 'stale connection_lost'], 15],
        [6, welcome('t', 'required'), [auth('2', 'x'), 'recovering connection_lost'], 28],
        [7, lost(4002), ['drop', 'stale connection_lost'], 8],
        [8, deadline, ['open', 'stale connection_lost'], 18],
        [9, welcome('u', 'required'), ['new token', 'recovering connection_lost'], 31],
      ],
      true,
    );
  });
});
