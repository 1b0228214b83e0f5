import { describe, expect, it } from 'vitest';
import { publishedValues } from '../../src/cli/simulated-speech.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import type { DeclaredSettings } from '../../src/simulator/speech.ts';
import { readProjectFile } from '../support/project-files.ts';
import { gt06, jt808 } from '../support/trackers.ts';
import { DeviceRig, IDENTITY, settle } from './device-rig.ts';

function load(text: string): DeclaredProtocol {
  const { protocol, problems } = loadMessages(text, 'f.yaml');
  if (protocol === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return protocol;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const GT06 = load(readProjectFile('examples/gt06/messages.yaml'));
const JT808 = load(readProjectFile('packs/jt808-2013/messages.yaml'));
const TELTONIKA = load(readProjectFile('packs/teltonika/messages.yaml'));

/** What was published of a terminal: its header says no parts. */
const { frames } = JSON.parse(readProjectFile('packs/jt808-2013/frames.json'));
const SAID = new Map([[JT808, publishedValues(frames)]]);

const rigOf = (
  protocol: DeclaredProtocol,
  faults = '',
  settings: Partial<DeclaredSettings> = {},
): DeviceRig =>
  new DeviceRig('dials', faults, {
    reconnect: { initialMs: 100, maxMs: 100 },
    declared: { protocol, addresses: [1], seed: 1, said: SAID.get(protocol), ...settings },
  });

const LOGIN = hex(gt06(`010${IDENTITY.imei}0000`));
const ACCEPTED = hex(gt06('010000'));

describe('a simulated device whose messages declare a session', () => {
  it('logs in first, and says all else when it was accepted', async () => {
    const rig = await rigOf(GT06, '', { everyMs: 1_000 }).up();
    expect(rig.sent()).toBe(LOGIN);
    rig.clock.advance(5_000);
    expect(rig.sent()).toBe('');
    rig.receive(ACCEPTED);
    expect(rig.kinds()).toEqual(['connected', 'registered']);
    expect(rig.sent()).toMatch(/^7878..13.*7878..12/);
  });

  it('is not accepted by an answer to another message, or to another number', async () => {
    const rig = await rigOf(GT06).up();
    rig.receive(hex(gt06('130000')));
    rig.receive(hex(gt06('010001')));
    expect(rig.kinds()).toEqual(['connected']);
  });

  it('leaves a platform that does not answer its login, and comes back', async () => {
    const rig = await rigOf(GT06).up();
    rig.clock.advance(30_000);
    expect(rig.link.isOpen).toBe(true);
    rig.clock.advance(1);
    expect(rig.link.calls).toEqual(['open', 'destroy']);
    await settle();
    rig.clock.advance(100);
    expect(rig.links).toHaveLength(2);
  });

  it('beats at its pace, counts its messages, and leaves a platform that falls silent', async () => {
    const rig = await rigOf(GT06).up();
    rig.receive(ACCEPTED);
    rig.sent();
    rig.clock.advance(180_000);
    expect(rig.sent()).toMatch(/^78780a13.{10}0002.{4}0d0a$/);
    rig.receive(hex(gt06('130002')));
    rig.clock.advance(719_999);
    expect(rig.link.isOpen).toBe(true);
    rig.clock.advance(3);
    expect(rig.link.isOpen).toBe(false);
  });

  it('reads what lies in its socket before it judges a silence, however late its timer is', async () => {
    const rig = await rigOf(GT06).up();
    rig.clock.advance(30_000);
    rig.receive(ACCEPTED);
    rig.clock.advance(1);
    expect(rig.kinds()).toEqual(['connected', 'registered']);
    expect(rig.link.isOpen).toBe(true);
  });

  it('says the name that it is given', async () => {
    const rig = await rigOf(GT06, '', { name: '0123456789012345' }).up();
    expect(rig.sent()).toBe(hex(gt06('0101234567890123450000')));
  });

  it('says hello in front of its frames, and takes no half of an answer for one', async () => {
    const rig = await rigOf(TELTONIKA).up();
    expect(rig.sent()).toBe(`000f${hex(Buffer.from(IDENTITY.imei))}`);
    rig.receive('01');
    expect(rig.kinds()).toEqual(['connected', 'registered']);
  });

  it('reads the count of records that is no frame, in pieces too', async () => {
    const said = new Map([['records', [{ records: [], count: 1 }]]]);
    const rig = await rigOf(TELTONIKA, '', { everyMs: 1_000, said }).up();
    rig.receive('01');
    const { received } = rig.device.counts;
    rig.receive('0000');
    expect(rig.device.counts.received).toBe(received);
    rig.receive('0001');
    expect(rig.device.counts.received).toBe(received + 1);
    // What follows is a frame again: a command, which it answers.
    rig.sent();
    rig.receive('000000000000000f0c010500000007676574696e666f0100004312');
    expect(rig.sent()).toMatch(/^00000000.{8}0c0106/);
  });

  it.each([
    ['by bytes', TELTONIKA, () => '00', -1],
    ['by a code', JT808, () => NO_TERMINAL, 4],
  ])('reports a refusal %s, hangs up, and comes back', async (_, protocol, answer, error) => {
    const rig = await rigOf(protocol).up();
    rig.receive(answer());
    expect(rig.events).toContainEqual({ kind: 'refused', device: 'sim-1', error });
    expect(rig.link.calls).toEqual(['open', 'end']);
    await settle();
    rig.clock.advance(100);
    expect(rig.links).toHaveLength(2);
  });

  it('authenticates with the code that it was given, and the next time registers no more', async () => {
    const rig = await rigOf(JT808).up();
    const phone = IDENTITY.imei.slice(-12);
    expect(rig.sent()).toMatch(new RegExp(`^7e0100....${phone}0000`));
    rig.receive(`7e${hex(jt808(`8100000f${phone}00000000${'00'}${hex(Buffer.from('secret'))}`))}`);
    expect(rig.sent()).toMatch(new RegExp(`^7e0102....${phone}0001${hex(Buffer.from('secret'))}..7e$`));
    rig.receive(`7e${hex(jt808(`80010005${phone}00010001010200`))}`);
    expect(rig.kinds()).toEqual(['connected', 'registered']);
    rig.link.close();
    await settle();
    rig.clock.advance(100);
    rig.link.connect();
    expect(rig.sent()).toMatch(new RegExp(`^7e0102....${phone}`));
  });

  it('acknowledges by rule what the platform sends', async () => {
    const rig = await insideOf('');
    rig.receive(text('0007'));
    expect(rig.sent()).toMatch(/^7e0001.{20}0007830000.{2}7e$/);
  });

  it('refuses by rule what the platform sends, where it is asked to', async () => {
    const rig = await insideOf('refuse');
    rig.receive(text('0007'));
    expect(rig.sent()).toMatch(/^7e0001.{20}0007830001.{2}7e$/);
  });

  it('hangs up after its first answered heartbeat, and returns later', async () => {
    const rig = await rigOf(GT06, 'short=5m').up();
    rig.receive(ACCEPTED);
    rig.receive(hex(gt06('130001')));
    expect(rig.link.calls).toEqual(['open', 'end']);
    await settle();
    rig.clock.advance(299_999);
    expect(rig.links).toHaveLength(1);
    rig.clock.advance(1);
    expect(rig.links).toHaveLength(2);
  });

  it('falls silent half-way, with its link open, and says nothing more', async () => {
    const rig = await rigOf(GT06, 'half-open=1m').up();
    rig.receive(ACCEPTED);
    rig.clock.advance(60_000);
    rig.sent();
    rig.clock.advance(3_600_000);
    expect(rig.sent()).toBe('');
    expect(rig.link.isOpen).toBe(true);
    expect(rig.kinds()).toEqual(['connected', 'registered', 'half_open']);
  });
});

const PHONE = IDENTITY.imei.slice(-12);

/** A text of the platform with this serial number. */
const text = (serial: string): string => `7e${hex(jt808(`83000003${PHONE}${serial}014869`))}`;

/** A JT/T 808 terminal that is logged in, with nothing said since. */
async function insideOf(faults: string): Promise<DeviceRig> {
  const rig = await rigOf(JT808, faults).up();
  rig.receive(`7e${hex(jt808(`8100000f${PHONE}0000000000${'31'}`))}`);
  rig.receive(`7e${hex(jt808(`80010005${PHONE}00010001010200`))}`);
  rig.sent();
  return rig;
}

/** The answer of a platform that knows no such terminal. */
const NO_TERMINAL = `7e${hex(jt808(`81000003${PHONE}0000000004`))}`;
