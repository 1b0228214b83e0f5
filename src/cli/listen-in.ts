import type { Chunk } from '../guess/index.ts';
import { dial, type LinkAddress, type LinkEnd, parseBaud, parseLinkAddress } from '../links/index.ts';
import { systemClock } from '../system/index.ts';
import { type Guessed, guessAll, likelihood } from './guessing.ts';

/** A silence that ends a burst, in ms; as traces have it. */
const SILENCE_MS = 50;
/** Enough to see a protocol; listening ends early with it. */
const ENOUGH_BYTES = 4_096;

/** What came over a link while it was listened to. */
export interface Listened {
  readonly chunks: readonly Chunk[];
  readonly bytes: number;
  /** Why the link ended by itself. */
  readonly end?: LinkEnd | undefined;
}

/** Opens a link, sends nothing, and keeps what comes, for so many ms. */
export function listenIn(address: LinkAddress, forMs: number, signal: AbortSignal): Promise<Listened> {
  const link = dial(address);
  const chunks: Chunk[] = [];
  let bytes = 0;
  let begins = true;
  let lastMs = 0;
  return new Promise((resolve) => {
    let own = false;
    const stop = (): void => {
      own = true;
      link.destroy();
    };
    const timer = setTimeout(stop, forMs);
    signal.addEventListener('abort', stop);
    const finish = (end?: LinkEnd): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve({ chunks, bytes, end });
    };
    link.open({
      opened: () => undefined,
      idle: () => {
        begins = true;
      },
      data: (chunk) => {
        const nowMs = systemClock.now().monoMs;
        chunks.push({ bytes: chunk, begins: begins || nowMs - lastMs >= SILENCE_MS });
        begins = false;
        lastMs = nowMs;
        bytes += chunk.length;
        if (bytes >= ENOUGH_BYTES) stop();
      },
      closed: (end) => finish(own ? undefined : end),
    });
  });
}

/** Rates that devices have, those that most have first. */
export const COMMON_RATES = [115_200, 9_600, 57_600, 38_400, 19_200, 4_800, 230_400, 2_400] as const;

/** What was received of one device, and how the line was set for it. */
export interface Heard {
  readonly baud: string | undefined;
  readonly listened: Listened;
  readonly guessed: Guessed | undefined;
  /** Rates that were tried, with how likely what came is, in bits. */
  readonly tried: readonly { readonly baud: string; readonly bytes: number; readonly score: number }[];
}

/** From here on the rate is right: no other can make so many frames hold. */
const CERTAIN_BITS = 56;

/**
 * Listens to a device, at one rate or at each of the common ones until what comes makes sense. A line that is silent is
 * silent at every rate, so that one is enough.
 */
export async function hear(
  link: string,
  baud: string | undefined,
  { forMs, cwd, signal }: { readonly forMs: number; readonly cwd: string; readonly signal: AbortSignal },
): Promise<Heard> {
  const isSerial = !/^(?:tcp|udp|unix|rfc2217|replay):/.test(link);
  const rates = !isSerial ? [undefined] : baud === undefined ? COMMON_RATES.map(String) : [baud];
  const tried: { baud: string; bytes: number; score: number }[] = [];
  let best: Heard | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const rate of rates) {
    const address = addressOf(link, rate);
    const listened = await listenIn(address, forMs, signal);
    const guessed =
      listened.bytes === 0
        ? undefined
        : await guessAll(listened.chunks, { line: isSerial ? 'serial' : 'stream', cwd, source: link });
    const score = guessed === undefined ? 0 : likelihood(guessed);
    if (rate !== undefined) tried.push({ baud: rate, bytes: listened.bytes, score: Math.round(score) });
    if (best === undefined || score > bestScore) {
      best = { baud: rate, listened, guessed, tried };
      bestScore = score;
    }
    if (score >= CERTAIN_BITS || listened.bytes === 0 || signal.aborted) break;
  }
  // There is at least one rate.
  return best ?? { baud: undefined, listened: { chunks: [], bytes: 0 }, guessed: undefined, tried };
}

/** @throws Error where the link was not checked before */
function addressOf(link: string, baud: string | undefined): LinkAddress {
  const settings = baud === undefined ? undefined : parseBaud(baud);
  const parsed = parseLinkAddress(link);
  if (!parsed.ok) throw new Error(parsed.problem);
  const { value } = parsed;
  if (value.scheme !== 'serial' || settings === undefined || !settings.ok) return value;
  return { ...value, settings: { ...value.settings, ...settings.value } };
}
