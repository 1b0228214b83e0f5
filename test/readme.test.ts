import vm from 'node:vm';
import { describe, expect, it } from 'vitest';
import { main } from '../src/cli/main.ts';
import { loadConfig } from '../src/config/load.ts';
import { formatProblem } from '../src/config/problem.ts';
import { readProjectFile } from './support/project-files.ts';

const readme = readProjectFile('README.md');

function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1];
  if (found === undefined) throw new Error(`README.md has no ${language} block`);
  return found;
}

/** What the snippet needs of a browser's socket, driven by the test. */
class ScriptedSocket {
  readonly url: string;
  readonly sent: unknown[] = [];
  onopen = () => {};
  onclose = (_: { readonly code: number }) => {};
  onmessage = (_: { readonly data: string }) => {};

  constructor(url: string) {
    this.url = url;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  receive(type: string, payload: object): void {
    this.onmessage({ data: JSON.stringify({ type, id: 'x', timestamp: 0, payload }) });
  }
}

interface Reconnect {
  readonly callback: () => void;
  readonly delayMs: number;
}

/** Runs the snippet of the README as it is written. */
function runSnippet() {
  const sockets: ScriptedSocket[] = [];
  const reconnects: Reconnect[] = [];
  const context = vm.createContext({
    WebSocket: class extends ScriptedSocket {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }
    },
    setTimeout: (callback: () => void, delayMs: number) => reconnects.push({ callback, delayMs }),
    console: { log: () => {} },
  });
  vm.runInContext(block('js'), context);
  const states = (): Record<string, unknown> =>
    JSON.parse(
      vm.runInContext(
        'JSON.stringify(Object.fromEntries([...devices].map(([t, d]) => [t, d.state])))',
        context,
      ),
    );
  const latest = (): ScriptedSocket => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error('the snippet opened no socket');
    return socket;
  };
  return { states, latest, reconnects };
}

const P1 = 'devices/p1/state';
const P2 = 'devices/p2/state';

describe('the browser snippet', () => {
  function synced() {
    const page = runSnippet();
    const socket = page.latest();
    socket.onopen();
    socket.receive('snapshot', {
      reply_to: '1',
      items: [
        { topic: P1, epoch: 'e', rev: 7, seq: 3, state: { status: 'online', link: { attempt: 0 } } },
        { topic: P2, epoch: 'e', rev: 8, seq: 1, state: { status: 'stale' } },
      ],
      removed: [],
    });
    socket.receive('synced', { reply_to: '1', mode: 'full', position: { e: 8 } });
    return { ...page, socket };
  }

  it('subscribes, and takes over the snapshot', () => {
    const { socket, states } = synced();
    expect(socket.url).toBe('ws://127.0.0.1:8080/ws');
    expect(socket.sent).toEqual([{ type: 'subscribe', id: '1', topics: ['devices/+/state'] }]);
    expect(states()).toEqual({ [P1]: { status: 'online', link: { attempt: 0 } }, [P2]: { status: 'stale' } });
  });

  it('applies a patch to the version that it was made for, and ignores old news', () => {
    const { socket, states } = synced();
    const patch = { status: null, link: { attempt: 2, reason: 'silent' }, values: { a: [1, 2] } };
    socket.receive('update', { topic: P1, epoch: 'e', rev: 9, seq: 4, prev: 3, patch });
    socket.receive('update', { topic: P1, epoch: 'e', rev: 9, seq: 4, prev: 3, patch: { status: 'old' } });
    socket.receive('update', {
      topic: P1,
      epoch: 'e',
      rev: 6,
      seq: 2,
      full: true,
      state: { status: 'older' },
    });
    expect(states()[P1]).toEqual({ link: { attempt: 2, reason: 'silent' }, values: { a: [1, 2] } });
    expect(socket.sent).toHaveLength(1);
  });

  it('asks for the whole where something was missed, and takes it', () => {
    const { socket, states } = synced();
    socket.receive('update', { topic: P1, epoch: 'e', rev: 11, seq: 6, prev: 5, patch: { status: 'away' } });
    expect(socket.sent.at(-1)).toEqual({ type: 'resync', topics: [P1] });
    socket.receive('update', {
      topic: P1,
      epoch: 'e',
      rev: 12,
      seq: 7,
      full: true,
      state: { status: 'online' },
    });
    expect(states()[P1]).toEqual({ status: 'online' });
  });

  it('forgets what is removed', () => {
    const { socket, states } = synced();
    socket.receive('update', { topic: P2, epoch: 'e', rev: 9, seq: 2, removed: true });
    expect(Object.keys(states())).toEqual([P1]);
  });

  it('asks for nothing where something is gone that it does not know, or knew of another life', () => {
    const { socket, states } = synced();
    socket.receive('update', { topic: 'devices/p3/state', epoch: 'e', rev: 9, seq: 2, removed: true });
    socket.receive('update', { topic: P2, epoch: 'f', rev: 2, seq: 2, removed: true });
    expect(socket.sent).toHaveLength(1);
    expect(Object.keys(states())).toEqual([P1]);
  });

  it('connects again, and drops what a restarted bridge does not know', () => {
    const { socket, states, latest, reconnects } = synced();
    socket.onclose({ code: 4509 });
    expect(reconnects).toHaveLength(0);
    socket.onclose({ code: 1006 });
    expect(reconnects).toHaveLength(1);
    expect(reconnects[0]?.delayMs).toBeGreaterThanOrEqual(500);
    reconnects[0]?.callback();
    const next = latest();
    expect(next).not.toBe(socket);
    next.onopen();
    const item = { topic: P1, epoch: 'f', rev: 1, seq: 1, state: { status: 'unknown' } };
    next.receive('snapshot', { items: [item], removed: [] });
    next.receive('synced', { mode: 'full', position: { f: 1 } });
    expect(states()).toEqual({ [P1]: { status: 'unknown' } });
  });
});

describe('the six lines of YAML', () => {
  it('are six, without a problem, and one device and one listener', () => {
    const text = block('yaml');
    expect(text.trim().split('\n')).toHaveLength(6);
    const { config, problems } = loadConfig(text, 'my-devices.yaml');
    expect(problems.map(formatProblem)).toEqual([]);
    expect(config?.devices.map(({ id, kind }) => [id, kind])).toEqual([['psu-1', 'dialled']]);
    expect(config?.listeners).toHaveLength(1);
  });
});

describe('the table of commands', () => {
  it('names those of the command line, and no others', async () => {
    const named = [...readme.matchAll(/^\| `heartwire ([a-z]+)/gm)].map(([, name]) => name);
    let help = '';
    const code = await main(['--help'], {
      out: (text) => {
        help += text;
      },
      err: () => {},
      program: 'heartwire',
      terminal: false,
      env: {},
      cwd: '.',
      onSignal: () => () => {},
      onUncaught: () => () => {},
      outClosed: new AbortController().signal,
    });
    expect(code).toBe(0);
    const offered = [...help.matchAll(/^ {2}heartwire ([a-z]+)/gm)].map(([, name]) => name);
    expect(offered).toContain('completion');
    expect(named.sort()).toEqual(offered.sort());
  });
});
