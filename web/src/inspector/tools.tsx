import { useSignal } from '@preact/signals';
import { countText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { Icon } from '../parts/icon.tsx';
import type { Filter } from './filter.ts';
import type { LiveSource } from './live-source.ts';
import type { Record } from './record.ts';
import { save } from './save.ts';
import { hexOf } from './words.ts';

interface ToolsProps {
  readonly record: Record;
  readonly live: LiveSource | undefined;
  readonly name: string;
  readonly follows: { value: boolean };
}

/** What is shown of a record, and what is done with it. */
export function Tools({ record, live, name, follows }: ToolsProps) {
  const texts = t().frames;
  const set = (change: Partial<Filter>): void => {
    record.filter.value = { ...record.filter.value, ...change };
  };
  const { text, direction, kind } = record.filter.value;
  const chosen = record.item(record.chosen.value);
  const copied = useSignal(false);
  return (
    <>
      <input
        type="search"
        placeholder={texts.filter}
        aria-label={texts.filter}
        value={text}
        onInput={(event) => set({ text: event.currentTarget.value })}
      />
      <select
        aria-label={texts.direction}
        value={direction}
        onChange={(event) => set({ direction: event.currentTarget.value as Filter['direction'] })}
      >
        <option value="both">{texts.both}</option>
        <option value="in">◂ {texts.in}</option>
        <option value="out">▸ {texts.out}</option>
      </select>
      <select
        aria-label={texts.kind}
        value={kind}
        onChange={(event) => set({ kind: event.currentTarget.value as Filter['kind'] })}
      >
        <option value="all">{texts.all}</option>
        <option value="frames">{texts.framesOnly}</option>
        <option value="trouble">{texts.troubleOnly}</option>
      </select>
      <span class="count quiet num">{countText(record.shown.value.length)}</span>
      <span class="space" />
      {live !== undefined && (
        <button
          type="button"
          aria-pressed={live.paused.value}
          onClick={() => {
            live.paused.value = !live.paused.value;
            follows.value = !live.paused.value;
          }}
        >
          <Icon name={live.paused.value ? 'play' : 'pause'} />
          {live.paused.value ? texts.goOn(countText(live.waiting.value)) : texts.pause}
        </button>
      )}
      {live !== undefined && !live.paused.value && !follows.value && (
        <button
          type="button"
          onClick={() => {
            follows.value = true;
          }}
        >
          {texts.follow}
        </button>
      )}
      <button
        type="button"
        disabled={chosen === undefined || !('bytes' in chosen)}
        onClick={() => {
          if (chosen === undefined || !('bytes' in chosen)) return;
          void navigator.clipboard.writeText(hexOf(chosen.bytes, chosen.bytes.length, ' ')).then(() => {
            copied.value = true;
            setTimeout(() => {
              copied.value = false;
            }, 1_500);
          });
        }}
      >
        {copied.value ? texts.copied : texts.copy}
      </button>
      <button type="button" onClick={() => void save(record, name)}>
        <Icon name="save" />
        {texts.save}
      </button>
    </>
  );
}
