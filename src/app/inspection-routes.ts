import { type Answer, jsonAnswer, refusal } from '../access/index.ts';
import type { BridgeConfig } from '../config/index.ts';
import { lineOf } from '../contract/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import type { DeviceDirectory, DeviceListener, DeviceRunner } from '../devices/index.ts';
import { declarationText } from '../inspection/index.ts';
import { listPorts } from '../links/index.ts';
import { hexText } from '../protocol/index.ts';
import type { Live, LogTail } from '../system/index.ts';

interface Sources {
  readonly live: Live<BridgeConfig>;
  readonly directory: DeviceDirectory;
  readonly tail: LogTail;
  deviceListeners(): readonly DeviceListener[];
  /** As `bridge/status` shows them; undefined: there are none. */
  outputs(): readonly JsonObject[] | undefined;
}

/** What a page shows besides the feed, by path: how bytes are read, the last lines of the log, and what was found. */
export function inspectionRoutes(
  sources: Sources,
): (path: string, query: URLSearchParams) => (() => Answer) | undefined {
  return (path, query) => {
    if (path === '/api/log') return () => logAnswer(sources.tail, query);
    if (path === '/api/outputs')
      return () => jsonAnswer(200, { outputs: sources.outputs() ?? [] }, { 'Cache-Control': 'no-cache' });
    if (path === '/api/found') return () => foundAnswer(sources);
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

function logAnswer(tail: LogTail, query: URLSearchParams): Answer {
  const after = Number(query.get('after') ?? 0);
  if (!Number.isSafeInteger(after)) return refusal(400, 'bad_request', '"after" is the number of a line.');
  const lines = tail.after(after).map((line): JsonObject => ({ ...line }));
  return jsonAnswer(200, { lines }, { 'Cache-Control': 'no-store' });
}

/** Serial ports, and links that dialled in and were not known, with their first bytes. */
function foundAnswer({ live, deviceListeners }: Sources): Answer {
  const headers = { 'Cache-Control': 'no-store' };
  const later = async (): Promise<Answer> => {
    const ports = await listPorts().catch(() => []);
    const unknown = deviceListeners().flatMap((listener) =>
      [...listener.unknown.all, ...listener.pendingLinks().map((link) => link.unknown())].map(
        ({ bytes, since, ended, detail, address }): JsonObject => ({
          listener: listener.status().address,
          address,
          since,
          ...(ended === undefined ? {} : { ended }),
          ...(detail === undefined ? {} : { detail }),
          bytes: hexText(bytes),
        }),
      ),
    );
    const { devices, buses = [], file } = live.value;
    const used = [
      ...devices.flatMap(({ session }) => session.addresses),
      ...buses.flatMap(({ session }) => session.addresses),
    ];
    return jsonAnswer(
      200,
      {
        file,
        configured: devices.length,
        used,
        ports: ports.map((port): JsonObject => ({ ...port })),
        unknown,
      },
      headers,
    );
  };
  return { status: 200, headers, body: '', later };
}
