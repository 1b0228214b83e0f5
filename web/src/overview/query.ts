import { computed } from '@preact/signals';
import { route } from '../app/location.ts';
import { ORDERS, type Wanted } from './arrange.ts';

/** What of the overview stands in its address. */
export const wanted = computed<Wanted & { readonly tiles: boolean; readonly value: string }>(() => {
  const { query } = route.value;
  const order = ORDERS.find((each) => each === query.get('sort')) ?? 'trouble';
  return {
    search: query.get('q') ?? '',
    status: query.get('status') ?? '',
    group: query.get('group') ?? '',
    order,
    reverse: query.has('down'),
    grouped: query.has('groups'),
    folded: new Set(query.getAll('fold').flatMap((each) => each.split('\n'))),
    tiles: query.get('view') === 'tiles',
    value: query.get('value') ?? '',
  };
});
