import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A program of another party that a test kills, stops and wakes; the newest one that was started. */
export class ServerProcess {
  protected child: ChildProcess | undefined;

  /** SIGKILL; resolves once it is gone. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }
}
