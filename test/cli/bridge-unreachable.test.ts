import { expect, test } from 'vitest';
import { bridgeUnreachable } from '../../src/cli/bridge-connection.ts';

test.each([
  ['ws://127.0.0.1:8080/ws', 'connect ECONNREFUSED 127.0.0.1:8080', 'Start it with "heartwire run"'],
  ['wss://localhost:8080/ws', 'self-signed certificate', 'NODE_EXTRA_CA_CERTS'],
  ['wss://localhost:8080/ws', 'unable to verify the first certificate', 'NODE_EXTRA_CA_CERTS'],
  ['wss://localhost:8080/ws', 'ssl3_get_record:wrong version number:record.c:350:\n', 'write http://'],
  ['ws://localhost:8080/ws', 'socket hang up', 'write https://'],
])('%s and "%s": %s', (url, why, fix) => {
  const error = bridgeUnreachable(url, why, 'heartwire');
  expect(error.message).toMatch(/^The bridge at \S+ could not be reached: .*[a-z0-9]\.$/);
  expect(error.message).toContain(why.trim().replace(/:$/, ''));
  expect(error.fix).toContain(fix);
});
