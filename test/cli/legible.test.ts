import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createLog } from '../../src/system/log.ts';
import { printable, printableLines } from '../../src/system/printable.ts';
import { runCli } from './check-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'heartwire-legible-'));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

/** Clears the screen, sets the title, ends a line, turns the direction of text. */
const ORDERS = '\u001b[2J\u001b]0;x\u0007\r\u009b1m\u202e';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ORDER = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

write(
  'messages.yaml',
  `version: 1
messages:
  - { name: say, id: 1, fields: [{ name: text, type: text, length: 16 }] }
`,
);
write(
  'devices.yaml',
  `devices:\n  - { id: "a${'\\u001b'}[2J${'\\u009b'}1m", link: "tcp:nowhere${'\\u001b'}[2J" }\n`,
);
write('broken.yaml', `server: "${'\\u001b'}[2J${'\u009b'}1m"\n`);
write(
  'trace',
  `#heartwire-trace 1\n#start 2026-01-01T00:00:00.000Z\n#meta device=${ORDERS}\n0.1 < zz${ORDERS}\n`,
);
const said = Buffer.alloc(17, 0x20);
said[0] = 1;
said.write('\u001b[2J\u009b1m\u202e', 1, 'utf8');
const payload = said.toString('hex');

it.each([
  [['decode', payload, '--payload', '--messages', 'messages.yaml'], '\\u001b[2J'],
  [['decode', payload, '--payload', '--messages', 'messages.yaml', '--json'], '\\u001b[2J'],
  [['check', 'devices.yaml'], ''],
  [['doctor', 'devices.yaml'], ''],
  [['run', 'broken.yaml'], ''],
  [['replay', 'trace'], ''],
  [['import', `no${ORDERS}`], '\\u001b[2J'],
  [['decode', `no${ORDERS}`], '\\u001b[2J'],
  [['tail', `${ORDERS}/x`, '--url', 'nowhere'], ''],
  [[`${ORDERS}`], '\\u001b[2J'],
])('heartwire %j gives no order to a terminal', async (argv, shown) => {
  const { out, err } = await runCli(argv, folder);
  expect(out + err).not.toBe('');
  expect(out + err).not.toMatch(ORDER);
  expect(out + err).toContain(shown);
});

it('what decode prints as JSON means what the device said', async () => {
  const { out } = await runCli(
    ['decode', payload, '--payload', '--messages', 'messages.yaml', '--json'],
    folder,
  );
  expect(JSON.parse(out)).toMatchObject({
    fields: { text: expect.stringContaining('\u001b[2J\u009b1m\u202e') },
  });
});

it('the log for people gives none either, but its own colours', () => {
  let text = '';
  const log = createLog({ pretty: true, write: (line) => (text += line) });
  log.warn({ device: `d${ORDERS}`, code: 'bad_frame' }, `said ${ORDERS}`);
  expect(text).toContain(`said ${printable(ORDERS)}`);
  expect(text).not.toContain(ORDERS);
});

it('ends of lines and tabs stay', () => {
  expect(printableLines(`a\tb\nc${ORDERS}`)).toBe(`a\tb\nc${printable(ORDERS)}`);
});
