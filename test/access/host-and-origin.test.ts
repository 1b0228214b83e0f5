import { describe, expect, it } from 'vitest';
import { hostAdmitted, originAdmitted } from '../../src/access/host-and-origin.ts';

const LOOPBACK_ONLY = { host: '127.0.0.1', hosts: [], origins: [] };
const CONFIGURED = {
  host: '10.0.0.5',
  hosts: ['bridge.lab', 'fe80::5'],
  origins: ['https://ops.example', 'http://127.0.0.1:3000'],
};
const WILDCARD = { host: '0.0.0.0', hosts: [], origins: [] };

describe('hostAdmitted', () => {
  it.each([
    ['127.0.0.1:8080', LOOPBACK_ONLY],
    ['127.9.9.9', LOOPBACK_ONLY],
    ['localhost:8080', LOOPBACK_ONLY],
    ['LocalHost.', LOOPBACK_ONLY],
    ['app.localhost:1', LOOPBACK_ONLY],
    ['[::1]:8080', LOOPBACK_ONLY],
    ['10.0.0.5:8080', CONFIGURED],
    ['Bridge.Lab:99', CONFIGURED],
    ['[fe80::5]', CONFIGURED],
  ])('admits %s', (header, admission) => {
    expect(hostAdmitted(header, admission, () => '127.0.0.1')).toBe(true);
  });

  it.each([
    [undefined, LOOPBACK_ONLY],
    ['', LOOPBACK_ONLY],
    ['evil.example', LOOPBACK_ONLY],
    ['127.0.0.1.evil.example', LOOPBACK_ONLY],
    ['localhost.evil.example:8080', LOOPBACK_ONLY],
    ['evil.example@127.0.0.1', LOOPBACK_ONLY],
    ['127.0.0.1/evil', LOOPBACK_ONLY],
    ['127.0.0.1:port', LOOPBACK_ONLY],
    ['10.0.0.6', CONFIGURED],
    ['bridge.lab.evil.example', CONFIGURED],
    ['0.0.0.0:8080', WILDCARD],
    ['[::]', { ...WILDCARD, host: '::' }],
  ])('refuses %s', (header, admission) => {
    expect(hostAdmitted(header, admission, () => '127.0.0.1')).toBe(false);
  });

  it('admits the address at which the connection arrived, and no other', () => {
    expect(hostAdmitted('192.168.1.20:8080', WILDCARD, () => '192.168.1.20')).toBe(true);
    expect(hostAdmitted('192.168.1.20:8080', WILDCARD, () => '::ffff:192.168.1.20')).toBe(true);
    expect(hostAdmitted('192.168.1.21:8080', WILDCARD, () => '192.168.1.20')).toBe(false);
  });
});

describe('originAdmitted', () => {
  it.each([
    ['http://127.0.0.1:8080', '127.0.0.1:8080'],
    ['http://LOCALHOST:8080', 'localhost:8080'],
    ['http://localhost', 'localhost:80'],
    ['https://bridge.lab', 'bridge.lab'],
    ['https://ops.example', '10.0.0.5:8080'],
    ['https://ops.example:443', '10.0.0.5:8080'],
    ['http://127.0.0.1:3000', '127.0.0.1:8080'],
  ])('admits %s at %s', (origin, host) => {
    expect(originAdmitted(origin, host, CONFIGURED)).toBe(true);
  });

  it.each([
    ['http://evil.example', '127.0.0.1:8080'],
    ['http://127.0.0.1:8081', '127.0.0.1:8080'],
    ['http://ops.example', '127.0.0.1:8080'],
    ['https://ops.example.evil', '127.0.0.1:8080'],
    ['null', '127.0.0.1:8080'],
    ['', '127.0.0.1:8080'],
    ['file://', '127.0.0.1:8080'],
    ['chrome-extension://127.0.0.1:8080', '127.0.0.1:8080'],
    ['http://127.0.0.1:8080', undefined],
  ])('refuses %s at %s', (origin, host) => {
    expect(originAdmitted(origin, host, CONFIGURED)).toBe(false);
  });
});
