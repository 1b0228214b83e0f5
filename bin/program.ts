import { relative, resolve } from 'node:path';
import { type CliIo, errorText, main, outputNotWritten, type Terminal } from '../src/cli/index.ts';

/** From a checkout there is no `npx heartwire`, which finds installed packages only. */
function programName(script: string, cwd: string): string {
  const installed = /[\\/]node_modules[\\/]|[\\/]bin[\\/]heartwire$/.test(script);
  return installed ? 'npx heartwire' : `node ${relative(cwd, script)}`;
}

const outClosed = new AbortController();

/** Results could not be written, other than because their reader is gone. */
let outFailed = false;

// A reader that has gone away (`| head`), or a terminal that was closed (EIO), ends the output, and is no error.
// Anything else is, such as a full disk.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO' && !outFailed) {
    outFailed = true;
    // The last words may fail when the command is over.
    process.exitCode = 1;
    process.stderr.write(errorText(outputNotWritten('The output', error)));
  }
  outClosed.abort();
});
// What cannot be said here can be said nowhere; a full disk below the log is no reason to let go of the devices.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EIO') outClosed.abort();
});

/** After a signal, the end does not wait for a reader of the output. */
let signalled = false;

/** Resolves once all that was printed has been taken, or once its reader is gone. */
function outputTaken(): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outClosed.signal.removeEventListener('abort', done);
      resolve();
    };
    outClosed.signal.addEventListener('abort', done);
    if (outClosed.signal.aborted || process.stdout.writableLength === 0) done();
    else process.stdout.write('', done);
  });
}

const tty = ownTerminal();

const io: CliIo = {
  out(text) {
    if (!outClosed.signal.aborted) process.stdout.write(text);
  },
  outBytes(bytes) {
    if (!outClosed.signal.aborted) process.stdout.write(bytes);
  },
  err(text) {
    process.stderr.write(text);
  },
  terminal: process.stdout.isTTY === true,
  ...(tty === undefined ? {} : { tty }),
  errTerminal: process.stderr.isTTY === true,
  usage() {
    const { user, system } = process.cpuUsage();
    return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 };
  },
  program: programName(process.argv[1] ?? '', process.cwd()),
  self: [process.execPath, ...process.execArgv, resolve(process.argv[1] ?? '')],
  env: process.env,
  cwd: process.cwd(),
  drained: () => (process.stdout.writableNeedDrain ? outputTaken() : undefined),
  onSignal(signal, callback) {
    const received = (): void => {
      signalled = true;
      callback();
    };
    process.on(signal, received);
    return () => void process.off(signal, received);
  },
  onUncaught(callback) {
    // Unhandled rejections of promises come here, too.
    process.on('uncaughtException', callback);
    return () => void process.off('uncaughtException', callback);
  },
  stdin: () => process.stdin,
  outClosed: outClosed.signal,
};

const code = await main(process.argv.slice(2), io);
if (code !== 0 || !outFailed) process.exitCode = code;
if (!signalled) await outputTaken();
// The command is over; whatever still holds the process (a port that does not close) shall not hold it for long.
setTimeout(() => process.exit(), 2_000).unref();

/** The terminal of this process; undefined where people neither see its output nor type its input. */
function ownTerminal(): Terminal | undefined {
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
