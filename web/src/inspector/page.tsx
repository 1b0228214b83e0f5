import { batch, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { DeclaredProtocol, InspectedInput } from '../../../src/inspection/browser.ts';
import { devices } from '../api/devices.ts';
import { feed } from '../api/feed.ts';
import { getText } from '../api/http.ts';
import { t } from '../app/language.ts';
import { queryOf, setQuery } from '../app/location.ts';
import type { PageProps } from '../app/pages.ts';
import { Icon } from '../parts/icon.tsx';
import { loadAll, loadDecoder } from './decoder.ts';
import { bytesOf, decodeInto, TooLarge } from './file-source.ts';
import { FrameDetail } from './frame-detail.tsx';
import { FrameList } from './frame-list.tsx';
import './inspector.css';
import { LiveSource } from './live-source.ts';
import { type Messages, MessagesChoice, messagesOfDevice, NO_MESSAGES } from './messages-choice.tsx';
import { Record } from './record.ts';
import { Scrubber } from './scrubber.tsx';
import { type Dropped, Empty, Ports, SourceChoice } from './sources.tsx';
import { Tools } from './tools.tsx';

/** Bytes and what they mean: of a device as they come, of an incident, or of a file. */
export function Page(_: PageProps) {
  const texts = t().frames;
  const record = useMemo(() => new Record(), []);
  const live = useSignal<LiveSource | undefined>(undefined);
  const dropped = useSignal<Dropped | undefined>(undefined);
  const input = useSignal<InspectedInput | undefined>(undefined);
  const messages = useSignal<Messages>(NO_MESSAGES);
  const problem = useSignal('');
  const progress = useSignal(1);
  const follows = useSignal(true);
  const over = useSignal(false);

  useEffect(loadAll, []);
  const open = (what: Dropped): void => {
    live.peek()?.stop();
    batch(() => {
      live.value = undefined;
      dropped.value = what;
      messages.value = NO_MESSAGES;
      follows.value = false;
      problem.value = '';
    });
    setQuery({ device: undefined, incident: undefined });
  };
  const openFile = async (file: File): Promise<void> => {
    try {
      open({ name: file.name, bytes: await bytesOf(file) });
    } catch (cause) {
      problem.value =
        cause instanceof TooLarge
          ? texts.tooLarge(file.name)
          : cause instanceof Error
            ? cause.message
            : String(cause);
    }
  };

  // A file is read again with other messages, and with another port.
  useSignalEffect(() => {
    const what = dropped.value;
    const { protocol } = messages.value;
    if (what === undefined) return undefined;
    let wanted = true;
    void readAll(what, protocol, () => wanted);
    return () => {
      wanted = false;
    };
  });
  const readAll = async (
    what: Dropped,
    protocol: DeclaredProtocol | undefined,
    wanted: () => boolean,
  ): Promise<void> => {
    try {
      const { readInput } = await loadDecoder();
      const read = readInput(what.bytes, what.name, { port: what.port, dialled: what.dialled });
      if (!wanted()) return;
      input.value = read;
      // A trace of a bridge says which device it is of; the bridge knows what that one speaks.
      await decodeInto(record, read, protocol, (part) => {
        if (wanted()) progress.value = part;
        return wanted();
      });
      if (wanted() && record.chosen.peek() === undefined) record.chosen.value = record.shown.peek()[0];
    } catch (cause) {
      if (wanted()) problem.value = cause instanceof Error ? cause.message : String(cause);
    }
  };

  // A device of the address, or an incident; both may come by a link from another page.
  useSignalEffect(() => {
    const device = queryOf('device');
    const client = feed.client.value;
    if (device === '' || client === undefined) return undefined;
    const source = new LiveSource(device, client, record);
    batch(() => {
      live.value = source;
      dropped.value = undefined;
      input.value = undefined;
      follows.value = true;
      problem.value = '';
    });
    void source.start();
    return () => source.stop();
  });
  useSignalEffect(() => {
    const incident = queryOf('incident');
    if (incident === '') return;
    void openIncident(incident);
  });
  const openIncident = async (id: string): Promise<void> => {
    try {
      const text = await getText(`/api/incidents/${encodeURIComponent(id)}.trace`);
      const { readInput } = await loadDecoder();
      const bytes = new TextEncoder().encode(text);
      const { head } = readInput(bytes, id);
      const own = await protocolOfDevice(head.meta.device);
      batch(() => {
        live.value = undefined;
        messages.value = own;
        dropped.value = { name: `${id}.trace`, bytes };
        follows.value = false;
      });
    } catch (cause) {
      problem.value = cause instanceof Error ? cause.message : String(cause);
    }
  };

  const paste = async (text: string): Promise<void> => {
    if (text.trim() !== '') open({ name: texts.pasted, bytes: new TextEncoder().encode(text) });
  };
  useEffect(() => {
    const onPaste = (event: ClipboardEvent): void => {
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return;
      const [file] = event.clipboardData?.files ?? [];
      if (file !== undefined) void openFile(file);
      else void paste(event.clipboardData?.getData('text/plain') ?? '');
    };
    addEventListener('paste', onPaste);
    return () => removeEventListener('paste', onPaste);
  }, []);

  const source = live.value;
  const empty = source === undefined && dropped.value === undefined;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the button beside it opens files, too
    <div
      class={`inspector${over.value ? ' over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={(event) => {
        if (event.target === event.currentTarget) over.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        const [file] = event.dataTransfer?.files ?? [];
        if (file !== undefined) void openFile(file);
        else void paste(event.dataTransfer?.getData('text/plain') ?? '');
      }}
    >
      <div class="bar">
        <SourceChoice current={source?.device ?? ''} />
        <label class="button">
          <Icon name="save" />
          {texts.open}
          <input
            type="file"
            class="visually-hidden"
            accept=".trace,.gz,.pcap,.pcapng,.cap,.txt,.hex,.log,.bin"
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? [];
              event.currentTarget.value = '';
              if (file !== undefined) void openFile(file);
            }}
          />
        </label>
        {!empty && (
          <Tools
            record={record}
            live={source}
            name={dropped.value?.name ?? source?.device ?? 'frames'}
            follows={follows}
          />
        )}
      </div>
      {dropped.value !== undefined && (
        <div class="bar about">
          <b>{dropped.value.name}</b>
          <MessagesChoice messages={messages} device={input.value?.head.meta.device} />
          <Ports input={input.value} dropped={dropped} />
        </div>
      )}
      {problem.value !== '' && (
        <p class="card note trouble" role="alert">
          {problem.value}
        </p>
      )}
      {source !== undefined && <LiveNote source={source} />}
      {record.warnings.value.map((text) => (
        <p key={text} class="quiet remark">
          {text}
        </p>
      ))}
      {empty ? (
        <Empty paste={paste} />
      ) : (
        <>
          <div class="split">
            <FrameList
              record={record}
              follows={follows.value && source !== undefined}
              onScrolledBack={() => {
                follows.value = false;
              }}
            />
            <Chosen record={record} />
          </div>
          {source === undefined && <Scrubber record={record} />}
          {progress.value < 1 && <progress value={progress.value} aria-label={texts.reading} />}
        </>
      )}
    </div>
  );
}

/** What a device speaks, as its bridge knows it; nothing where it does not, or there is no bridge. */
async function protocolOfDevice(device: string | undefined): Promise<Messages> {
  if (device === undefined || devices.get(device) === undefined) return NO_MESSAGES;
  return messagesOfDevice(device).catch(() => NO_MESSAGES);
}

function Chosen({ record }: { readonly record: Record }) {
  void record.version.value;
  return <FrameDetail record={record} item={record.item(record.chosen.value)} />;
}

function LiveNote({ source }: { readonly source: LiveSource }) {
  const texts = t().frames;
  switch (source.state.value) {
    case 'loading':
      return <p class="quiet remark">{t().app.loading}</p>;
    case 'live':
      return null;
    case 'refused':
    case 'gone':
      return (
        <p class="card note trouble" role="alert">
          {texts.refused(source.device)} {source.problem.value}
        </p>
      );
  }
}
