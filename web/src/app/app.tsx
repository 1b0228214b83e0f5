import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { feed } from '../api/feed.ts';
import { followPast } from '../past/follow-past.ts';
import { Scrubber } from '../past/scrubber.tsx';
import { Banner } from './banner.tsx';
import { Header } from './header.tsx';
import { t } from './language.ts';
import { href, route } from './location.ts';
import { PAGES, type PageEntry, type PageProps } from './pages.ts';
import { Palette } from './palette.tsx';
import { matchPath } from './routes.ts';
import { startShortcuts } from './shortcuts.ts';
import { startTitle } from './title.ts';
import { TokenForm } from './token-form.tsx';

interface Place extends PageProps {
  readonly entry: PageEntry | undefined;
}

function placeOf(path: string): Place {
  for (const entry of PAGES) {
    const parameters = matchPath(entry.path, path);
    if (parameters !== undefined) return { entry, parameters };
  }
  return { entry: undefined, parameters: {} };
}

/** The whole page: how true it is, where one is, and what is there. */
export function App() {
  const place = useComputed(() => placeOf(route.value.path));
  useEffect(startTitle, []);
  useEffect(startShortcuts, []);
  useEffect(followPast, []);
  const { entry, parameters } = place.value;
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        {t().app.skip}
      </button>
      <Banner />
      <Scrubber />
      <Header current={entry} />
      {feed.wantsToken.value && entry?.alone !== true && <TokenForm />}
      <main id="main" tabIndex={-1}>
        {entry === undefined ? (
          <NotFound />
        ) : (
          <PageOf key={route.value.path} entry={entry} parameters={parameters} />
        )}
      </main>
      <Palette />
    </>
  );
}

function skip(): void {
  document.getElementById('main')?.focus();
}

type Loaded = ComponentType<PageProps> | 'failed' | undefined;
const loadedPages = new Map<PageEntry, ComponentType<PageProps>>();

function PageOf({ entry, parameters }: Place & { readonly entry: PageEntry }) {
  const loaded = useSignal<Loaded>(entry.page ?? loadedPages.get(entry));
  const here = useRef(true);
  const load = (): void => {
    if (loaded.peek() !== undefined && loaded.peek() !== 'failed') return;
    loaded.value = undefined;
    entry.load?.().then(
      ({ Page }) => {
        loadedPages.set(entry, Page);
        if (here.current) loaded.value = Page;
      },
      (cause: unknown) => {
        console.warn(cause);
        if (here.current) loaded.value = 'failed';
      },
    );
  };
  useSignalEffect(load);
  useEffect(
    () => () => {
      here.current = false;
    },
    [],
  );
  const Page = loaded.value;
  if (Page === undefined) return <p class="card note">{t().app.loading}</p>;
  if (Page === 'failed') {
    return (
      <section class="card note">
        <p>{t().app.loadFailed}</p>
        <button type="button" onClick={load}>
          {t().app.reload}
        </button>
      </section>
    );
  }
  return <Page parameters={parameters} />;
}

function NotFound() {
  return (
    <section class="card note">
      <h2>{t().app.notFound}</h2>
      <p>{t().app.notFoundText}</p>
      <p>
        <a href={href('/')}>{t().app.toOverview}</a>
      </p>
    </section>
  );
}
