import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseClientMessage } from '../../../src/contract/feed/parse-client-message.ts';

describe('a message of a client', () => {
  it.each<[string, unknown]>([
    ['{"type":"subscribe","topics":["a/+"]}', { type: 'subscribe', topics: ['a/+'] }],
    ['{"type":"subscribe","topics":["a","a"]}', { type: 'subscribe', topics: ['a'] }],
    [
      '{"type":"subscribe","id":"2","timestamp":5,"payload":{"topics":["#"],"json_ping":true,"ack":false}}',
      { type: 'subscribe', id: '2', topics: ['#'], json_ping: true, ack: false },
    ],
    ['{"type":"unsubscribe","topics":["a/#"]}', { type: 'unsubscribe', topics: ['a/#'] }],
    ['{"type":"resync","topics":["a/b"]}', { type: 'resync', topics: ['a/b'] }],
    ['{"type":"ping"}', { type: 'ping' }],
    ['{"type":"ping","timestamp":1}', { type: 'ping', timestamp: 1 }],
    ['{"type":"ping","timestamp":1,"payload":{"timestamp":2}}', { type: 'ping', timestamp: 2 }],
    ['{"type":"ping","timestamp":1,"payload":{"timestamp":null}}', { type: 'ping', timestamp: 1 }],
    ['{"type":"pong","payload":{"server_time":3}}', { type: 'pong' }],
    ['{"type":"echo","payload":{"x":[1]}}', { type: 'echo', data: { x: [1] } }],
    ['{"type":"echo","payload":"hello"}', { type: 'echo', data: 'hello' }],
    ['{"type":"echo","x":1,"id":"e"}', { type: 'echo', id: 'e', data: { x: 1 } }],
    ['{"type":"get_clients"}', { type: 'get_clients' }],
    ['{"type":"broadcast","data":null}', { type: 'broadcast', data: null }],
    [
      '{"type":"command","id":"9","device":"p1","message":"datetime","fields":{},"timeout_ms":5000}',
      { type: 'command', id: '9', device: 'p1', message: 'datetime', fields: {}, timeout_ms: 5000 },
    ],
    [
      '{"type":"command","device":"p1","message":"datetime"}',
      { type: 'command', device: 'p1', message: 'datetime', fields: {} },
    ],
  ])('%s', (text, message) => {
    expect(parseClientMessage(text)).toEqual({ ok: true, message });
  });

  it.each<[string, string, string]>([
    ['', 'bad_json', 'not JSON'],
    ['{', 'bad_json', 'not JSON'],
    ['[]', 'bad_json', 'a JSON object'],
    ['null', 'bad_json', 'a JSON object'],
    ['"x"', 'bad_json', 'a JSON object'],
    ['{}', 'bad_field', '"type"'],
    ['{"type":1}', 'bad_field', '"type"'],
    ['{"type":"ping","id":1}', 'bad_field', '"id"'],
    ['{"type":"ping","id":""}', 'bad_field', '"id"'],
    ['{"type":"ping","timestamp":"1"}', 'bad_field', '"timestamp"'],
    ['{"type":"ping","timestamp":1e999}', 'bad_field', '"timestamp"'],
    ['{"type":"ping","payload":{"timestamp":1e999}}', 'bad_field', '"timestamp"'],
    ['{"type":"ping","payload":{"timestamp":"1"}}', 'bad_field', '"timestamp"'],
    ['{"type":"ping","payload":[]}', 'bad_field', '"payload"'],
    ['{"type":"ping","payload":null}', 'bad_field', '"payload"'],
    ['{"type":"ping","x":1}', 'bad_field', '"x"'],
    ['{"type":"ping","payload":{},"x":1}', 'bad_field', 'beside "payload"'],
    ['{"type":"get_clients","payload":{"x":1}}', 'bad_field', '"x"'],
    ['{"type":"get_clients","__proto__":1}', 'bad_field', '__proto__'],
    ['{"type":"subscribe"}', 'bad_field', '"topics"'],
    ['{"type":"subscribe","topics":[]}', 'bad_field', '"topics"'],
    ['{"type":"subscribe","topics":[1]}', 'bad_field', '"topics"'],
    ['{"type":"subscribe","topics":"a"}', 'bad_field', '"topics"'],
    ['{"type":"subscribe","topics":["a"],"json_ping":1}', 'bad_field', '"json_ping"'],
    ['{"type":"subscribe","topics":["a//b"]}', 'bad_topic', 'empty level'],
    ['{"type":"resync","topics":["a/+"]}', 'bad_topic', 'wildcard'],
    ['{"type":"subscribe","topics":["a"],"since":5}', 'bad_field', 'since'],
    ['{"type":"subscribe","topics":["a"],"since":{"e":0.5}}', 'bad_field', 'since'],
    ['{"type":"subscribe","topics":["a"],"max_hz":0}', 'bad_field', 'max_hz'],
    ['{"type":"subscribe","topics":["a"],"ack":1}', 'bad_field', 'ack'],
    ['{"type":"auth"}', 'bad_field', 'token'],
    ['{"type":"auth","token":1}', 'bad_field', 'token'],
    ['{"type":"resume"}', 'bad_field', 'session'],
    ['{"type":"ack","ids":[7]}', 'bad_field', 'ids'],
    ['{"type":"ack","ids":"7"}', 'bad_field', 'ids'],
    ['{"type":"kick"}', 'bad_field', 'client_id'],
    ['{"type":"add_entry","lines":"- id: x"}', 'bad_field', '"section"'],
    ['{"type":"add_entry","section":"server","lines":"- id: x"}', 'bad_field', '"section"'],
    ['{"type":"add_entry","section":"devices","lines":""}', 'bad_field', '"lines"'],
    ['{"type":"add_entry","section":"devices","lines":"- id: x","base":"7"}', 'bad_field', '"base"'],
    ['{"type":"broadcast"}', 'bad_field', '"data"'],
    ['{"type":"broadcast","data":1e400}', 'bad_field', '"data"'],
    ['{"type":"broadcast","payload":{"data":{"a":[1e4,{"b":-1e400}]}}}', 'bad_field', '"data.a.1.b"'],
    [`{"type":"broadcast","data":[${'9'.repeat(309)}]}`, 'bad_field', '"data.0"'],
    ['{"type":"echo","payload":1E400}', 'bad_field', '"payload"'],
    ['{"type":"echo","x":[1.5e+309]}', 'bad_field', '"x.0"'],
    ['{"type":"command","device":"x","message":"y","fields":{"v":1e400}}', 'bad_field', '"fields.v"'],
    ['{"type":"command","message":"x"}', 'bad_field', '"device"'],
    ['{"type":"command","device":"x"}', 'bad_field', '"message"'],
    ['{"type":"command","device":"x","message":"y","fields":[]}', 'bad_field', '"fields"'],
    ['{"type":"command","device":"x","message":"y","timeout_ms":0}', 'bad_field', '"timeout_ms"'],
    ['{"type":"toString"}', 'unknown_type', 'no message of this type'],
  ])('%s: %s', (text, code, message) => {
    const parsed = parseClientMessage(text);
    expect(parsed).toMatchObject({ ok: false, error: { code, retry: false } });
    expect(parsed.ok ? '' : parsed.error.message).toContain(message);
  });

  it('that fails is named in the answer, with the type that is not known', () => {
    expect(parseClientMessage('{"type":"foo","id":"3"}')).toMatchObject({
      error: { reply_to: '3', code: 'unknown_type', received_type: 'foo' },
    });
  });

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.object().map((each) => JSON.stringify(each)),
        ),
        (text) => {
          expect(typeof parseClientMessage(text).ok).toBe('boolean');
        },
      ),
    );
  });
});
