import { type Answer, jsonAnswer, refusal } from '../access/index.ts';
import type { BridgeConfig } from '../config/index.ts';
import { lineOf } from '../contract/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import type { DeviceDirectory, DeviceRunner } from '../devices/index.ts';
import { declarationText } from '../inspection/index.ts';
import type { Live } from '../system/index.ts';

interface Sources {
  readonly live: Live<BridgeConfig>;
  readonly directory: DeviceDirectory;
}

/** What a page needs to read the bytes of a device itself, by path. */
export function inspectionRoutes(sources: Sources): (path: string) => (() => Answer) | undefined {
  return (path) => {
    const device = /^\/api\/devices\/([^/]+)\/protocol$/.exec(path)?.[1];
    return device === undefined ? undefined : () => protocolAnswer(device, sources);
  };
}

function protocolAnswer(id: string, { live, directory }: Sources): Answer {
  const runner = directory.get(id);
  if (runner === undefined) {
    return refusal(
      404,
      'device_unknown',
      `No device is known as "${id.slice(0, 64)}"; /api/devices lists them all.`,
    );
  }
  const protocol = runner.messages?.protocol.ofAnyAddress;
  const body: JsonObject = {
    device: id,
    meta: metaOf(runner, live.value),
    ...(protocol === undefined ? {} : { declaration: declarationText(protocol.declaration) }),
  };
  return jsonAnswer(200, body, { 'Cache-Control': 'no-cache' });
}

/** As `#meta` of a trace says it, as far as bytes are read by it. */
function metaOf({ settings }: DeviceRunner, { devices, buses = [] }: BridgeConfig): Record<string, string> {
  const { device, transport, role, identity, bare, login, bus } = settings;
  const configured = devices.find((each) => each.id === device);
  const line =
    bus === undefined
      ? configured !== undefined && 'line' in configured
        ? configured.line
        : undefined
      : buses.find((each) => each.id === bus.id)?.line;
  return {
    device,
    transport,
    role,
    identity,
    line: line ?? lineOf(transport),
    ...(configured === undefined ? {} : { max_frame: String(configured.maxFrame) }),
    ...(bare === undefined ? {} : { session: login === true ? 'declared' : 'none' }),
  };
}
