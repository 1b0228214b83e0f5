import { useSignal } from '@preact/signals';
import { feed, forgetToken } from '../api/feed.ts';
import { Icon, Mark } from '../parts/icon.tsx';
import { goBack } from '../past/scrubber.tsx';
import { LANGUAGE_NAMES, LANGUAGES, language, t } from './language.ts';
import { href } from './location.ts';
import { PAGES, type PageEntry } from './pages.ts';
import { openPalette } from './palette-state.ts';
import { type Theme, theme } from './settings.ts';

/** The name, the pages, and what people set. */
export function Header({ current }: { readonly current: PageEntry | undefined }) {
  const texts = t();
  return (
    <header class="top">
      <h1>
        <a href={href('/')}>
          <Mark />
          Heartwire
        </a>
      </h1>
      <nav aria-label={texts.app.pages}>
        {PAGES.map((entry) => {
          if (entry.name === undefined) return null;
          const here = entry === current || (entry.path === '/' && current?.path === '/devices/:id');
          return (
            <a key={entry.path} href={href(entry.path)} aria-current={here ? 'page' : undefined}>
              {texts.app[entry.name]}
            </a>
          );
        })}
      </nav>
      <button
        type="button"
        class="plain"
        title={`${texts.past.open} (h)`}
        aria-label={texts.past.open}
        onClick={goBack}
      >
        <Icon name="past" />
      </button>
      <button
        type="button"
        class="plain"
        title={texts.palette.open}
        aria-label={texts.palette.open}
        onClick={openPalette}
      >
        <Icon name="search" />
        <kbd>/</kbd>
      </button>
      <Settings />
    </header>
  );
}

function Settings() {
  const open = useSignal(false);
  const texts = t().settings;
  return (
    <details
      class="settings"
      open={open.value}
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary class="plain" aria-label={texts.title} title={texts.title}>
        <Icon name="settings" />
      </summary>
      <div class="popover card">
        <label>
          {texts.theme}
          <select
            value={theme.value}
            onChange={(event) => {
              theme.value = event.currentTarget.value as Theme;
            }}
          >
            <option value="auto">{texts.auto}</option>
            <option value="light">{texts.light}</option>
            <option value="dark">{texts.dark}</option>
          </select>
        </label>
        <label>
          {texts.language}
          <select
            value={language.value}
            onChange={(event) => {
              language.value = LANGUAGES.find((each) => each === event.currentTarget.value) ?? 'en';
            }}
          >
            {LANGUAGES.map((each) => (
              <option key={each} value={each} lang={each}>
                {LANGUAGE_NAMES[each]}
              </option>
            ))}
          </select>
        </label>
        {feed.asksTokens.value && (
          <button type="button" onClick={forgetToken}>
            {texts.token}
          </button>
        )}
      </div>
    </details>
  );
}
