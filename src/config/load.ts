import { z } from 'zod';
import type { DeclaredProtocol } from '../protocol/index.ts';
import { accessShape, checkOpenness, completeAccess } from './access.ts';
import { backplaneShape, completeBackplane } from './backplane.ts';
import { checkBuses, withFramings } from './check-buses.ts';
import { checkTogether, type Placed } from './check-together.ts';
import { addIdleAddress, addressedMessages, completeBus, completeBusDevice } from './complete-bus.ts';
import { completeDevice } from './complete-device.ts';
import { completeListener } from './complete-listener.ts';
import { explainIssues } from './explain-issues.ts';
import { configOf, type Keys } from './keys.ts';
import { checkDialIn, type MessageFiles, messagesNamed } from './message-files.ts';
import type { BusConfig, DeviceConfig, ListenerConfig } from './model.ts';
import { checkBufferFolders, completeOutput, outputShape } from './outputs.ts';
import type { Finding, Path } from './problem.ts';
import { LARGEST_CONFIG, readDocument } from './read-document.ts';
import { addressAlone, addressedAlone, withPolls } from './register-maps.ts';
import type { LoadedConfig, Report } from './report.ts';
import { completeEncryption, type KeyFiles, secrecyShape } from './secrecy.ts';
import { completeServer, serverShape } from './server.ts';
import {
  busShape,
  type DeviceShape,
  defaultsShape,
  deviceShape,
  fileShape,
  LOG,
  listenerShape,
  METRICS,
} from './shape.ts';
import {
  blackBoxShape,
  checkRoomFor,
  completeBlackBox,
  completeFiles,
  completeHistory,
  completeKnownDevices,
  completeRecording,
  filesShape,
  historyShape,
  knownDevicesShape,
  recordingShape,
} from './storage.ts';
import type { TraceRoles } from './trace-roles.ts';

/**
 * Reads the text of a `devices.yaml`, checks all of it, and fills in the defaults; opens and reads nothing. `file` is
 * the name that problems carry; `messages` and `keys` are the files of declared messages and of keys that it names,
 * read already, `beside` is what was found wrong with other files that it names, and `roles` those of the traces that
 * are links.
 */
export function loadConfig(
  text: string,
  file: string,
  messages: MessageFiles = new Map(),
  keys: KeyFiles = new Map(),
  beside: readonly Finding[] = [],
  roles: TraceRoles = new Map(),
): LoadedConfig {
  const read = readDocument(text, file, {
    begin: 'Begin with `devices:` and an entry such as `- { id: psu-1, link: "tcp:10.0.0.7:9089", ... }`.',
    keys: Object.keys(fileShape.shape),
    largest: LARGEST_CONFIG,
  });
  if ('problem' in read) return { failed: [], problems: [read.problem] };
  const { report, root } = read;
  if (root === undefined) return report.finish();

  const parsed = fileShape.safeParse(root, { reportInput: true });
  if (!parsed.success) {
    for (const finding of explainIssues(fileShape, parsed.error.issues)) report.add(finding);
  }
  for (const finding of beside) report.add(finding);
  const loaded = assemble(root, report, file, messages, keys, roles);
  const theirs = [...messages.values()].flatMap(({ problems }) => problems);
  return theirs.length === 0 ? loaded : { ...loaded, problems: [...loaded.problems, ...theirs] };
}

/** Completes each part by itself, so that one that is wrong keeps no other from being checked and run. */
function assemble(
  root: Readonly<Record<string, unknown>>,
  report: Report,
  file: string,
  messageFiles: MessageFiles,
  keyFiles: KeyFiles,
  roles: TraceRoles,
): LoadedConfig {
  const add = (finding: Finding) => report.addConsequence(finding);
  // An entry without a usable id is checked all the same; it has an error and goes no further.
  const fits = <T>(shape: z.ZodType<T>, path: Path, value: unknown, instead: object = {}): T | undefined => {
    const right = report.without(path, value);
    return right === undefined ? undefined : shape.safeParse({ ...instead, ...right }).data;
  };

  /** A group all of whose keys have a default, or may be absent. */
  const filled = <K extends Keys>(shape: z.ZodObject<K>, key: string) =>
    fits(shape, [key], root[key] ?? {}) ?? shape.parse({});

  const server = completeServer(filled(serverShape, 'server'), add);
  const givenAccess = fits(accessShape, ['access'], root.access);
  const access = givenAccess && completeAccess(givenAccess, file, add);
  checkOpenness(server, access, add);
  const defaults = filled(defaultsShape, 'defaults');
  const recording = completeRecording(filled(recordingShape, 'recording'));
  const blackBox = completeBlackBox(filled(blackBoxShape, 'black_box'));
  const messagesOf = (name: unknown, path: Path) =>
    messagesNamed(typeof name === 'string' && name !== '' ? name : undefined, messageFiles, path, add);
  const messages = messagesOf(root.messages, []);
  const files = fits(filesShape, ['files'], root.files);
  const known = completeKnownDevices(filled(knownDevicesShape, 'known_devices'), file);
  const history = completeHistory(
    root.history === false ? false : fits(historyShape, ['history'], root.history),
    file,
  );
  const secrecy = fits(secrecyShape, ['secrecy'], root.secrecy);
  const outputs = listOf(root.outputs).flatMap((entry, index) => {
    const path = ['outputs', index];
    const given = fits(outputShape, path, entry);
    return given === undefined ? [] : completeOutput(given, file, path, add);
  });
  checkBufferFolders(outputs, add);
  const backplane = fits(backplaneShape, ['backplane'], root.backplane);
  const metrics = filled(z.strictObject(METRICS), 'metrics');
  const log = filled(z.strictObject(LOG), 'log');
  const listeners: Placed<ListenerConfig>[] = [];
  for (const [index, entry] of listOf(root.listeners).entries()) {
    const path = ['listeners', index];
    const given = fits(listenerShape, path, entry);
    const own = given?.messages === undefined ? messages : messagesOf(given.messages, path);
    const asked = given && withPolls(given, own);
    const value = asked && completeListener(asked, defaults, path, add, addressedAlone(own));
    if (value !== undefined && !report.hasErrorIn(path)) listeners.push({ path, value });
  }
  const buses: Placed<BusConfig>[] = [];
  for (const [index, entry] of listOf(root.buses).entries()) {
    const path = ['buses', index];
    const given = fits(busShape, path, entry, { id: 'nameless' });
    const value = given && completeBus(given, defaults, path, add);
    if (value !== undefined && !report.hasErrorIn(path)) buses.push({ path, value });
  }
  const busIds = listOf(root.buses).flatMap((entry) => idIn(entry, []).map(({ value }) => value));
  const devices: Placed<DeviceConfig>[] = [];
  const wrongIds: Placed<string>[] = [];
  for (const [index, entry] of listOf(root.devices).entries()) {
    const path = ['devices', index];
    const given = fits(deviceShape, path, entry, { id: 'nameless' });
    const own = given?.messages === undefined ? messages : messagesOf(given.messages, path);
    const value =
      given?.bus === undefined
        ? given && alone(given, path, own)
        : onBus({ ...given, bus: given.bus }, path, own);
    const right = value !== undefined && !report.hasErrorIn(path);
    if (right) devices.push({ path, value });
    else wrongIds.push(...idIn(entry, path));
  }
  function alone(entry: DeviceShape, path: Path, own?: DeclaredProtocol) {
    const given = { ...withPolls(entry, own), ...addressAlone(entry, own) };
    if (own?.declaration.address === undefined) {
      if (given.address !== undefined) addIdleAddress(path, add);
      return completeDevice(given, defaults, path, add, own, roles);
    }
    const addressed = addressedMessages(given, path, add, own);
    return addressed && completeDevice(given, defaults, path, add, addressed.messages, roles);
  }
  function onBus(given: DeviceShape & { readonly bus: string }, path: Path, own?: DeclaredProtocol) {
    if (!busIds.includes(given.bus)) {
      add({
        code: 'config_bad_value',
        path: [...path, 'bus'],
        message: `There is no bus \`${given.bus}\`.`,
        fix:
          busIds.length === 0
            ? `Add \`buses:\` with \`- { id: ${given.bus}, link: /dev/ttyUSB0, baud: 9600-8N1 }\`.`
            : `Write one of ${busIds.join(', ')}.`,
      });
      return undefined;
    }
    const bus = buses.find(({ value }) => value.id === given.bus)?.value;
    return completeBusDevice({ ...withPolls(given, own), bus: given.bus }, bus, defaults, path, add, own);
  }
  const unable = [...listeners, ...devices.filter(({ value }) => value.kind === 'matched')].some(
    ({ value }) => value.messages === undefined,
  );
  if (messages !== undefined && unable) checkDialIn(messages, add);
  checkRoomFor(devices.filter(({ value }) => value.record === true).length, recording, add);
  checkTogether(
    { server, devices, wrongIds, listeners, listens: listOf(root.listeners).length > 0, buses },
    add,
  );
  checkBuses(buses, listOf(root.devices), devices, listeners, add);
  const idle = listOf(root.devices).length + listOf(root.listeners).length + listOf(root.buses).length === 0;
  if (idle && root.backplane === undefined) {
    add({
      severity: 'warning',
      code: 'config_missing_key',
      path: ['devices'],
      message: 'There is nothing to do: neither a device nor a listener is configured.',
      fix: 'Add an entry to `devices:` or `listeners:`.',
    });
  }
  const ids = new Set([...devices.map(({ value }) => value.id), ...wrongIds.map(({ value }) => value)]);
  const good = <T>(entries: readonly Placed<T>[]) =>
    entries.filter(({ path }) => !report.hasErrorIn(path)).map(({ value }) => value);
  return report.finish({
    file,
    server,
    ...(access === undefined ? {} : { access }),
    recording,
    ...(blackBox === undefined ? {} : { blackBox }),
    ...(files === undefined ? {} : { files: completeFiles(files, add) }),
    ...(known === undefined ? {} : { knownDevices: known }),
    ...(history === undefined ? {} : { history }),
    ...(secrecy === undefined ? {} : { secrecy: completeEncryption(secrecy, keyFiles, ids, add) }),
    ...(outputs.length === 0 ? {} : { outputs }),
    ...(backplane === undefined ? {} : { backplane: completeBackplane(backplane, file) }),
    metrics: configOf(METRICS, metrics),
    log: configOf(LOG, log),
    requiredDevices: requiredIds(listOf(root.devices)),
    devices: good(devices),
    listeners: good(listeners),
    ...(buses.length === 0 ? {} : { buses: good(buses).map((bus) => withFramings(bus, good(devices))) }),
  });
}

const idIn = (entry: unknown, path: Path): Placed<string>[] =>
  typeof entry === 'object' && entry !== null && 'id' in entry && typeof entry.id === 'string'
    ? [{ path, value: entry.id }]
    : [];

/** Ids of the devices that are required, those with an error included: they are as good as down. */
function requiredIds(devices: readonly unknown[]): string[] {
  return devices.flatMap((entry) => {
    if (typeof entry !== 'object' || entry === null || !('required' in entry) || !('id' in entry)) return [];
    return entry.required === true && typeof entry.id === 'string' ? [entry.id] : [];
  });
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
