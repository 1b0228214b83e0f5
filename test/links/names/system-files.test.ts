import { describe, expect, test } from 'vitest';
import {
  candidates,
  parseHosts,
  parseNsswitch,
  parseResolvConf,
  systemMayKnow,
} from '../../../src/links/names/system-files.ts';

describe('a hosts file', () => {
  test('gives each name the addresses of all of its lines', () => {
    const names = parseHosts(
      '# none\n127.0.0.1 localhost\r\n::1\tlocalhost ip6-localhost\n10.0.0.1 Pump # x y\n',
    );
    expect(names.get('localhost')).toEqual(['127.0.0.1', '::1']);
    expect(names.get('pump')).toEqual(['10.0.0.1']);
    expect(names.has('x')).toBe(false);
  });

  test('with lines that are none has no names of them', () => {
    expect(parseHosts('pump 10.0.0.1\n10.0.0.300 meter\n10.0.0.1\n\n').size).toBe(0);
  });
});

describe('resolv.conf', () => {
  test.each([
    [
      'search a.example b.example.\noptions ndots:3 timeout:1',
      { domains: ['a.example', 'b.example'], ndots: 3 },
    ],
    ['domain a.example', { domains: ['a.example'], ndots: 1 }],
    ['search a\ndomain b c', { domains: ['b'], ndots: 1 }],
    ['search .\n# search x\n; search y\nnameserver 10.0.0.53', { domains: [], ndots: 1 }],
    ['options ndots:99', { domains: [], ndots: 15 }],
    ['options ndots:x', { domains: [], ndots: 1 }],
    ['', { domains: [], ndots: 1 }],
  ])('%j', (text, expected) => {
    expect(parseResolvConf(text)).toEqual(expected);
  });

  test.each([
    ['pump', 1, ['pump.a', 'pump.b', 'pump']],
    ['pump.shed', 1, ['pump.shed', 'pump.shed.a', 'pump.shed.b']],
    ['pump.shed', 2, ['pump.shed.a', 'pump.shed.b', 'pump.shed']],
    ['pump.', 1, ['pump']],
    ['pump', 0, ['pump', 'pump.a', 'pump.b']],
  ])('%s with ndots %i is asked for as %j', (name, ndots, expected) => {
    expect(candidates(name, { domains: ['a', 'b'], ndots })).toEqual(expected);
  });
});

describe('the system', () => {
  test.each([
    ['hosts: files dns', 'pump.local', false],
    ['hosts: files dns', 'pump', false],
    ['hosts: files mdns4_minimal [NOTFOUND=return] dns myhostname', 'pump.local', true],
    ['hosts: files mdns4_minimal [NOTFOUND=return] dns myhostname', 'pump.example', false],
    ['hosts: files mdns4_minimal [NOTFOUND=return] dns myhostname', 'pump', true],
    ['hosts: files resolve [!UNAVAIL=return] dns', 'pump.local', false],
    ['passwd: files\n  hosts: files ldap # wins\n', 'pump.example', true],
    ['hosts: files dns # wins', 'pump.example', false],
    ['', 'pump.local', false],
  ])('with %j may know %s: %s', (text, name, expected) => {
    expect(systemMayKnow(name, parseNsswitch(text))).toBe(expected);
  });
});
