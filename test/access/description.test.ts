import { describe, expect, it } from 'vitest';
import { type Grant, mayHear } from '../../src/access/grant.ts';

describe('the description of messages', () => {
  const grant = (...topics: string[]): Grant => ({ subject: 's', role: 'read', topics });

  it.each([
    ['declarations/k3y9', true],
    ['declarations/+', false],
    ['declarations/#', false],
    ['declarations', false],
    ['declarations/k3y9/more', false],
    ['declarations/K3Y9', false],
    ['other/k3y9', false],
  ])('%s may be heard by who has the topics of one device: %s', (pattern, may) => {
    expect(mayHear(grant('devices/a/#'), pattern)).toBe(may);
    expect(mayHear(grant('#'), pattern)).toBe(true);
  });
});
