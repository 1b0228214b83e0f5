import type { DialledDeviceConfig } from '../config/model.ts';
import type { NameResolver } from '../links/names/name-resolver.ts';
import { dial } from '../links/transports.ts';
import { deviceCodec, framingOf } from './device-codec.ts';
import { Wire, type WireOptions, type WireOwner } from './wire.ts';
import { framingNeedsSilence, SERIAL_SERVER_GAP_MS } from './wire-codec.ts';

/** A fresh, unopened wire to one of the addresses of a device that we dial. */
export function dialWire(
  device: DialledDeviceConfig,
  addressIndex: number,
  owner: WireOwner,
  options: WireOptions & { readonly names?: NameResolver | undefined },
): Wire {
  const address = device.links[addressIndex];
  // The session only orders what its settings list, and those come from the same configuration.
  if (address === undefined) throw new Error(`${device.id} has no address ${addressIndex}`);
  const { messages, line, maxFrame, session } = device;
  const speech = {
    identity: session.identity,
    builtin: session.bare === undefined,
    maxFrame,
    line,
    messages,
  };
  const needsSilence = framingNeedsSilence(framingOf(speech));
  const reportsSilence = line === 'serial' || needsSilence;
  const link = dial(address, {
    device: device.id,
    names: options.names,
    ...(reportsSilence && address.scheme === 'tcp'
      ? { idleAfterMs: device.gapMs ?? SERIAL_SERVER_GAP_MS }
      : {}),
    ...(device.gapMs === undefined ? {} : { gapMs: device.gapMs }),
    silence: needsSilence ? { gapMs: device.gapMs } : undefined,
  });
  return new Wire(link, deviceCodec(speech), owner, options);
}
