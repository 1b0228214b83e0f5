#!/usr/bin/env node
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder of this user for what can be made again; undefined where the system knows none. */
function cacheFolder(): string | undefined {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  if (process.platform === 'win32') return LOCALAPPDATA || undefined;
  try {
    if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
    return XDG_CACHE_HOME || join(homedir(), '.cache');
  } catch {
    // A user without a home, as some services have.
    return undefined;
  }
}

/**
 * Node keeps what it makes of the program from one start to the next, from Node 22.1 on; NODE_DISABLE_COMPILE_CACHE=1
 * switches it off. The folder is one of this user: code from a folder that others may write would be theirs. Where it
 * cannot be written, Node goes on without it.
 */
function keepCompiled(): void {
  // The types are those of the oldest Node that is supported.
  const {
    enableCompileCache,
  }: { enableCompileCache?: (folder?: string) => unknown; builtinModules: unknown } = module;
  const folder = cacheFolder();
  if (process.env.NODE_COMPILE_CACHE !== undefined || folder === undefined) return;
  enableCompileCache?.(join(folder, 'heartwire'));
}

keepCompiled();
await import('./program.ts');
