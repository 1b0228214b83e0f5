import { readdirSync } from 'node:fs';

/** What a link may leave behind: sockets, timers and, where the system tells, descriptors. */
export function resources(): Record<string, number> {
  const counts: Record<string, number> = { descriptors: descriptors() };
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function descriptors(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
}

/** Turns the loop until nothing is left that was not there `before`; returns what still is when it gives up. */
export async function leftBehind(before: Record<string, number>): Promise<string[]> {
  let left: string[] = [];
  for (let turn = 0; turn < 5_000; turn += 1) {
    left = Object.entries(resources())
      .filter(([name, count]) => LASTING.has(name) && count > (before[name] ?? 0))
      .map(([name, count]) => `${name}: ${before[name] ?? 0} before, ${count} now`);
    if (left.length === 0) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return left;
}

const LASTING = new Set([
  'descriptors',
  'Timeout',
  'TCPSocketWrap',
  'TCPServerWrap',
  'TCPConnectWrap',
  'TTYWrap',
  'PipeWrap',
]);
