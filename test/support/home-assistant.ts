/*
 * The rules of Home Assistant for a device discovery payload, as its documentation of MQTT and of each entity gives
 * them (home-assistant.io/integrations/mqtt, "Discovery payload"; developers.home-assistant.io, "Sensor entity").
 */

const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  sensor: ['state_topic'],
  number: ['command_topic'],
  select: ['command_topic', 'options'],
  switch: ['command_topic'],
  button: ['command_topic'],
  text: ['command_topic'],
};
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  sensor: [
    'device_class',
    'state_class',
    'unit_of_measurement',
    'value_template',
    'suggested_display_precision',
    'entity_category',
  ],
  number: [
    'min',
    'max',
    'step',
    'mode',
    'unit_of_measurement',
    'state_topic',
    'value_template',
    'command_template',
    'optimistic',
  ],
  select: ['state_topic', 'value_template', 'command_template', 'optimistic'],
  switch: [
    'payload_on',
    'payload_off',
    'state_on',
    'state_off',
    'state_topic',
    'value_template',
    'command_template',
    'optimistic',
  ],
  button: ['payload_press', 'command_template'],
  text: ['state_topic', 'value_template', 'command_template', 'optimistic'],
};
const COMMON = ['p', 'unique_id', 'name', 'availability'];
const DEVICE = ['ids', 'name', 'suggested_area', 'sn', 'mf', 'mdl', 'sw', 'hw'];
/** What each class takes (`DEVICE_CLASS_UNITS` and `DEVICE_CLASS_STATE_CLASSES` of Home Assistant's `sensor/const.py`). */
export const UNITS: Readonly<Record<string, readonly string[]>> = {
  temperature: ['°C', '°F', 'K'],
  voltage: ['V', 'mV', 'µV', 'kV', 'MV'],
  current: ['A', 'mA'],
  power: ['mW', 'W', 'kW', 'MW', 'GW', 'TW'],
  apparent_power: ['mVA', 'VA', 'kVA'],
  reactive_power: ['mvar', 'var', 'kvar'],
  energy: ['J', 'kJ', 'MJ', 'GJ', 'mWh', 'Wh', 'kWh', 'MWh', 'GWh', 'TWh', 'cal', 'kcal', 'Mcal', 'Gcal'],
  frequency: ['Hz', 'kHz', 'MHz', 'GHz'],
  pressure: ['mPa', 'Pa', 'hPa', 'kPa', 'bar', 'cbar', 'mbar', 'mmHg', 'inHg', 'inH₂O', 'psi'],
  duration: ['d', 'h', 'min', 's', 'ms', 'µs'],
  speed: ['ft/s', 'in/s', 'm/s', 'm/min', 'km/h', 'kn', 'mph', 'Beaufort', 'mm/s'],
  distance: ['km', 'm', 'cm', 'mm', 'mi', 'nmi', 'yd', 'ft', 'in'],
  weight: ['kg', 'g', 'mg', 'µg', 'oz', 'lb', 'st'],
  illuminance: ['lx'],
  volume_flow_rate: [
    'm³/h',
    'm³/min',
    'm³/s',
    'ft³/min',
    'L/h',
    'L/min',
    'L/s',
    'gal/h',
    'gal/min',
    'gal/d',
    'mL/s',
  ],
  irradiance: ['W/m²', 'BTU/(h⋅ft²)'],
  conductivity: ['S/cm', 'mS/cm', 'µS/cm'],
  sound_pressure: ['dB', 'dBA'],
};
/** Classes that take anything but a measurement alone. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  energy: ['total', 'total_increasing'],
  distance: ['measurement', 'total', 'total_increasing'],
  duration: ['measurement', 'total', 'total_increasing'],
  weight: ['measurement', 'total', 'total_increasing'],
};

type Loose = Readonly<Record<string, unknown>>;

/** What Home Assistant would refuse, or take for something else; empty where the payload is right. */
export function discoveryProblems(topic: string, payload: Loose): readonly string[] {
  const problems: string[] = [];
  const need = (holds: boolean, problem: string): void => void (holds || problems.push(problem));
  need(/^[^/]+\/device\/[A-Za-z0-9_-]+\/config$/.test(topic), `topic ${topic}`);
  const { dev, o, cmps, ...rest } = payload as {
    dev?: Loose;
    o?: Loose;
    cmps?: Record<string, Loose>;
  } & Loose;
  need(Array.isArray(dev?.ids) && dev.ids.length > 0, 'the device has no identifiers');
  for (const key of Object.keys(dev ?? {})) need(DEVICE.includes(key), `key ${key} of the device`);
  need(typeof o?.name === 'string', 'the origin has no name');
  need(Object.keys(cmps ?? {}).length > 0, 'there are no components');
  for (const key of Object.keys(rest))
    need(
      ['availability', 'availability_mode', 'qos', 'state_topic', 'command_topic', 'encoding'].includes(key),
      `key ${key}`,
    );
  const ids = new Set<unknown>();
  for (const [key, component] of Object.entries(cmps ?? {})) {
    const platform = String(component.p);
    need(/^[A-Za-z0-9_-]+$/.test(key), `component ${key}`);
    need(REQUIRED[platform] !== undefined, `platform ${platform} of ${key}`);
    need(typeof component.unique_id === 'string' && !ids.has(component.unique_id), `unique_id of ${key}`);
    ids.add(component.unique_id);
    for (const required of REQUIRED[platform] ?? [])
      need(component[required] !== undefined, `${required} of ${key}`);
    const known = [...COMMON, ...(REQUIRED[platform] ?? []), ...(OPTIONAL[platform] ?? [])];
    for (const each of Object.keys(component)) need(known.includes(each), `${each} of ${key}, a ${platform}`);
    const { device_class: deviceClass, unit_of_measurement: unit, state_class: stateClass } = component;
    const units = UNITS[String(deviceClass)];
    need(
      deviceClass === undefined || units?.includes(String(unit)) === true,
      `unit ${String(unit)} of ${key}, class ${String(deviceClass)}`,
    );
    const kinds = KINDS[String(deviceClass)] ?? ['measurement'];
    need(
      deviceClass === undefined || kinds.includes(String(stateClass)),
      `${String(stateClass)} of ${key}, class ${String(deviceClass)}`,
    );
    if (platform === 'number') need(Number(component.min) < Number(component.max), `bounds of ${key}`);
    if (platform === 'number') need(Number(component.step) >= 0.001, `step of ${key}`);
    if (platform === 'select')
      need(Array.isArray(component.options) && component.options.length > 0, `options of ${key}`);
  }
  return problems;
}
