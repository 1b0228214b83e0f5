import type { DeclarationDocument, StateDocument } from '../../contract/feed/index.ts';
import type { JsonObject } from '../../contract/wire/index.ts';
import type { MqttTopics } from './mqtt-topics.ts';

type Command = NonNullable<DeclarationDocument['commands']>[string];
type Field = DeclarationDocument['fields'][string];

/** Device classes of Home Assistant, by the units that they take (developers.home-assistant.io, "Sensor entity"). */
const CLASSES: Readonly<Record<string, readonly string[]>> = {
  temperature: ['°C', '°F', 'K'],
  voltage: ['V', 'mV', 'µV', 'kV', 'MV'],
  current: ['A', 'mA'],
  power: ['mW', 'W', 'kW', 'MW', 'GW', 'TW'],
  apparent_power: ['VA', 'mVA', 'kVA'],
  reactive_power: ['var', 'kvar'],
  energy: ['Wh', 'kWh', 'MWh', 'GWh', 'J', 'kJ', 'MJ', 'GJ'],
  frequency: ['Hz', 'kHz', 'MHz', 'GHz'],
  pressure: ['Pa', 'hPa', 'kPa', 'bar', 'mbar', 'mmHg', 'inHg', 'psi'],
  duration: ['d', 'h', 'min', 's', 'ms'],
  speed: ['m/s', 'km/h', 'mph', 'kn', 'ft/s', 'mm/s'],
  distance: ['km', 'm', 'cm', 'mm', 'mi', 'ft', 'in'],
  weight: ['kg', 'g', 'mg', 'µg', 'oz', 'lb'],
  illuminance: ['lx'],
  volume_flow_rate: ['m³/h', 'L/min', 'L/h', 'L/s'],
  irradiance: ['W/m²'],
  conductivity: ['S/cm', 'mS/cm', 'µS/cm'],
  sound_pressure: ['dB', 'dBA'],
};

/** Two characters that look alike: Home Assistant takes the micro sign. */
const unitOf = (unit: string): string => unit.replace('μ', 'µ').replace(/^l\b/, 'L');

/** Only what counts up for ever is a total. */
const TOTALS = new Set(['energy']);

/** Where no bounds are declared; without any, Home Assistant takes 1 to 100. */
const OPEN_BOUND = 1_000_000_000;

export interface DiscoveryOptions {
  readonly state: StateDocument;
  readonly declaration: DeclarationDocument | undefined;
  readonly topics: MqttTopics;
  /** Whether commands are taken. */
  readonly commands: boolean;
  readonly version: string;
}

/** The announcement of one device with all that it has: Home Assistant's "device discovery payload". */
export function discoveryPayload({
  state,
  declaration,
  topics,
  commands,
  version,
}: DiscoveryOptions): JsonObject {
  const { device, label, group } = state;
  const node = nodeOf(device);
  const components: Record<string, JsonObject> = {
    status: {
      p: 'sensor',
      unique_id: `${node}_status`,
      name: 'Status',
      state_topic: topics.state(device),
      value_template: '{{ value_json.status }}',
      entity_category: 'diagnostic',
      // What it says of a device that is away is true all the same.
      availability: [{ topic: topics.bridge }],
    },
  };
  for (const [path, field] of Object.entries(declaration?.fields ?? {}))
    components[keyOf(path)] = sensor(node, path, field, topics.state(device));
  for (const [name, command] of commands ? Object.entries(declaration?.commands ?? {}) : []) {
    const made = control(node, device, name, command, topics);
    if (made !== undefined) components[keyOf(`command_${name}`)] = made;
  }
  return {
    dev: {
      ids: [node],
      name: label ?? device,
      ...(group === undefined ? {} : { suggested_area: group }),
      ...(state.identity?.imei === undefined ? {} : { sn: state.identity.imei }),
    },
    o: { name: 'Heartwire', sw: version },
    availability: [{ topic: topics.bridge }, { topic: topics.availability(device) }],
    availability_mode: 'all',
    qos: 1,
    cmps: components,
  };
}

/** The level of the topic and the id of the device: letters, digits, `_` and `-` alone. */
export const nodeOf = (device: string): string =>
  `heartwire_${device.replace(/[^A-Za-z0-9_-]/g, escapeCode)}`;

/** Two ids that differ stay different: `a.b` and `a_b`. */
const escapeCode = (character: string): string => `-${character.codePointAt(0)?.toString(16)}-`;
const keyOf = (path: string): string => path.replace(/[^A-Za-z0-9_]/g, '_');

function sensor(node: string, path: string, { unit, label, decimals }: Field, topic: string): JsonObject {
  const known = unit === undefined ? undefined : unitOf(unit);
  const deviceClass = Object.keys(CLASSES).find(
    (name) => known !== undefined && CLASSES[name]?.includes(known),
  );
  const isNumber = unit !== undefined || decimals !== undefined;
  return {
    p: 'sensor',
    unique_id: `${node}_${keyOf(path)}`,
    name: label ?? path,
    state_topic: topic,
    value_template: template(path),
    ...(known === undefined ? {} : { unit_of_measurement: known }),
    ...(deviceClass === undefined ? {} : { device_class: deviceClass }),
    ...(isNumber
      ? {
          state_class:
            deviceClass !== undefined && TOTALS.has(deviceClass) ? 'total_increasing' : 'measurement',
        }
      : {}),
    ...(decimals === undefined ? {} : { suggested_display_precision: decimals }),
  };
}

/** A value that is absent is unknown, and no error in the log of Home Assistant. */
function template(path: string): string {
  const steps = path.split('.').map((name) => `.get(${JSON.stringify(name)}`);
  const inner = steps
    .map((step, index) => (index === steps.length - 1 ? `${step})` : `${step}, {})`))
    .join('');
  return `{{ value_json.get("values", {})${inner} }}`;
}

/** A command as a control; undefined where it takes more than one value, for which Home Assistant has none. */
function control(
  node: string,
  device: string,
  name: string,
  command: Command,
  topics: MqttTopics,
): JsonObject | undefined {
  const required = command.fields.filter(({ optional }) => optional !== true);
  const [field] = required;
  const base = {
    unique_id: `${node}_command_${keyOf(name)}`,
    name: command.label ?? name,
    command_topic: topics.command(device, name),
  };
  if (field === undefined) return { p: 'button', ...base, payload_press: '{}' };
  if (required.length > 1) return undefined;
  const shown =
    field.shown_by === undefined
      ? { optimistic: true }
      : { state_topic: topics.state(device), value_template: template(field.shown_by) };
  const sent = (value: string) => ({ command_template: `{${JSON.stringify(field.name)}: ${value}}` });
  switch (field.type) {
    case 'number':
      return {
        p: 'number',
        ...base,
        ...shown,
        ...sent('{{ value }}'),
        min: field.least ?? -OPEN_BOUND,
        max: field.greatest ?? OPEN_BOUND,
        mode: 'box',
        step: field.decimals === undefined ? 0.001 : Math.max(0.001, 10 ** -field.decimals),
        ...(field.unit === undefined ? {} : { unit_of_measurement: unitOf(field.unit) }),
      };
    case 'choice':
      return {
        p: 'select',
        ...base,
        ...shown,
        ...sent('{{ value | tojson }}'),
        options: [...(field.choices ?? [])],
      };
    case 'flag':
      return {
        p: 'switch',
        ...base,
        ...shown,
        ...sent('{{ value }}'),
        payload_on: 'true',
        payload_off: 'false',
        ...(field.shown_by === undefined ? {} : { state_on: 'True', state_off: 'False' }),
      };
    case 'text':
      return { p: 'text', ...base, ...shown, ...sent('{{ value | tojson }}') };
    case 'bytes':
    case 'time':
    case 'json':
      return undefined;
  }
}
