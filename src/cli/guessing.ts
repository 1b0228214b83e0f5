import { type Chunk, type Guess, guess, messagesText, receive } from '../guess/index.ts';
import type { ProtocolMatch } from '../inspection/index.ts';
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
  const { listPacks, readNamedMessages } = await import('../config/index.ts');
  const { matchProtocols } = await import('../inspection/index.ts');
  const candidates = [];
  for (const { name } of await listPacks(cwd)) {
    const { protocol } = await readNamedMessages(`pack:${name}`, cwd).catch(() => ({ protocol: undefined }));
    if (protocol !== undefined) candidates.push({ name, protocol });
  }
  return matchProtocols(bytes, candidates, line);
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
