import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { devicesJsonSchema, devicesJsonSchemaText } from '../../src/config/json-schema.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { load, REGISTER } from './example.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly description?: string;
  readonly default?: unknown;
  readonly additionalProperties?: unknown;
  readonly required?: readonly string[];
}

// What zod gives is JSON Schema by its own declaration, and as wide as JSON.
const root = devicesJsonSchema() as Schema;

/** Every key of the file as a path without indices: `devices.heartbeat.interval`. */
function keysOf(schema: Schema, path = ''): [string, Schema][] {
  const below = [schema, schema.items, ...(schema.anyOf ?? [])].flatMap((each) =>
    Object.entries(each?.properties ?? {}),
  );
  return below.flatMap(([key, value]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return [[here, value] as [string, Schema], ...keysOf(value, here)];
  });
}

describe('the JSON Schema', () => {
  it('is shipped as it is generated (else run `npm run generate`)', () => {
    const shipped = readFileSync(new URL('../../schemas/devices.schema.json', import.meta.url), 'utf8');
    expect(shipped).toBe(devicesJsonSchemaText());
  });

  it('admits no unknown keys, and demands what is needed', () => {
    expect(root.additionalProperties).toBe(false);
    expect(root.properties?.devices?.items).toMatchObject({ additionalProperties: false, required: ['id'] });
    expect(root.properties?.listeners?.items?.required).toEqual(['link']);
  });

  it('describes every key', () => {
    const groups = /^(devices|listeners|defaults)\.(heartbeat|reconnect|register)$/;
    const silent = keysOf(root).filter(([path, { description }]) => !description && !groups.test(path));
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  it('names the defaults that are filled in', () => {
    const { server, access, recording, knownDevices, metrics, log, requiredDevices, devices, listeners } =
      load(
        `server: { tcp: { port: 0 } }\naccess: { jwt: { jwks_file: keys.json } }\ndevices:\n  - { id: x, link: COM3, gap: 50ms, ${REGISTER} }\nlisteners:\n  - link: tcp-listen:127.0.0.1:0\n`,
      );
    const [device] = devices;
    const [listener] = listeners;
    if (device?.kind !== 'dialled' || listener === undefined)
      throw new Error('the example is not as it should be');
    const { session } = device;
    const [link] = device.links;
    const line = link.scheme === 'serial' ? link.settings : undefined;
    const seconds = (ms: number | undefined) => `${(ms ?? 0) / 1_000}s`;
    const filled: Readonly<Record<string, unknown>> = {
      'server.host': server.host,
      'server.port': server.port,
      'server.origins': server.origins,
      'server.hosts': server.hosts,
      'server.trusted_proxies': server.trustedProxies,
      'server.max_connections_per_address': server.maxConnectionsPerAddress,
      'server.max_connects_per_second': server.maxConnectsPerSecond,
      'server.max_requests_per_second': server.maxRequestsPerSecond,
      'server.max_message_bytes': server.maxMessageBytes,
      'server.max_messages_per_second': server.maxMessagesPerSecond,
      'server.max_patterns': server.maxPatterns,
      'server.auth_timeout': seconds(server.authTimeoutMs),
      'server.tcp.host': server.tcp?.host,
      'access.insecure': access?.insecure,
      'access.jwt.roles_claim': access?.jwt?.rolesClaim,
      'access.jwt.topics_claim': access?.jwt?.topicsClaim,
      'access.jwt.clock_tolerance': seconds(access?.jwt?.clockToleranceMs),
      'known_devices.keep': knownDevices !== undefined,
      'recording.dir': recording.dir,
      'recording.max_file_mb': recording.maxFileBytes / 1_048_576,
      'recording.max_age': `${recording.maxFileMs / 3_600_000}h`,
      'recording.budget_mb': recording.budgetBytes / 1_048_576,
      'recording.max_files': recording.maxFiles,
      'recording.device_share': recording.deviceShare * 100,
      'recording.gzip': recording.gzip,
      'metrics.per_device': metrics?.perDevice,
      'log.max_lines_per_second': log?.maxLinesPerSecond,
      'devices.required': requiredDevices?.includes(device.id),
      'devices.heartbeat.interval': seconds(session.heartbeat.intervalMs),
      'devices.heartbeat.missed': session.heartbeat.missed,
      'devices.heartbeat.from': session.heartbeat.from,
      'devices.clock.every': seconds(session.clock?.everyMs),
      'devices.reconnect.initial': seconds(session.reconnect.initialMs),
      'devices.reconnect.max': seconds(session.reconnect.maxMs),
      'devices.reconnect.multiplier': session.reconnect.multiplier,
      'devices.reconnect.jitter': session.reconnect.jitter,
      'devices.identity': session.identity,
      'devices.connect_timeout': seconds(session.connectTimeoutMs),
      'devices.request_timeout': seconds(session.requestTimeoutMs),
      'devices.baud': line?.baud,
      'devices.data_bits': line?.dataBits,
      'devices.stop_bits': line?.stopBits,
      'devices.parity': line?.parity,
      'devices.rtscts': line?.rtscts,
      'devices.xon': line?.xon,
      'devices.xoff': line?.xoff,
      'devices.hupcl': line?.hupcl,
      'listeners.unknown': listener.unknown,
      'listeners.anonymous': listener.anonymous,
      'listeners.max_devices': listener.maxDevices,
      'listeners.max_new_per_minute': listener.maxNewPerMinute,
      'listeners.forget': `${listener.forgetMs / 3_600_000}h`,
      'listeners.max_nameless': listener.maxNameless,
      'listeners.max_connections': listener.maxConnections,
      'listeners.max_connections_per_address': listener.maxConnectionsPerAddress,
    };
    const named = Object.fromEntries(
      keysOf(root).flatMap(([path, schema]) =>
        Object.hasOwn(schema, 'default') ? [[path, schema.default]] : [],
      ),
    );
    expect(named).toMatchObject(filled);
    const shared = Object.keys(named).filter((path) => !Object.hasOwn(filled, path));
    // What is left is the same again below `defaults` and `listeners`.
    for (const path of shared) {
      const twin = path.replace(/^(defaults|listeners)\./, 'devices.');
      expect([path, named[path]]).toEqual([path, filled[twin]]);
    }
  });
});

describe('docs/devices-yaml.md', () => {
  const text = readFileSync(new URL('../../docs/devices-yaml.md', import.meta.url), 'utf8');
  const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => yaml);

  it('has examples, each of which passes the check', () => {
    expect(examples.length).toBeGreaterThan(5);
    const keys = new Map([['keys/bench-2026.key', { text: Buffer.alloc(32).toString('base64') }]]);
    const name = 'examples/eastron-sdm/messages.yaml';
    const meter = readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
    // Its warnings are its own.
    const { protocol } = loadMessages(meter, name);
    if (protocol === undefined) throw new Error(`${name} has errors`);
    const messages = new Map([[name, { protocol, problems: [] }]]);
    for (const each of examples) load(each, keys, messages);
  });
});

describe('devices.yaml', () => {
  it('passes the check without so much as a warning', () => {
    const text = readFileSync(new URL('../../devices.yaml', import.meta.url), 'utf8');
    expect(load(text).devices.map((each) => each.id)).toEqual(['psu-1', 'rack-7', 'tracker-9']);
  });
});
