import { afterEach, describe, expect, test } from 'vitest';
import { type LinkPair, linkContract } from '../support/link-contract.ts';
import { RecordedLink } from '../support/recorded-link.ts';
import { acceptedPair, dialledPair } from '../support/tcp-pair.ts';

const options = { hangUpCodes: ['link_closed', 'link_reset'], bulk: 2 ** 20 } as const;

linkContract('A dialled TCP link', dialledPair, options);
linkContract('An accepted TCP link', acceptedPair, options);

describe('A TCP link that is destroyed', () => {
  let pair: LinkPair | undefined;

  afterEach(async () => {
    pair?.link.destroy();
    await pair?.dispose();
  });

  test.each([
    ['dialled', dialledPair],
    ['accepted', acceptedPair],
  ])('has written what it took in the same tick, where the socket has room: %s', async (_, make) => {
    pair = await make();
    const recorded = new RecordedLink(pair.link);
    const peer = await pair.peer();
    await expect.poll(() => recorded.events.length).toBe(1);
    expect(pair.link.send(Uint8Array.of(1, 2))).toBe('accepted');
    expect(pair.link.send(Uint8Array.of(3))).toBe('accepted');
    pair.link.destroy();
    await expect.poll(() => peer.received()).toEqual(Buffer.of(1, 2, 3));
    await expect.poll(() => recorded.end?.code).toBe('link_ended');
  });
});
