import { useSignal } from '@preact/signals';
import { feed, mayAdminister } from '../api/feed.ts';
import { isObject, type JsonObject, listOf, textOf } from '../api/json.ts';
import { t } from '../app/language.ts';

interface Props {
  /** The entry of `devices:`. */
  readonly lines: string;
}

/** What the bridge answered, and for which lines. */
interface Answered {
  readonly lines: string;
  readonly result: JsonObject;
}

/** Shows what the lines change in the file of the bridge, and adds them after that. */
export function AddDevice({ lines }: Props) {
  const texts = t().start;
  const answered = useSignal<Answered | undefined>(undefined);
  const failure = useSignal('');
  const busy = useSignal(false);
  if (!mayAdminister.value) return null;
  // A change of other lines is not the one that would be made.
  const result = answered.value?.lines === lines ? answered.value.result : undefined;
  const ask = async (how: { readonly dry_run: true } | { readonly base: string }): Promise<void> => {
    busy.value = true;
    failure.value = '';
    try {
      const answer = await feed.client.peek()?.request('add_entry', { section: 'devices', lines, ...how });
      const result = isObject(answer) ? answer.result : undefined;
      if (isObject(result)) answered.value = { lines, result };
    } catch (cause) {
      answered.value = undefined;
      failure.value = cause instanceof Error ? cause.message : String(cause);
    }
    busy.value = false;
  };
  const problems = listOf(result?.problems).filter(isObject);
  const wrong = problems.some(({ severity }) => severity === 'error');
  const base = textOf(result?.base);
  const file = textOf(result?.file);
  return (
    <div class="add-device">
      <p>
        <button type="button" disabled={busy.value} onClick={() => void ask({ dry_run: true })}>
          {texts.showChange}
        </button>{' '}
        {result !== undefined && !wrong && result.written !== true && (
          <button type="button" class="primary" disabled={busy.value} onClick={() => void ask({ base })}>
            {texts.add(file)}
          </button>
        )}
      </p>
      <div role="status">
        {failure.value !== '' && <p class="trouble">{failure.value}</p>}
        {wrong && <p class="trouble">{texts.wrong}</p>}
        {result?.written === true && (
          <p>
            <b>{texts.added(file)}</b> {result.reloads === true ? texts.reloads : texts.reloadByHand}
          </p>
        )}
      </div>
      {problems.length > 0 && (
        <ul class="problems">
          {problems.map((problem) => (
            <li key={`${problem.line} ${problem.column} ${problem.path}`}>
              <b class={problem.severity === 'error' ? 'trouble' : undefined}>
                {problem.severity === 'error' ? t().bridge.severity.error : t().bridge.severity.warning}
              </b>{' '}
              <span class="mono">
                {textOf(problem.file)}:{String(problem.line)}:{String(problem.column)}
              </span>{' '}
              {textOf(problem.message)} <span class="quiet">{textOf(problem.fix)}</span>
            </li>
          ))}
        </ul>
      )}
      {result !== undefined && (
        <Diff lines={listOf(result.diff).filter(isObject)} label={texts.change(file)} />
      )}
    </div>
  );
}

const CLASSES: Readonly<Record<string, string>> = { '+': 'comes', '-': 'goes' };

function Diff({ lines, label }: { readonly lines: readonly JsonObject[]; readonly label: string }) {
  if (lines.length === 0) return null;
  return (
    <section class="rows-box" aria-label={label}>
      <table class="diff mono">
        <tbody>
          {lines.map(({ sign, line, text }) => (
            <tr key={`${sign}${line}`} class={CLASSES[textOf(sign)]}>
              <td class="num">{String(line)}</td>
              <td class="sign">{textOf(sign)}</td>
              <td class="text">{textOf(text)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
