import { lstat, readlink, rename, symlink, unlink } from 'node:fs/promises';
import { HeartwireError } from '../../errors.ts';
import type { LinkEnd } from '../link.ts';
import { describeHolders, portHolders } from '../port-holders.ts';
import { loadSerialPort } from '../port-list.ts';
import { Pty } from '../pty.ts';
import { systemCode } from '../tcp-end.ts';
import type { Exposure, ExposureHandlers, Program } from './exposure.ts';

/** What a program has not read; more is dropped. */
const MOST_UNREAD_BYTES = 64 * 1024;
/** How often it is looked who has the port open, in ms. */
const LOOK_EVERY_MS = 2_000;
/** A program that wrote is there for so long, where the system does not tell who has the port open. */
const PRESENT_MS = 10_000;

/** A pseudo-terminal that other programs open like a serial port, under a name that stays. */
export class PtyExposure implements Exposure {
  readonly #path: string;
  readonly #handlers: ExposureHandlers;
  readonly #program: Program;
  #pty: Pty | undefined;
  #look: NodeJS.Timeout | undefined;
  #holders: readonly string[] = [];
  #wroteAtMs = Number.NEGATIVE_INFINITY;
  #over = false;

  constructor(path: string, readOnly: boolean, handlers: ExposureHandlers) {
    this.#path = path;
    this.#handlers = handlers;
    this.#program = {
      name: `pty ${path}`,
      readOnly,
      write: (bytes) => this.#write(bytes),
      resume: () => void this.#pty?.stream.resume(),
    };
  }

  start(): void {
    void this.#open().catch((error: unknown) => {
      this.#drop();
      if (!this.#over) this.#handlers.failed(endOf(error, this.#path));
    });
  }

  stop(): void {
    this.#over = true;
    this.#drop();
  }

  programs(): readonly string[] {
    return this.#holders;
  }

  async #open(): Promise<void> {
    await checkFree(this.#path);
    const pty = new Pty();
    this.#pty = pty;
    await makeRaw(pty.path);
    const beside = `${this.#path}.${process.pid}.new`;
    await symlink(pty.path, beside);
    await rename(beside, this.#path);
    if (this.#over) {
      await removeLink(this.#path, pty.path);
      return;
    }
    pty.onData((chunk) => {
      if (this.#over) return;
      this.#wroteAtMs = performance.now();
      if (!this.#handlers.said(this.#program, chunk)) pty.stream.pause();
    });
    this.#handlers.joined(this.#program);
    this.#handlers.opened(`pty ${this.#path}`);
    this.#look = setInterval(() => void this.#lookWho(pty), LOOK_EVERY_MS);
    this.#look.unref();
    await this.#lookWho(pty);
  }

  /** What is read by no program would be there for the next one that opens the port, as if it had just come. */
  #write(bytes: Uint8Array): void {
    const pty = this.#pty;
    const isUsed =
      process.platform !== 'linux' ||
      this.#holders.length > 0 ||
      performance.now() - this.#wroteAtMs < PRESENT_MS;
    if (pty === undefined || !isUsed || pty.waitingBytes > MOST_UNREAD_BYTES) return;
    pty.write(bytes);
  }

  async #lookWho(pty: Pty): Promise<void> {
    const found = await portHolders(pty.path);
    const holders = found.map((each) => describeHolders([each]));
    if (this.#over || holders.join() === this.#holders.join()) return;
    this.#holders = holders;
    this.#handlers.opened(`pty ${this.#path}`);
  }

  #drop(): void {
    clearInterval(this.#look);
    const pty = this.#pty;
    if (pty === undefined) return;
    this.#pty = undefined;
    pty.hangUp();
    void removeLink(this.#path, pty.path);
  }
}

/** The name may be that of a pty of an earlier run, and nothing else. */
async function checkFree(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (found.isSymbolicLink() && /^\/dev\/(pts\/|ttys)\d+$/.test(await readlink(path))) return;
  throw new HeartwireError('expose_failed', `${path} is there already, and is no link to a pty.`, {
    fix: 'Remove it, or choose another path.',
  });
}

/** A fresh pty echoes and edits lines, as for a person; a serial port does neither. */
async function makeRaw(path: string): Promise<void> {
  const SerialPort = await loadSerialPort();
  const port = new SerialPort({ path, baudRate: 115_200, lock: false, hupcl: false, autoOpen: false });
  await new Promise<void>((resolve, reject) =>
    port.open((error) => (error === null || error === undefined ? resolve() : reject(error))),
  );
  await new Promise<void>((resolve) => port.close(() => resolve()));
}

/** Removes the name where it is still ours. */
async function removeLink(path: string, target: string): Promise<void> {
  try {
    if ((await readlink(path)) === target) await unlink(path);
  } catch {
    // It is gone, or another's: there is nothing to be removed.
  }
}

function endOf(error: unknown, path: string): LinkEnd {
  if (error instanceof HeartwireError) {
    return { code: error.code, detail: [error.message, error.fix ?? ''].join(' ').trim() };
  }
  const detail = error instanceof Error ? error.message : String(error);
  return {
    code: 'expose_failed',
    detail: `${path} could not be made: ${detail}. Check that its folder is there and may be written to.`,
  };
}
