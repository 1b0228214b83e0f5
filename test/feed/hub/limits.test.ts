import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { DEFAULT_FEED_LIMITS, liveLimits } from '../../../src/feed/hub/limits.ts';

describe('the limits of a configuration that says nothing of them', () => {
  it('are those of a feed server without settings', () => {
    const { config } = loadConfig('devices: []', 'test.yaml');
    if (config === undefined) throw new Error('the configuration is wrong');
    expect(DEFAULT_FEED_LIMITS).toMatchObject(liveLimits(config.server));
  });
});
