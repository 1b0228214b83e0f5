import { expect, it } from 'vitest';
import { ConnectionCount } from '../../src/devices/connection-count.ts';

const caps = { maxConnections: 5, maxConnectionsPerAddress: 2 };

it('counts IPv6 by networks of 64 bits, and IPv4 by the address', () => {
  const count = new ConnectionCount();
  count.came('2001:db8:1:2::1');
  const second = count.came('2001:db8:1:2:ffff::2');
  expect(count.reached('2001:db8:1:2:abcd::3', caps)).toBe('max_connections_per_address: 2');
  expect(count.reached('2001:db8:1:3::1', caps)).toBeUndefined();
  count.came('10.0.0.1');
  count.came('10.0.0.1');
  expect(count.reached('10.0.0.1', caps)).toBe('max_connections_per_address: 2');
  expect(count.reached('10.0.0.2', caps)).toBeUndefined();
  second();
  second();
  expect(count.total).toBe(3);
  expect(count.reached('2001:db8:1:2:abcd::3', caps)).toBeUndefined();
});

it('bounds all of them', () => {
  const count = new ConnectionCount();
  for (let host = 0; host < 5; host++) count.came(`10.0.0.${host}`);
  expect(count.reached('10.0.1.1', caps)).toBe('max_connections: 5');
});
