import type { Terminal } from '../src/cli/terminal.ts';

/** The terminal of this process; undefined where people neither see its output nor type its input. */
export function ownTerminal(): Terminal | undefined {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY || process.env.TERM === 'dumb') return undefined;
  // The last thing a process does: a crash must not leave a terminal that shows no typing.
  const restore = (): void => {
    if (stdin.isRaw) stdin.setRawMode(false);
  };
  return {
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    onResize(callback) {
      stdout.on('resize', callback);
      return () => void stdout.off('resize', callback);
    },
    onKeys(callback) {
      stdin.setRawMode(true);
      stdin.setEncoding('utf8');
      stdin.on('data', callback);
      stdin.resume();
      process.once('exit', restore);
      return () => {
        stdin.off('data', callback);
        stdin.pause();
        restore();
        process.off('exit', restore);
      };
    },
    suspend(resumed) {
      // All of the pipeline, as the terminal would. Without a shell that could wake us the system ignores it: we go on.
      process.kill(0, 'SIGTSTP');
      setImmediate(resumed);
    },
  };
}
