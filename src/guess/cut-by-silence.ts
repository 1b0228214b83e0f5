import type { SingleFraming } from '../protocol/index.ts';
import { type Cut, checksumKeys, type FoundChecksum, total } from './cut.ts';
import { burstEnd, type Received } from './received.ts';

/** Fewer bursts show nothing. */
const LEAST_BURSTS = 2;
const LEAST_BYTES = 4;

/** Each burst is one frame: Modbus RTU, and whatever else has nothing but silence around it. */
export function cutBySilence(received: Received): Cut | undefined {
  const { bytes, starts } = received;
  const frames = starts
    .map((start, index) => ({ start, end: burstEnd(received, index) }))
    .filter(({ start, end }) => end - start >= LEAST_BYTES)
    .map(({ start, end }) => ({ start, end, content: bytes.subarray(start, end) }));
  if (frames.length < LEAST_BURSTS) return undefined;
  const make = (found?: FoundChecksum): SingleFraming => ({
    type: 'gap',
    ...(found === undefined ? {} : { checksum: checksumKeys(found) }),
  });
  return {
    framing: make(),
    frames,
    explained: total(frames),
    proof: 0,
    evidence: [`a silence stands between ${frames.length} bursts`],
    cost: 12,
    place: { encoding: 'binary', from: [0], trailers: false },
    seal: make,
  };
}
