import { type Stats, stat } from 'node:fs';
import { listPorts } from './port-list.ts';

const POLL_MS = 500;
/** Windows has no device files; listing its ports is slow. */
const LIST_POLL_MS = 2_000;

/**
 * Looks whether a port that is open is still there, and still the same: a `close` event is not always emitted when a
 * device is unplugged. Calls `vanished` once; returns what stops it.
 */
export function watchPresence(realPath: string, vanished: () => void): () => void {
  const look = process.platform === 'win32' ? looksByList(realPath) : looksByFile(realPath);
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const again = (): void => {
    timer = setTimeout(
      () =>
        look((there) => {
          if (stopped) return;
          if (there) again();
          else vanished();
        }),
      process.platform === 'win32' ? LIST_POLL_MS : POLL_MS,
    );
    timer.unref();
  };
  // The first look keeps what the port is at present.
  look(() => {
    if (!stopped) again();
  });
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

type Look = (result: (there: boolean) => void) => void;

function looksByFile(realPath: string): Look {
  let first: Stats | undefined;
  return (result) =>
    stat(realPath, (error, stats) => {
      // Only a missing file is a missing port; a lack of descriptors or of rights tells nothing.
      if (error !== null) return result(!['ENOENT', 'ENXIO', 'ENODEV', 'ENOTDIR'].includes(error.code ?? ''));
      first ??= stats;
      result(stats.rdev === first.rdev && stats.ino === first.ino);
    });
}

function looksByList(path: string): Look {
  const name = path.replace(/^\\\\\.\\/, '').toUpperCase();
  return (result) => {
    listPorts().then(
      (ports) => result(ports.some((port) => port.path.toUpperCase() === name)),
      // A list that cannot be had tells nothing about the port.
      () => result(true),
    );
  };
}
