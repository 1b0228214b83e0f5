import { effect, useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { devices } from '../api/devices.ts';
import { LANGUAGE_NAMES, LANGUAGES, language, t } from './language.ts';
import { navigate } from './location.ts';
import { PAGES } from './pages.ts';
import { best } from './palette-search.ts';
import { paletteOpen } from './palette-state.ts';
import { devicePath } from './routes.ts';
import { theme } from './settings.ts';

interface Entry {
  readonly text: string;
  readonly kind: string;
  readonly go: () => void;
}

const SHOWN = 12;

/** Goes anywhere by a few letters: opened with `/`. */
export function Palette() {
  const dialog = useRef<HTMLDialogElement>(null);
  // At once and not with the next frame: the keys behind `/` are for its field.
  useLayoutEffect(
    () =>
      effect(() => {
        if (paletteOpen.value && dialog.current?.open === false) dialog.current.showModal();
      }),
    [],
  );
  const close = (): void => {
    paletteOpen.value = false;
    if (dialog.current?.open) dialog.current.close();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc closes it, as every dialog
    <dialog
      ref={dialog}
      class="palette card"
      aria-label={t().palette.title}
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <Search close={close} />
    </dialog>
  );
}

/** Its field is there before it is opened, so that no key is lost that follows `/` at once. */
function Search({ close }: { readonly close: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const text = useSignal('');
  const at = useSignal(0);
  useLayoutEffect(
    () =>
      effect(() => {
        if (paletteOpen.value) return;
        if (input.current) input.current.value = '';
        text.value = '';
        at.value = 0;
      }),
    [text, at],
  );
  const texts = t().palette;
  const found = paletteOpen.value ? best(entries(), text.value, SHOWN) : [];
  const chosen = Math.min(at.value, Math.max(0, found.length - 1));
  const go = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    close();
    entry.go();
  };
  const pressed = (event: KeyboardEvent): void => {
    // What is drawn may be behind what is typed.
    const now = best(entries(), text.value, SHOWN);
    if (event.key === 'Enter') go(now[Math.min(at.value, now.length - 1)]);
    else if (event.key === 'ArrowDown') at.value = Math.min(chosen + 1, found.length - 1);
    else if (event.key === 'ArrowUp') at.value = Math.max(chosen - 1, 0);
    else return;
    event.preventDefault();
  };
  return (
    <div class="inside">
      <input
        ref={input}
        autofocus
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found.length > 0 ? `palette-${chosen}` : undefined}
        aria-label={texts.title}
        placeholder={texts.placeholder}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={pressed}
      />
      <div id="palette-list" class="found" role="listbox" aria-label={texts.title}>
        {found.map((entry, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
          <div
            key={`${entry.kind} ${entry.text}`}
            id={`palette-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            onClick={() => go(entry)}
          >
            <span>{entry.text}</span> <span class="quiet">{entry.kind}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && <p class="quiet">{texts.nothing}</p>}
      <p class="quiet hint">{texts.hint}</p>
    </div>
  );
}

function entries(): readonly Entry[] {
  const { app, palette, settings } = t();
  const pages = PAGES.flatMap(({ path, name }) =>
    name === undefined ? [] : [{ text: app[name], kind: palette.page, go: () => navigate(path) }],
  );
  const found = [...devices.all.values()].map(({ id, label, group }) => ({
    text: [group, label === '' ? id : `${label} (${id})`].filter(Boolean).join(' · '),
    kind: palette.device,
    go: () => navigate(devicePath(id)),
  }));
  const themes = (['auto', 'light', 'dark'] as const).map((each) => ({
    text: `${settings.theme}: ${settings[each]}`,
    kind: palette.setting,
    go: () => {
      theme.value = each;
    },
  }));
  const languages = LANGUAGES.map((each) => ({
    text: `${settings.language}: ${LANGUAGE_NAMES[each]}`,
    kind: palette.setting,
    go: () => {
      language.value = each;
    },
  }));
  return [...found, ...pages, ...themes, ...languages];
}
