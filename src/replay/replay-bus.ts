import type { BusConfig } from '../config/index.ts';
import type { Publisher } from '../contract/index.ts';
import {
  BusRunner,
  type DeviceObservers,
  DeviceRunner,
  MemberWire,
  MessageCatalog,
  memberCodec,
  type SessionPorts,
  type SessionWire,
  type WireCodec,
  type WireOwner,
} from '../devices/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import type { TracedDevice } from '../recording/index.ts';
import type { Log } from '../system/index.ts';
import type { VirtualClock } from './virtual-clock.ts';

interface ReplayBusOptions {
  readonly device: TracedDevice;
  readonly messages: DeclaredProtocol | undefined;
  readonly ports: SessionPorts;
  readonly publisher: Publisher;
  readonly clock: VirtualClock;
  readonly log: Log;
  observersOf(device: string, messages: DeclaredProtocol): DeviceObservers;
  dial(addressIndex: number, owner: WireOwner, codec: WireCodec): SessionWire;
  wantsBytes(topic: string): boolean;
}

/** The bus of a trace with its devices: what was sent then is what they are asked now. */
export function makeReplayBus(options: ReplayBusOptions): {
  readonly bus: BusRunner;
  readonly devices: readonly DeviceRunner[];
} {
  const { device, messages, ports, publisher, clock, log, wantsBytes } = options;
  const { settings, line, maxFrame, members = [] } = device;
  const framing = messages?.declaration.framing;
  const config: BusConfig = {
    id: settings.device,
    links: [],
    ...(device.dialIn ? { match: { from: [] } } : {}),
    line,
    maxFrame,
    timeoutMs: settings.requestTimeoutMs,
    session: settings,
    ...(framing === undefined ? {} : { framings: [framing] }),
  };
  const bus = new BusRunner({
    config,
    ports,
    publisher,
    clock,
    log,
    makeWire: (addressIndex, owner, codec) => options.dial(addressIndex, owner, codec),
    note: () => undefined,
    wantsBytes,
  });
  const devices = members.flatMap(({ device: id, address, session }) => {
    if (messages?.declaration.address === undefined) return [];
    const spoken = messages.at(address);
    const of = { kind: 'bus', id, bus: config.id, address, maxFrame, messages: spoken, session } as const;
    const codec = memberCodec(of);
    return new DeviceRunner({
      settings: session,
      ports: { ...ports, messages: new MessageCatalog(spoken) },
      publisher,
      observers: options.observersOf(id, spoken),
      clock,
      log,
      makeWire: (_, owner) => new MemberWire(of, codec, owner, bus),
      wantsBytes,
    });
  });
  return { bus, devices };
}
