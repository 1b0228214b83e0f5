import type { DialledDeviceConfig } from '../config/index.ts';
import { type LinkAddress, lineGapMs, PortSharing } from '../links/index.ts';
import type { Log } from '../system/index.ts';
import type { DeviceRunner } from './device-runner.ts';
import { SERIAL_SERVER_GAP_MS } from './wire-codec.ts';

/** Datagrams have ends, so that an answer is complete with its own. */
const DATAGRAM_QUIET_MS = 20;
const LEAST_LATE_MS = 2_000;

/** How the port of a device is given on to other programs; undefined where it is not. `runner` is asked later. */
export function sharePort(
  device: DialledDeviceConfig,
  log: Log,
  runner: () => DeviceRunner,
): PortSharing | undefined {
  const { expose, links, session, gapMs } = device;
  if (expose === undefined) return undefined;
  const [link] = links;
  const { bare, requestTimeoutMs } = session;
  const lateMs = bare?.lateMs ?? Math.max(LEAST_LATE_MS, requestTimeoutMs / 2);
  return new PortSharing({
    exposes: expose,
    times: {
      quietMs: Math.max(gapMs ?? quietOf(link), bare?.turnaroundMs ?? 0),
      replyMs: requestTimeoutMs + lateMs,
      holdMs: requestTimeoutMs / 2,
    },
    duplex: bare === undefined,
    settings: 'settings' in link ? link.settings : undefined,
    changed: (places) => runner().portShared(places),
    failed: (code, detail) => log.warn({ device: device.id, code }, detail),
  });
}

function quietOf(link: LinkAddress): number {
  if (link.scheme === 'udp') return DATAGRAM_QUIET_MS;
  return link.scheme === 'serial' ? lineGapMs(link.settings) : SERIAL_SERVER_GAP_MS;
}
