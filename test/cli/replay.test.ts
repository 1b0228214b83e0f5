import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { diffLines } from '../../src/cli/commands/replay.ts';
import { runCli } from './check-io.ts';

const TRACE = `#heartwire-trace 1
#start 2026-01-01T00:00:00.000Z
#meta device=tracker-9 transport=tcp role=server
0 c1 = open 10.0.0.7:51234
1 c1 < 00000034 00 "3f2504e0-4f89-41d3-9a0c-0305e82c3301" "490154203237518"
2 c1 < 00000001 01
2 c1 ? heartbeat {}
3 c1 = close
`;

let folder: string;
const cli = (...argv: string[]) => runCli(argv, folder);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
  await writeFile(join(folder, 'a.trace'), TRACE.replace('? heartbeat', '? register'));
});

describe('replay', () => {
  it('prints what happened as JSON lines', async () => {
    const { code, out } = await cli('replay', 'a.trace');
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).sent)
        .filter(Boolean),
    ).toEqual(['000000020000', '000000020100']);
  });

  it('fails where a ? of the trace is not met, and says where', async () => {
    await writeFile(join(folder, 'b.trace'), TRACE);
    const { code, err } = await cli('replay', 'b.trace');
    expect(code).toBe(1);
    expect(err).toMatch(/^b\.trace:7: c1: expected heartbeat \{\}, got register \{"kind":"request"/);
    // Of several, the one in which it stands.
    const both = await cli('replay', 'a.trace', 'b.trace');
    expect(both.err).toMatch(/^b\.trace:7: c1: expected heartbeat \{\}/);
  });

  it('writes what is to be expected, and compares with it', async () => {
    expect(await cli('replay', 'a.trace', '--expect', 'a.jsonl', '--update')).toMatchObject({ code: 0 });
    expect(await cli('replay', 'a.trace', '--expect', 'a.jsonl')).toMatchObject({ code: 0, err: '' });
    const golden = await readFile(join(folder, 'a.jsonl'), 'utf8');
    await writeFile(
      join(folder, 'a.jsonl'),
      golden.replace('"sent":"000000020100"', '"sent":"0000000201ff"'),
    );
    const { code, out } = await cli('replay', 'a.trace', '--expect', 'a.jsonl');
    expect(code).toBe(1);
    expect(out).toContain('sent: expected "0000000201ff", got "000000020100"');
    expect(out).toContain('1 place differs');
  });

  it.each([
    [['missing.trace'], 1, /could not be read.*no such file/],
    [['a.trace', '--expect', 'missing.jsonl'], 1, /Write them first with --update/],
    [['a.trace', '--update'], 2, /--update needs --expect/],
    [['a.trace', '--speed', 'fast'], 2, /--speed must be max or a number/],
    [['a.trace', '--serve', '--expect', 'x'], 2, /do not go together/],
    [['-'], 2, /A lone hyphen means nothing here; .*\/dev\/stdin/],
    [['a.trace', '--serve', '--port', 'abc'], 2, /--port is a whole number/],
    [['a.trace', '--expect', './a.trace', '--update'], 1, /a\.trace is the file that is read/],
    [[], 2, /Not enough/],
  ])('%j ends with %i', async (argv, code, err) => {
    const outcome = await cli('replay', ...argv);
    expect(outcome.code).toBe(code);
    expect(outcome.err).toMatch(err);
  });

  it.each([
    ['role=client', 'role=client transport=carrier-pigeon', /#meta transport: "carrier-pigeon"/],
    ['role=client', 'role=client', /#meta appid: In the client role the bridge register/],
    ['role=client', 'role=server interval=3', /#meta interval: "3" is no duration/],
  ])('says what a trace with %s lacks', async (_, meta, problem) => {
    const text = TRACE.replace('transport=tcp role=server', meta);
    await writeFile(join(folder, 'c.trace'), text);
    const { code, err } = await cli('replay', 'c.trace');
    expect(code).toBe(1);
    expect(err).toMatch(problem);
  });

  it('goes at the speed that was asked for, with the same output', async () => {
    const fast = await cli('replay', 'a.trace', '--speed', 'max');
    const began = performance.now();
    const paced = await cli('replay', 'a.trace', '--speed', '15');
    expect(performance.now() - began).toBeGreaterThanOrEqual(3_000 / 15 - 1);
    expect(paced.out).toBe(fast.out);
  });
});

describe('the diff', () => {
  const lines = (text: string) => text.split(' ');

  it.each([
    ['a b c', 'a b c', undefined],
    ['a b c', 'a c', /- b\n1 place differs/],
    ['a c', 'a b c', /\+ b\n1 place differs/],
    ['a b c d', 'a x c y', /- b\n\+ x\n[\s\S]*- d\n\+ y\n2 places differ/],
    ['a', 'a b', /\+ b/],
  ])('of %j and %j', (expected, got, shown) => {
    const diff = diffLines(lines(expected), lines(got));
    if (shown === undefined) expect(diff).toBeUndefined();
    else expect(diff).toMatch(shown);
  });

  it('stays short, however much differs', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => `${index}`);
    const diff = diffLines(
      many,
      many.map((line) => `x${line}`),
    );
    expect((diff ?? '').split('\n').length).toBeLessThan(100);
    // More than the arguments that one call may have.
    const most = Array.from({ length: 200_000 }, (_, index) => `${index}`);
    expect(diffLines(most, [])).toMatch(/1 place differs\n$/);
  });
});
