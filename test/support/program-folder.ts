import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT_ROOT } from './project-files.ts';

/** A folder with programs of a project that installed `heartwire`, `ws` and React; they end with it. */
export class ProgramFolder implements AsyncDisposable {
  readonly path: string;
  readonly #children: ChildProcess[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<ProgramFolder> {
    const path = await mkdtemp(join(tmpdir(), 'heartwire-programs-'));
    await mkdir(join(path, 'node_modules'));
    await symlink(PROJECT_ROOT, join(path, 'node_modules/heartwire'), 'dir');
    for (const name of ['ws', 'react', 'react-test-renderer'])
      await symlink(join(PROJECT_ROOT, 'node_modules', name), join(path, 'node_modules', name), 'dir');
    return new ProgramFolder(path);
  }

  async start(program: string) {
    const file = join(this.path, `program-${this.#children.length}.mjs`);
    await writeFile(file, program);
    const child = spawn(process.execPath, [file], { cwd: this.path, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#children.push(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        said += String(text);
      });
    }
    const code = new Promise((resolve) => child.once('close', resolve));
    return { said: () => said, code };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await rm(this.path, { recursive: true });
  }
}
