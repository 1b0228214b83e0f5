import { describe, expect, it } from 'vitest';
import { hashOf, matchPath, parseRoute } from '../../../web/src/app/routes.ts';

describe('an address of the page', () => {
  it.each([
    ['', '/', {}],
    ['#', '/', {}],
    ['#/', '/', {}],
    ['#main', '/', {}],
    ['#/devices/psu-1', '/devices/psu-1', {}],
    ['#/devices/psu-1/?from=-1h&field=a.b', '/devices/psu-1', { from: '-1h', field: 'a.b' }],
    ['#/?q=a%20%26%20b', '/', { q: 'a & b' }],
  ])('%s', (hash, path, query) => {
    const route = parseRoute(hash);
    expect([route.path || '/', Object.fromEntries(route.query)]).toEqual([path, query]);
  });

  it('is written so that reading it gives the same, without what is not set', () => {
    const hash = hashOf('/devices/a', { q: 'x & y=z', off: false, on: true, none: undefined, empty: '' });
    expect(hash).toBe('#/devices/a?q=x+%26+y%3Dz&on=1');
    expect(Object.fromEntries(parseRoute(hash).query)).toEqual({ q: 'x & y=z', on: '1' });
    expect(hashOf('/')).toBe('#/');
  });

  it('names the parts of its path, decoded; a stray percent sign stays', () => {
    expect(matchPath('/devices/:id', '/devices/a%2Fb%20c')).toEqual({ id: 'a/b c' });
    expect(matchPath('/devices/:id', '/devices/100%')).toEqual({ id: '100%' });
    expect(matchPath('/devices/:id', '/devices')).toBeUndefined();
    expect(matchPath('/devices/:id', '/devices/a/b')).toBeUndefined();
    expect(matchPath('/', '/')).toEqual({});
  });
});
