import { open, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type IncidentDocument, parseIncident } from '../contract/feed/index.ts';
import { HeartwireError } from '../errors.ts';
import type { DiskUse } from '../system/index.ts';
import { TraceParser } from '../trace/index.ts';
import { type CreateFile, type RecordingFile, RecordingStore } from './recording-store.ts';

/** The head of a trace is shorter. */
const HEAD_BYTES = 64 * 1024;
const SUFFIX = '.trace';
/** What is written behind the lines of a piece. */
const TRAILER_BYTES = 32;

export interface IncidentFolder {
  readonly dir: string;
  readonly budgetBytes: number;
  readonly maxFiles: number;
}

/** A trace on the disk. */
interface Kept {
  readonly document: IncidentDocument;
  readonly path: string;
}

/** The traces of incidents in their folder; each says in its head what it is about, so that a later run knows it. */
export class IncidentStore {
  #folder: IncidentFolder;
  readonly #files: RecordingStore;
  /** By id, the oldest first. */
  #kept = new Map<string, Kept>();

  constructor(folder: IncidentFolder, createFile?: CreateFile) {
    this.#folder = folder;
    const { dir, budgetBytes, maxFiles } = folder;
    const never = Number.POSITIVE_INFINITY;
    this.#files = new RecordingStore(
      { dir, budgetBytes, maxFiles, maxFileBytes: never, maxAgeMs: never, gzip: false },
      createFile,
      (path) => void this.#kept.delete(idOf(path)),
    );
  }

  get use(): DiskUse {
    return this.#files.use;
  }

  /** The oldest first. */
  get all(): readonly IncidentDocument[] {
    return [...this.#kept.values()].map(({ document }) => document);
  }

  find(id: string): (IncidentDocument & { readonly path: string }) | undefined {
    const kept = this.#kept.get(id);
    return kept && { ...kept.document, path: kept.path };
  }

  /** Other limits from now on; the oldest traces go until these are kept. */
  async limit(limits: Omit<IncidentFolder, 'dir'>): Promise<void> {
    this.#folder = { ...limits, dir: this.#folder.dir };
    await this.#files.limit(limits);
  }

  /** Reads what earlier runs have left; a folder that is not there is made once it is needed. */
  async load(): Promise<void> {
    const { dir } = this.#folder;
    let names: string[];
    try {
      names = await readdir(dir);
    } catch {
      // There is none, or it can't be read: then the first incident says so.
      return;
    }
    const found: Kept[] = [];
    for (const name of names.filter((each) => each.endsWith(SUFFIX))) {
      const kept = await readHead(join(dir, name));
      if (kept !== undefined) found.push(kept);
    }
    const made = [...this.#kept.values()];
    this.#kept = new Map(
      [...found.sort((a, b) => a.document.at - b.document.at), ...made].map((each) => [
        each.document.id,
        each,
      ]),
    );
    if (found.length > 0) await this.#files.open();
  }

  /**
   * Writes one trace; older ones make room. `write` gets its id and gives its text, piece by piece.
   * @throws HeartwireError `incident_budget`, and errors of the file system
   */
  async save(
    of: Omit<IncidentDocument, 'id' | 'bytes'>,
    box: string,
    text: (incident: string) => Iterable<Buffer>,
    pause: () => Promise<void> | undefined,
  ): Promise<IncidentDocument> {
    // Another program may have removed the folder since the last one.
    await this.#files.open();
    let file: RecordingFile | undefined;
    try {
      await this.#makeRoom(box, 0, undefined);
      file = await this.#files.create(box, of.at);
      const named = { id: idOf(file.path), ...of };
      for (const piece of text(JSON.stringify({ ...named, bytes: 0 }))) {
        await this.#makeRoom(box, piece.length + TRAILER_BYTES, file);
        await file.append(piece);
        await pause();
      }
      await file.close();
      const document = { ...named, bytes: file.bytes };
      this.#kept.set(document.id, { document, path: file.path });
      return document;
    } catch (error) {
      if (file !== undefined) {
        await file.abandon();
        await rm(file.path, { force: true });
        this.#files.forget(box, file.path);
      }
      throw error;
    }
  }

  async #makeRoom(box: string, bytes: number, file: RecordingFile | undefined): Promise<void> {
    const refused = await this.#files.makeRoom(box, bytes, file);
    if (refused === undefined) return;
    const { dir, budgetBytes, maxFiles } = this.#folder;
    throw new HeartwireError(
      'incident_budget',
      `the traces in ${dir} fill their budget of ${budgetBytes} bytes and ${maxFiles} files`,
    );
  }
}

const idOf = (path: string): string => basename(path, SUFFIX);

/** What a trace says of itself; undefined where it is of no incident. */
async function readHead(path: string): Promise<Kept | undefined> {
  try {
    await using file = await open(path, 'r');
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const { size } = await file.stat();
    let said: string | undefined;
    const parser = new TraceParser(path, {
      head: ({ meta }) => {
        said = meta.incident;
      },
      event: () => undefined,
      warning: () => undefined,
    });
    parser.push(buffer.subarray(0, bytesRead));
    const incident = parseIncident(said ?? '');
    return incident && { document: { ...incident, id: idOf(path), bytes: size }, path };
  } catch {
    // A file of another program; the folder has others.
    return undefined;
  }
}
