import type { ConfigOutcome } from '../../src/app/reload/config-applier.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { MessageFiles } from '../../src/config/message-files.ts';
import type { PeerEvent, PythonPeer } from './python-peer.ts';
import type { TestBridge } from './test-bridge.ts';

/** The bridge of a test gets another text of its configuration. */
export function reload(
  { bridge }: TestBridge,
  yaml: string,
  messages?: MessageFiles,
): Promise<ConfigOutcome> {
  return bridge.apply(loadConfig(`server: { port: 0 }\n${yaml}`, 'test.yaml', messages));
}

/** The outcome in few words: `+added ~changed -removed`, or `rejected`. */
export function inWords({ diff, kept }: ConfigOutcome): string {
  if (diff === undefined) return 'rejected';
  const { added, changed, removed } = diff.devices;
  return [
    ...added.map(({ id }) => `+${id}`),
    ...changed.map(({ to }) => `~${to.id}`),
    ...removed.map(({ id }) => `-${id}`),
    ...kept.map((id) => `=${id}`),
  ].join(' ');
}

/** How often a peer was connected to, and how often it lost its link. */
export function comings({ events }: PythonPeer): { connected: number; disconnected: number } {
  const count = (wanted: PeerEvent['event']) => events.filter(({ event }) => event === wanted).length;
  return { connected: count('connected'), disconnected: count('disconnected') };
}
