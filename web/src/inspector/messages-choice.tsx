import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import type { DeclaredProtocol } from '../../../src/inspection/browser.ts';
import { devices } from '../api/devices.ts';
import { getJson } from '../api/http.ts';
import { isObject } from '../api/json.ts';
import { t } from '../app/language.ts';
import { loadDecoder, loadReader } from './decoder.ts';

/** The messages with which a file is read. */
export interface Messages {
  readonly name: string;
  readonly protocol?: DeclaredProtocol | undefined;
  readonly problems: readonly string[];
}

export const NO_MESSAGES: Messages = { name: '', problems: [] };

/** @throws HttpError where the bridge does not say it */
export async function messagesOfDevice(device: string): Promise<Messages> {
  const { DeclaredProtocol: Protocol, readDeclaration } = await loadDecoder();
  const found = await getJson(`/api/devices/${encodeURIComponent(device)}/protocol`);
  const text = isObject(found) ? found.declaration : undefined;
  if (typeof text !== 'string') return { name: `device:${device}`, problems: [] };
  return { name: `device:${device}`, protocol: new Protocol(readDeclaration(text)), problems: [] };
}

interface Props {
  readonly messages: Signal<Messages>;
  /** The device that a trace names. */
  readonly device: string | undefined;
}

/** What the bytes of a file are read as: the built-in messages, a pack, those of a device, or a `messages.yaml`. */
export function MessagesChoice({ messages, device }: Props) {
  const texts = t().frames;
  const packs = useSignal<readonly string[]>([]);
  useSignalEffect(() => {
    void loadReader().then(({ PACKS }) => {
      packs.value = PACKS;
    });
  });
  const choose = async (name: string): Promise<void> => {
    if (name === '') messages.value = NO_MESSAGES;
    else if (name.startsWith('device:')) {
      messages.value = await messagesOfDevice(name.slice('device:'.length)).catch((cause: Error) => ({
        name,
        problems: [cause.message],
      }));
    } else if (name.startsWith('pack:')) {
      const { packProtocol } = await loadReader();
      messages.value = { name, protocol: packProtocol(name.slice('pack:'.length)), problems: [] };
    }
  };
  const known = device !== undefined && devices.get(device) !== undefined;
  const { name, problems } = messages.value;
  const isFile = name !== '' && !name.includes(':');
  return (
    <>
      <label>
        {texts.messages}{' '}
        <select value={name} onChange={(event) => void choose(event.currentTarget.value)}>
          <option value="">{texts.builtin}</option>
          {known && <option value={`device:${device}`}>{texts.ofDevice(device)}</option>}
          {isFile && <option value={name}>{name}</option>}
          <optgroup label={texts.packs}>
            {packs.value.map((pack) => (
              <option key={pack} value={`pack:${pack}`}>
                {pack}
              </option>
            ))}
          </optgroup>
        </select>
      </label>
      <label class="button">
        messages.yaml
        <input
          type="file"
          class="visually-hidden"
          accept=".yaml,.yml"
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            event.currentTarget.value = '';
            if (file === undefined) return;
            void Promise.all([file.text(), loadReader()]).then(([text, { readMessages }]) => {
              messages.value = { name: file.name, ...readMessages(text, file.name) };
            });
          }}
        />
      </label>
      {problems.map((text) => (
        <p key={text} class="trouble mono">
          {text}
        </p>
      ))}
    </>
  );
}
