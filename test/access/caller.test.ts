import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { callerOf } from '../../src/access/caller.ts';
import { refusedByName } from '../../src/access/host-and-origin.ts';
import { type AddressBlock, parseBlock } from '../../src/contract/address-match.ts';

const blocks = (...texts: readonly string[]): readonly AddressBlock[] =>
  texts.map(parseBlock).filter((each) => each !== undefined);

function requestFrom(remoteAddress: string, headers: Readonly<Record<string, string>>): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
  const request = new IncomingMessage(socket);
  Object.assign(request.headers, { host: 'bridge.lab:8080', ...headers });
  return request;
}

describe('whose request it is', () => {
  const trusted = blocks('10.0.0.0/24', '127.0.0.1', 'fd00::/8');

  it.each([
    ['nobody between', '203.0.113.9', undefined, '203.0.113.9'],
    ['a forged hop, from nobody we know', '203.0.113.9', '192.0.2.1', '203.0.113.9'],
    ['one proxy', '10.0.0.2', '203.0.113.9', '203.0.113.9'],
    ['one proxy, mapped into IPv6', '::ffff:10.0.0.2', '203.0.113.9', '203.0.113.9'],
    ['a forged hop before the true one', '10.0.0.2', '127.0.0.1, 203.0.113.9', '203.0.113.9'],
    ['two proxies', '127.0.0.1', '203.0.113.9, 10.0.0.7', '203.0.113.9'],
    ['two proxies, a forged hop', '127.0.0.1', '192.0.2.1,203.0.113.9,10.0.0.7', '203.0.113.9'],
    ['a proxy over IPv6', 'fd00::2', '2001:db8::9', '2001:db8::9'],
    ['a port behind the address', '10.0.0.2', '203.0.113.9:51234', '203.0.113.9'],
    ['a port behind an IPv6 address', '10.0.0.2', '[2001:db8::9]:51234', '2001:db8::9'],
    ['a proxy that says nothing', '10.0.0.2', undefined, '10.0.0.2'],
    ['a proxy that does not know', '10.0.0.2', 'unknown', '10.0.0.2'],
    ['words before the nearest hop', '10.0.0.2', 'unknown, 10.0.0.7', '10.0.0.7'],
    ['proxies only', '127.0.0.1', '10.0.0.5, 10.0.0.7', '10.0.0.5'],
  ])('%s', (_name, peer, forwarded, address) => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    expect(callerOf(requestFrom(peer, headers), trusted).remoteAddress).toBe(address);
  });

  it('takes name and scheme from a proxy that is trusted, and from nobody else', () => {
    const headers = { 'x-forwarded-host': 'panel.example', 'x-forwarded-proto': 'HTTPS' };
    expect(callerOf(requestFrom('10.0.0.2', headers), trusted)).toMatchObject({
      host: 'panel.example',
      scheme: 'https',
      proxy: 'trusted',
    });
    const stranger = callerOf(requestFrom('10.9.9.9', headers), trusted);
    expect(stranger.host).toBe('bridge.lab:8080');
    expect(stranger).not.toHaveProperty('scheme');
    const odd = callerOf(requestFrom('10.0.0.2', { 'x-forwarded-proto': 'javascript' }), trusted);
    expect(odd).not.toHaveProperty('scheme');
  });
});

describe('a proxy that nobody named', () => {
  it.each([
    { 'x-forwarded-for': '203.0.113.9' },
    { 'x-forwarded-for': 'unknown' },
    { 'x-forwarded-host': 'panel.example' },
    { 'x-forwarded-proto': 'https' },
    { forwarded: 'for=203.0.113.9' },
    { 'x-real-ip': '203.0.113.9' },
    { via: '1.1 relay' },
  ])('is known by %o', (headers) => {
    expect(callerOf(requestFrom('127.0.0.1', headers)).proxy).toBe('unnamed');
    expect(callerOf(requestFrom('127.0.0.1', {}))).not.toHaveProperty('proxy');
  });
});

describe('who is let in by his names', () => {
  const admission = { host: '0.0.0.0', hosts: ['panel.example'], origins: [], trustedProxies: [] };
  const caller = { host: 'panel.example', localAddress: () => '10.0.0.5', remoteAddress: '10.0.0.9' };
  const codeOf = (more: object): unknown => {
    const answer = refusedByName({ ...caller, origin: undefined, ...more }, admission);
    return answer === undefined ? undefined : JSON.parse(String(answer.body)).code;
  };

  it('nobody through a proxy on this machine that was not named: all would count as programs on it', () => {
    expect(codeOf({ remoteAddress: '127.0.0.1', proxy: 'unnamed' })).toBe('proxy_not_trusted');
    expect(codeOf({ remoteAddress: '::1', proxy: 'unnamed' })).toBe('proxy_not_trusted');
    expect(codeOf({ remoteAddress: '10.0.0.9', proxy: 'unnamed' })).toBeUndefined();
    expect(codeOf({ remoteAddress: '127.0.0.1', proxy: 'trusted' })).toBeUndefined();
  });

  it('pages of the same name over another scheme are of another origin, where the scheme is known', () => {
    expect(codeOf({ origin: 'http://panel.example', scheme: 'https' })).toBe('origin_not_allowed');
    expect(codeOf({ origin: 'https://panel.example', scheme: 'https' })).toBeUndefined();
    expect(codeOf({ origin: 'https://panel.example' })).toBeUndefined();
  });
});
