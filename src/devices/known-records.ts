import type { Instant } from '../instant.ts';
import { addressLabel } from '../links/transports.ts';
import type { Clock } from '../system/clock.ts';
import type { KnownBefore } from './core/session-events.ts';
import type { DeviceDirectory } from './device-directory.ts';
import type { Away, KnownDevice } from './known-devices-file.ts';
import type { Arrival, Unannounced } from './unannounced-devices.ts';

const RESTARTED = 'it was known before the bridge was started again, and has not come back since';

/** What the file holds of all unannounced devices; of one whose state is secret, only its name and when it was there. */
export function* knownDevices(
  directory: DeviceDirectory,
  conceals: (topic: string) => boolean,
  clock: Clock,
): Generator<KnownDevice> {
  for (const entry of directory.unannounced()) {
    const { runner, listener, byAddress, settled, arrival } = entry;
    // Nothing valid came of it: it is a link, and no device.
    if (runner.status === 'unknown') continue;
    const secret = conceals(`devices/${runner.id}/state`);
    const away = awayOf(entry, clock.now());
    yield {
      id: runner.id,
      listener: addressLabel(listener.link),
      byAddress,
      settled,
      ...(secret ? {} : { host: arrival.host, identity: arrival.identity }),
      away: secret && away !== undefined ? { since: away.since, byItself: false } : away,
    };
  }
}

function awayOf({ runner }: Unannounced, now: Instant): Away | undefined {
  const { state } = runner.reading;
  if (state.link.status === 'connected') return undefined;
  const { status, reason, detail } = state;
  const since = Math.round(now.wallMs - runner.awayMs());
  return { since, reason, detail, byItself: status === 'away' };
}

export function arrivalOf({ host = '', identity }: KnownDevice): Arrival {
  return identity === undefined ? { host } : { host, identity };
}

/** A device without a reason in the file was connected, or its reason was secret. */
export function knownBefore({ away, identity }: KnownDevice, now: Instant): KnownBefore {
  const {
    since = now.wallMs,
    reason = 'bridge_restarted',
    detail = RESTARTED,
    byItself = false,
  } = away ?? {};
  return { since, reason, detail, byItself, identity };
}
