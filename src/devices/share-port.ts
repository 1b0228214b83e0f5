import type {
  BusConfig,
  DialledDeviceConfig,
  MatchedDeviceConfig,
  SessionSettings,
} from '../config/index.ts';
import { type LinkAddress, lineGapMs, PortSharing } from '../links/index.ts';
import type { Log } from '../system/index.ts';
import type { DeviceRunner } from './device-runner.ts';
import { SERIAL_SERVER_GAP_MS } from './wire-codec.ts';

/** Datagrams have ends, so that an answer is complete with its own. */
const DATAGRAM_QUIET_MS = 20;
const LEAST_LATE_MS = 2_000;

/** How a port is given on to other programs; undefined where it is not. `port` is asked later. */
export function sharePort(
  of: DialledDeviceConfig | MatchedDeviceConfig | BusConfig,
  sessions: readonly SessionSettings[],
  log: Log,
  port: () => DeviceRunner,
): PortSharing | undefined {
  const { id, expose, gapMs } = of;
  if (expose === undefined) return undefined;
  // One that dials in has none; it may be a line behind a serial server.
  const link = 'links' in of ? of.links[0] : undefined;
  const longest = (of: (session: SessionSettings) => number): number => Math.max(...sessions.map(of));
  return new PortSharing({
    exposes: expose,
    times: {
      quietMs: Math.max(
        gapMs ?? quietOf(link),
        longest((each) => each.port?.turnaroundMs ?? each.bare?.turnaroundMs ?? 0),
      ),
      replyMs: longest((each) => each.requestTimeoutMs + lateMs(each)),
      holdMs: Math.min(...sessions.map(({ requestTimeoutMs }) => requestTimeoutMs)) / 2,
    },
    duplex: sessions.every(
      ({ bare, login }) => bare === undefined || (login === true && bare.polls.length === 0),
    ),
    settings: link !== undefined && 'settings' in link ? link.settings : undefined,
    changed: (places) => port().tell({ type: 'portShared', places }),
    failed: (code, detail) => log.warn({ device: id, code }, detail),
  });
}

const lateMs = ({ bare, requestTimeoutMs }: SessionSettings): number =>
  bare?.lateMs ?? Math.max(LEAST_LATE_MS, requestTimeoutMs / 2);

function quietOf(link: LinkAddress | undefined): number {
  if (link?.scheme === 'udp') return DATAGRAM_QUIET_MS;
  return link?.scheme === 'serial' ? lineGapMs(link.settings) : SERIAL_SERVER_GAP_MS;
}
