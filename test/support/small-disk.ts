import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Mounts a small file system at a folder, such as `size=1m`. Returns false where this user may not. */
export function mountSmallDisk(folder: string, options: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', folder], { stdio: 'ignore' });
    return true;
  } catch {
    // Not Linux, not the root user, or a container that may not mount.
    return false;
  }
}

/** Whether this user may mount one; where not, the output says that tests are skipped. */
export function canMountSmallDisk(): boolean {
  const probe = mkdtempSync(join(tmpdir(), 'heartwire-mount-'));
  const can = mountSmallDisk(probe, 'size=256k');
  if (can) execFileSync('umount', [probe]);
  else console.warn('skipped: this user may not mount a small file system');
  rmSync(probe, { recursive: true });
  return can;
}
