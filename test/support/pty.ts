import { Pty as SystemPty } from '../../src/links/pty.ts';
import type { RawPeer } from './link-contract.ts';

/** A pseudo-terminal: `path` is opened as a serial port, the other end is the device on the line. */
export interface Pty extends RawPeer {
  /** As in `/dev/pts/3`. */
  readonly path: string;
  /** Writes before it returns, though the loop stands still. */
  writeNow(bytes: Uint8Array): void;
  /** Bytes as they come, for devices that answer. */
  onData(listener: (chunk: Buffer) => void): void;
  /** Unplugs, if that was not done before, and frees everything. */
  dispose(): Promise<void>;
}

/** Whether this system has ptys, with the reason printed where it has none: hand it to `describe.runIf`. */
export function hasPtys(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  if (process.platform === 'linux' || process.platform === 'darwin') return true;
  console.warn(`Skipping tests on ptys: ${process.platform} has none.`);
  return env.HEARTWIRE_TEST_ALL === '1';
}

/** A pty that remembers what it received. */
export function openPty(): Pty {
  const pty = new SystemPty();
  const chunks: Buffer[] = [];
  pty.onData((chunk) => chunks.push(chunk));
  return {
    path: pty.path,
    write: (bytes) => pty.write(bytes),
    writeNow: (bytes) => pty.writeNow(bytes),
    received: () => Buffer.concat(chunks),
    onData: (listener) => pty.onData(listener),
    stall: () => void pty.stream.pause(),
    resume: () => void pty.stream.resume(),
    hangUp: () => pty.hangUp(),
    dispose: () => pty[Symbol.asyncDispose](),
  };
}
