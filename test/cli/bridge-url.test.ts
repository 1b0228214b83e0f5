import { expect, test } from 'vitest';
import { bridgeUrl, feedUrl } from '../../src/cli/bridge-options.ts';
import { RecordedIo } from '../support/recorded-io.ts';

test.each([
  ['http://127.0.0.1:8080', 'ws://127.0.0.1:8080/ws'],
  ['https://bridge.lab/', 'wss://bridge.lab/ws'],
  ['10.0.0.5:8080', 'ws://10.0.0.5:8080/ws'],
  ['localhost', 'ws://localhost/ws'],
  ['[::1]:9000', 'ws://[::1]:9000/ws'],
  ['ws://h:1/ws', 'ws://h:1/ws'],
  ['ws://h:1/ws/wall', 'ws://h:1/ws/wall'],
  ['https://proxy/heartwire/', 'wss://proxy/heartwire/ws'],
])('%s is the feed at %s', (text, url) => {
  expect(feedUrl(text)).toBe(url);
});

test.each(['', 'ftp://h', 'http://', 'a b', 'h:port'])('%j is no address', (text) => {
  expect(() => feedUrl(text)).toThrow(expect.objectContaining({ code: 'bad_address' }));
});

test.each(['', ' '])('HEARTWIRE_URL=%j says nothing', (text) => {
  const io = Object.assign(new RecordedIo('/'), { env: { HEARTWIRE_URL: text } });
  expect(bridgeUrl(undefined, io)).toBe('ws://127.0.0.1:8080/ws');
});
