import { spawn } from 'node:child_process';
import { join } from 'node:path';
import vm from 'node:vm';
import { describe, expect, it } from 'vitest';
import { hasChromium } from './support/chromium.ts';
import { PROJECT_ROOT, readProjectFile } from './support/project-files.ts';

const page = readProjectFile('docs/background/plain-websocket.md');

function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (found === undefined) throw new Error(`The page has no ${language} block`);
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

/** Runs the snippet as it is written. */
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

/** What a reader types: the blocks of code, without their comments, which are in the language of the page. */
const typed = (path: string): readonly string[] =>
  [...readProjectFile(path).matchAll(/```\w+\n([\s\S]*?)```/g)].map(([, text = '']) =>
    text.replace(/ +# .*$/gm, ''),
  );

describe('README.md', () => {
  it('has what README.zh-CN.md has: the same lines to type, as many headings and pictures', () => {
    expect(typed('README.zh-CN.md')).toEqual(typed('README.md'));
    const counts = (path: string) =>
      [/^#+ /gm, /!\[/g, /\]\(/g].map((each) => readProjectFile(path).match(each)?.length ?? 0);
    expect(counts('README.zh-CN.md').slice(0, 2)).toEqual(counts('README.md').slice(0, 2));
  });

  describe.runIf(hasChromium)('its three doors, typed word for word', () => {
    it.each([1, 2, 3])('door %i shows a live value in a browser', { timeout: 400_000 }, async (door) => {
      const script = join(PROJECT_ROOT, 'scripts/newcomer.mjs');
      const child = spawn(process.execPath, [script, '--here', String(door)], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk) => {
          said += String(chunk);
        });
      expect(await new Promise((resolve) => child.once('close', resolve)), said).toBe(0);
      expect(said).toMatch(/: \d+ lines typed, a live value after/);
    });
  });
});
