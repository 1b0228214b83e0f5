import type { ServerResponse } from 'node:http';

/** Bytes of a long answer that are handed to its connection at once, or a little more. */
export const PIECE_BYTES = 64 * 1024;

/** Collects a long text in pieces: as one buffer, it would be copied again as a whole, and its memory be fresh. */
export class PiecesOfText {
  readonly #pieces: Uint8Array[] = [];
  #text = '';

  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= PIECE_BYTES) this.#cut();
  }

  /** All that was added, as UTF-8. */
  finish(): readonly Uint8Array[] {
    if (this.#text !== '' || this.#pieces.length === 0) this.#cut();
    return this.#pieces;
  }

  #cut(): void {
    this.#pieces.push(Buffer.from(this.#text));
    this.#text = '';
  }
}

export function byteLengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** The same bytes in pieces, without a copy. */
export function* inPieces(body: Uint8Array): Generator<Uint8Array, void> {
  for (let at = 0; at < body.byteLength; at += PIECE_BYTES) yield body.subarray(at, at + PIECE_BYTES);
}

/**
 * Ends a response with a long answer. A piece is written when the connection has room for it, so that it is seen when a
 * slow reader takes some of it; the event loop turns between two pieces, so that nothing else waits for all of it.
 */
export function sendPieces(response: ServerResponse, pieces: Iterator<Uint8Array>): void {
  const next = (): void => {
    if (response.destroyed) return;
    const piece = pieces.next();
    if (piece.done === true) response.end();
    else if (response.write(piece.value)) setImmediate(next);
    else response.once('drain', next);
  };
  next();
}
