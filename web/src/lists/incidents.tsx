import { t } from '../app/language.ts';
import type { PageProps } from '../app/pages.ts';

export function Page(_: PageProps) {
  return (
    <section class="card note">
      <h2>{t().app.incidents}</h2>
    </section>
  );
}
