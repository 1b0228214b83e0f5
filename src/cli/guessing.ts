import { type Chunk, type Guess, guess, messagesText, receive } from '../guess/index.ts';
import type { Candidate, ProtocolMatch } from '../inspection/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';

/** What bytes of an unknown device show. */
export interface Guessed {
  /** Packs to which they fit, the best first. */
  readonly packs: readonly ProtocolMatch[];
  readonly guess: Guess;
  /** The `messages.yaml` of the guess; undefined where none holds. */
  readonly text: string | undefined;
  readonly bytes: Uint8Array;
  readonly bursts: number;
}

/** Bits of checksums and constants from which on a pack is proposed: one frame with a checksum of 16 bits, and more. */
const PROVEN_BITS = 20;

/** Looks at what a device said: first for a pack, then for what the bytes show by themselves. */
export async function guessAll(
  chunks: readonly Chunk[],
  {
    line,
    cwd,
    source,
  }: { readonly line: 'stream' | 'serial'; readonly cwd: string; readonly source: string },
): Promise<Guessed> {
  const received = receive(chunks);
  const { bytes, starts } = received;
  const found = guess(received);
  return {
    packs: await packsThatFit(bytes, line, cwd),
    guess: found,
    text: await heldText(found, source),
    bytes,
    bursts: starts.length,
  };
}

/** Whether a pack is shown by more than that its text is text. */
export const isProven = ({ proof, explained, total }: ProtocolMatch): boolean =>
  proof >= PROVEN_BITS && explained * 2 >= total;

async function packsThatFit(
  bytes: Uint8Array,
  line: 'stream' | 'serial',
  cwd: string,
): Promise<readonly ProtocolMatch[]> {
  const { matchProtocols } = await import('../inspection/index.ts');
  return matchProtocols(bytes, await candidatesIn(cwd), line);
}

let known: { readonly cwd: string; readonly candidates: Promise<readonly Candidate[]> } | undefined;

/** The packs that can be named from a folder; read once, because several devices and speeds are compared with them. */
function candidatesIn(cwd: string): Promise<readonly Candidate[]> {
  if (known?.cwd !== cwd) known = { cwd, candidates: readPacks(cwd) };
  return known.candidates;
}

async function readPacks(cwd: string): Promise<readonly Candidate[]> {
  const { listPacks, readNamedMessages } = await import('../config/index.ts');
  const candidates: Candidate[] = [];
  for (const { name } of await listPacks(cwd)) {
    // A pack of another maker that cannot be read fits nothing.
    const { protocol } = await readNamedMessages(`pack:${name}`, cwd).catch(() => ({ protocol: undefined }));
    if (protocol !== undefined) candidates.push({ name, protocol });
  }
  return candidates;
}

/** The text that the reader of `messages.yaml` takes, and that decodes every frame; without fields where it must be. */
async function heldText(found: Guess, source: string): Promise<string | undefined> {
  if (found.kinds.length === 0) return undefined;
  const { loadMessages } = await import('../config/index.ts');
  for (const fields of [true, false]) {
    const text = messagesText(found, { source, fields });
    const { protocol } = loadMessages(text, 'messages.yaml');
    if (protocol !== undefined && decodesAll(protocol, found)) return text;
  }
  return undefined;
}

function decodesAll(protocol: DeclaredProtocol, { kinds }: Guess): boolean {
  const { framing } = protocol.declaration;
  const names = framing.type === 'several' ? framing.kinds.map(({ name }) => name) : [undefined];
  return kinds.every(({ payloads }, index) =>
    payloads.every(
      (payload) =>
        protocol.decode(payload, 0, payload.length, 'device', undefined, names[index]).name === 'declared',
    ),
  );
}

/** Text at the wrong speed is no text; so many bits are worth as much as that. */
const TEXT_BITS = 10;

/** How likely it is that these bytes were received as they were sent, in bits: at the wrong speed nothing holds in them. */
export function likelihood({ packs, guess: found, bytes }: Guessed): number {
  const [pack] = packs;
  const [kind] = found.kinds;
  const text = bytes.reduce((sum, byte) => sum + (byte >= 0x20 && byte < 0x7f ? 1 : 0), 0);
  const proven = pack !== undefined && isProven(pack) ? Math.min(200, pack.proof) : 0;
  return Math.max(proven, kind?.score ?? 0) + (TEXT_BITS * text) / Math.max(1, bytes.length);
}
