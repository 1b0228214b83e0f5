import { describe, expect, it } from 'vitest';
import { keepLastKnownGood } from '../../src/config/last-known-good.ts';
import { loadConfig } from '../../src/config/load.ts';

const entry = (id: string, imei: string, more = '') =>
  `  - { id: ${id}, match: { imei: "${imei}" }${more} }\n`;
const A = entry('a', '356938035643809');
const B = entry('b', '490154203237518');
const C = entry('c', '869858030720693');
const bad = (id: string) =>
  `  - { id: ${id}, match: { imei: "356938035643809" }, heartbeat: { interval: 3 } }\n`;
const LISTEN = 'listeners: [{ link: "tcp-listen:127.0.0.1:9089" }]\n';

/** Two versions of one file, the first of them running. */
function reload(before: string, after: string) {
  const { config: running } = loadConfig(before, 'devices.yaml');
  const loaded = loadConfig(after, 'devices.yaml');
  if (running === undefined || loaded.config === undefined) throw new Error(JSON.stringify(loaded.problems));
  const { config, kept, failed } = keepLastKnownGood(running, { ...loaded, config: loaded.config });
  return {
    devices: config.devices.map(({ id }) => id),
    listeners: config.listeners.map(({ link }) => link.port),
    kept,
    failed: failed.map(({ id }) => id),
    running,
    config,
  };
}

describe('the last good version', () => {
  it('gives way where all is well', () => {
    expect(reload(`devices:\n${A}${B}${LISTEN}`, `devices:\n${C}${B}${LISTEN}`)).toMatchObject({
      devices: ['c', 'b'],
      listeners: [9089],
      kept: [],
      failed: [],
    });
  });

  it('of a device stays where its new one is wrong, in its place among the others', () => {
    const { running, config, ...names } = reload(
      `devices:\n${A}${B}${C}${LISTEN}`,
      `devices:\n${C}${bad('b')}${A}${LISTEN}`,
    );
    expect(names).toMatchObject({ devices: ['c', 'a', 'b'], kept: ['b'], failed: [] });
    expect(config.devices[2]).toBe(running.devices[1]);
    expect(reload(`devices:\n${B}${A}${LISTEN}`, `devices:\n${bad('b')}${C}${LISTEN}`)).toMatchObject({
      devices: ['b', 'c'],
      kept: ['b'],
    });
  });

  it('does not exist of a new device, which is shown as failed', () => {
    expect(reload(`devices:\n${A}${LISTEN}`, `devices:\n${A}${bad('n')}${LISTEN}`)).toMatchObject({
      devices: ['a'],
      kept: [],
      failed: ['n'],
    });
  });

  it('of every device stays while an entry has an error and no id to tell whose it is', () => {
    const nameless = `  - { id: "not an id", match: { imei: "356938035643809" } }\n`;
    expect(reload(`devices:\n${A}${B}${LISTEN}`, `devices:\n${nameless}${B}${LISTEN}`)).toMatchObject({
      devices: ['a', 'b'],
      kept: ['a'],
      failed: [],
    });
  });

  it('of the listeners stays while one of them is wrong', () => {
    const before = `devices:\n${A}listeners: [{ link: "tcp-listen:127.0.0.1:9001" }, { link: "tcp-listen:127.0.0.1:9002" }]\n`;
    const after = `devices:\n${A}listeners: [{ link: "tcp-listen:127.0.0.1:9001" }, { link: "tcp-listen:127.0.0.1:x" }]\n`;
    expect(reload(before, after)).toMatchObject({ listeners: [9001, 9002], devices: ['a'] });
  });
});
