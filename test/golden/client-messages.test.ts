import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseClientMessage } from '../../src/contract/feed/parse-client-message.ts';
import { Seeded } from '../support/seeded.ts';

/** One good message of every type, and of every form that it may take. */
const GOOD: readonly string[] = [
  '{"type":"auth","id":"a","token":"hw_secret"}',
  '{"type":"subscribe","id":"1","topics":["devices/+/state","bridge/#"],"since":{"e1":12},"max_hz":10,"ack":true}',
  '{"type":"subscribe","payload":{"topics":["devices/#"],"json_ping":false},"timestamp":1764460800000}',
  '{"type":"unsubscribe","id":"2","topics":["devices/psu-1/state"]}',
  '{"type":"resync","topics":["devices/psu-1/state","bridge/status"]}',
  '{"type":"ping","timestamp":1764460800000}',
  '{"type":"ping","payload":{"timestamp":5}}',
  '{"type":"pong","payload":{"timestamp":5,"server_time":6,"reply_to":"x"}}',
  '{"type":"echo","payload":{"any":[1,2.5,null,true,"text",{"deep":{"er":[]}}]}}',
  '{"type":"get_clients","id":"g"}',
  '{"type":"broadcast","data":{"text":"lunch"}}',
  '{"type":"command","id":"c1","device":"psu-1","message":"set","fields":{"voltage":12.5},"timeout_ms":3000,"ack":true}',
  '{"type":"command","payload":{"device":"psu-1","message":"heartbeat"}}',
  '{"type":"ack","ids":["m1","m2"]}',
  '{"type":"resume","session":"s3cr3t"}',
  '{"type":"kick","id":"k","client_id":"c-17"}',
  '{"type":"add_entry","id":"a","section":"devices","lines":"- id: psu-2","dry_run":true}',
];

/** What stands in the place of a value. */
const VALUES: readonly string[] = [
  'null',
  'true',
  'false',
  '0',
  '-1',
  '1e309',
  '0.005',
  '1001',
  '700000',
  '9007199254740993',
  '""',
  '"x"',
  '"devices/#/state"',
  '"dev+ices"',
  '"a//b"',
  '[]',
  '[1]',
  '["a",null]',
  '["#"]',
  '{}',
  '{"e":1.5}',
  '{"__proto__":1}',
  '"\\ud800"',
];

const KEYS: readonly string[] = ['type', 'id', 'timestamp', 'payload', 'topics', 'tokens', 'toString', 'ids'];

const BYTES = '{}[]",:\\ tfn0123456789.eE+-#/aZ\u0000\u00e9\u4e2d';

/** The text with one change, of a kind that people, programs or lines make. */
function mutated(text: string, choose: Seeded): string {
  const at = choose.below(text.length + 1);
  switch (choose.below(8)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1 + choose.below(3));
    case 1:
      return text.slice(0, at) + choose.pick([...BYTES]) + text.slice(at);
    case 2:
      return text.slice(0, at);
    case 3:
      return replacedValue(text, choose.pick(VALUES), choose);
    case 4:
      return text.replace(/"([a-z_]+)":/, () => `"${choose.pick(KEYS)}":`);
    case 5:
      return text.replace(/}$/, () => `,"${choose.pick(KEYS)}":${choose.pick(VALUES)}}`);
    case 6: {
      const [, type = 'ping'] = /"type":"([a-z_]+)"/.exec(choose.pick(GOOD)) ?? [];
      return text.replace(/"type":"[a-z_]+"/, `"type":"${type}"`);
    }
    default:
      return text.replace(/"([a-z]{3,})"/, (whole) => (choose.below(2) === 0 ? whole.toUpperCase() : '"x"'));
  }
}

function replacedValue(text: string, value: string, choose: Seeded): string {
  const places = [...text.matchAll(/:("[^"]*"|[0-9.]+|true|false|null|\[[^\]]*\]|\{[^}]*\})/g)];
  if (places.length === 0) return text;
  const place = choose.pick(places);
  return `${text.slice(0, place.index + 1)}${value}${text.slice(place.index + place[0].length)}`;
}

function* mutations(count: number): Generator<string> {
  const choose = new Seeded(0x68_77);
  for (let made = 0; made < count; made += 1) {
    let text = choose.pick(GOOD);
    for (let changes = choose.below(4); changes > 0; changes -= 1) text = mutated(text, choose);
    yield text;
  }
}

/** Keys as they stand on the wire and in order, so that only the verdict counts. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [snakeCase(key), plain(each)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const snakeCase = (key: string): string =>
  /^(?:jsonPing|maxHz|timeoutMs|clientId)$/.test(key)
    ? key.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`)
    : key;

/** What the engine says of broken JSON differs between releases of Node; that it is broken does not. */
const verdictOn = (text: string): string =>
  JSON.stringify(plain(parseClientMessage(text))).replace(
    /"message":"The message is not JSON: .*?","retry"/,
    '"message":"not JSON","retry"',
  );

describe('what a client may say', () => {
  it('is judged as before, in a million mutated messages', { timeout: 600_000 }, async () => {
    const digest = createHash('sha256');
    let accepted = 0;
    const sample: string[] = [];
    let count = 0;
    for (const text of mutations(1_000_000)) {
      const verdict = verdictOn(text);
      digest.update(`${verdict}\n`);
      if (verdict.endsWith('"ok":true}')) accepted += 1;
      if (count % 1_000 === 0) sample.push(`${JSON.stringify(text)}\n  ${verdict}`);
      count += 1;
    }
    expect(accepted).toBeGreaterThan(100_000);
    const golden = [...sample, `accepted ${accepted} of ${count}`, `sha256 ${digest.digest('hex')}`, ''];
    await expect(golden.join('\n')).toMatchFileSnapshot('../../fixtures/golden/client-messages.txt');
  });
});
