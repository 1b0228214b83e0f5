import { Bridge, type BridgeAddresses } from '../../src/app/bridge.ts';
import { joinSharedFeed } from '../../src/backplane/index.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { MessageFiles } from '../../src/config/message-files.ts';
import type { BridgeConfig } from '../../src/config/model.ts';
import type { BlackBoxConfig } from '../../src/config/storage.ts';
import type { NameResolver } from '../../src/links/names/name-resolver.ts';
import { systemClock } from '../../src/system/clock.ts';
import type { Log } from '../../src/system/log.ts';

/** A bridge on free ports with what it logged, from the text of a configuration. */
export interface TestBridge extends AsyncDisposable {
  readonly bridge: Bridge;
  /** What it was started with. */
  readonly config: BridgeConfig;
  readonly url: string;
  /** Port of the first listener. */
  readonly devicePort: number;
  /** Port of JSON lines. */
  readonly linesPort: number;
  readonly log: ReadonlyArray<{ readonly level: string; readonly fields: object; readonly text: string }>;
}

function defaultBlackBox({ blackBox }: BridgeConfig): BlackBoxConfig {
  if (blackBox === undefined) throw new Error('The black box is on where nothing else is configured.');
  return blackBox;
}

export async function startBridge(
  yaml: string,
  server = '{ port: 0 }',
  names?: NameResolver,
  messages?: MessageFiles,
  blackBox?: Pick<BlackBoxConfig, 'dir'> & Partial<BlackBoxConfig>,
  historyFile?: string,
): Promise<TestBridge> {
  const { config, failed, problems } = loadConfig(`server: ${server}\n${yaml}`, 'test.yaml', messages);
  if (config === undefined) throw new Error(JSON.stringify(problems));
  const lines: Array<{ level: string; fields: object; text: string }> = [];
  const note = (level: string) => (fields: object, text: string) => void lines.push({ level, fields, text });
  const log: Log = { info: note('info'), warn: note('warn'), error: note('error') };
  const usage = () => ({ residentBytes: 1, cpuSeconds: 1 });
  const bridge = new Bridge({
    config,
    failed,
    clock: systemClock,
    log,
    version: '0.0.0-test',
    usage,
    names,
    blackBox: blackBox && { ...defaultBlackBox(config), ...blackBox },
    historyFile,
    join: joinSharedFeed,
  });
  const addresses: BridgeAddresses = await bridge.start();
  return {
    bridge,
    config,
    url: addresses.url,
    devicePort: Number(addresses.listeners[0]?.split(':').at(-1)),
    linesPort: Number(addresses.lines?.split(':').at(-1)),
    log: lines,
    [Symbol.asyncDispose]: () => bridge[Symbol.asyncDispose](),
  };
}
