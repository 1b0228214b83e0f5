/** Counts the whole frames of a server's WebSocket stream, wherever it is cut, without looking into them. */
export class FrameCounter {
  #rest = 0;
  #header: Buffer = Buffer.alloc(0);
  frames = 0;

  feed(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#rest > 0) {
        const step = Math.min(this.#rest, chunk.length - at);
        this.#rest -= step;
        at += step;
        if (this.#rest === 0) this.frames++;
        continue;
      }
      const cut = this.#header.length > 0 || chunk.length - at < 10;
      const header: Buffer = cut ? Buffer.concat([this.#header, chunk.subarray(at, at + 10)]) : chunk;
      const start = cut ? 0 : at;
      const short = (header[start + 1] ?? 0) & 127;
      const length = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (header.length - start < length) {
        this.#header = header;
        return;
      }
      if (short < 126) this.#rest = short;
      else if (short === 126) this.#rest = header.readUInt16BE(start + 2);
      else this.#rest = Number(header.readBigUInt64BE(start + 2));
      at += length - this.#header.length;
      this.#header = Buffer.alloc(0);
      if (this.#rest === 0) this.frames++;
    }
  }
}
