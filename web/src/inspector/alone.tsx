import { render } from 'preact';
import '../style.css';
import { t } from '../app/language.ts';
import { Mark } from '../parts/icon.tsx';
import { Page } from './page.tsx';

/** The inspector by itself, in one file that is opened without a bridge. */
function Alone() {
  return (
    <>
      <header class="top">
        <h1>
          <a href="#/inspect">
            <Mark />
            Heartwire
          </a>
        </h1>
        <span class="quiet">{t().app.inspector}</span>
      </header>
      <main>
        <Page parameters={{}} />
      </main>
    </>
  );
}

const root = document.getElementById('app');
if (root !== null) render(<Alone />, root);
