import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { declarations, devices } from '../api/devices.ts';
import { type Bounds, describedAt } from '../api/fields.ts';
import { timeText } from '../app/format.ts';
import { commandsOf } from '../device/commands.ts';
import { followFingers, type Span } from './fingers.ts';
import { aligned, type Series } from './series.ts';

/** One line of a plot. */
export interface Shown {
  readonly device: string;
  readonly path: string;
}

/** Of the picture, in pixels. */
export const HEIGHT = 300;
/** How many colours there are; further lines are dashed. */
export const COLORS = 6;

/** A value holds until the next one. */
const stepped = uPlot.paths.stepped?.({ align: 1 });

/** A command sets it: it has no value between two of them. */
function isSetpoint({ device, path }: Shown): boolean {
  const commands = commandsOf(declarations.of(devices.get(device)?.declaration));
  return commands.some(({ fields }) => fields.some(({ shownBy }) => shownBy === path));
}

/** uPlot, with one scale for each unit. */
export class Drawing {
  onCursor: (at: number | undefined) => void = () => undefined;
  onZoom: (from: number, to: number) => void = () => undefined;
  readonly #host: HTMLElement;
  readonly #shown: readonly Shown[];
  #plot: uPlot | undefined;
  /** What fingers hold; what comes meanwhile is drawn within it. */
  #held: Span | undefined;

  constructor(host: HTMLElement, shown: readonly Shown[], moved: (end: number) => void) {
    this.#host = host;
    this.#shown = shown;
    this.#plot = this.#make();
    this.#followFingers(this.#plot, moved);
    // Two fingers over a pad, sideways, move the span.
    host.addEventListener(
      'wheel',
      (event) => {
        if (Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
        event.preventDefault();
        const { min, max } = this.#plot?.scales.x ?? {};
        if (min === undefined || max === undefined) return;
        moved((max + ((max - min) * event.deltaX) / 1_000) * 1_000);
      },
      { passive: false },
    );
  }

  /** On a screen that is touched: one finger moves the span, two stretch it. */
  #followFingers(plot: uPlot, moved: (end: number) => void): void {
    followFingers(plot.over, {
      span: () => ({ from: (plot.scales.x?.min ?? 0) * 1_000, to: (plot.scales.x?.max ?? 1) * 1_000 }),
      box: () => plot.over.getBoundingClientRect(),
      hold: (span) => {
        this.#held = span;
        plot.setScale('x', { min: span.from / 1_000, max: span.to / 1_000 });
      },
      release: ({ from, to }, stretched) => {
        this.#held = undefined;
        if (stretched) this.onZoom(from, to);
        else moved(to);
      },
    });
  }

  #make(): uPlot {
    const style = getComputedStyle(document.documentElement);
    const color = (name: string): string => style.getPropertyValue(name).trim();
    const muted = color('--muted');
    const grid = { stroke: color('--line'), width: 1 };
    const described = this.#shown.map((one) => describedAt(devices.get(one.device)?.declaration, one.path));
    const units = [...new Set(described.map(({ unit }) => unit))];
    const font = `12px ${color('--sans')}`;
    const options: uPlot.Options = {
      width: this.#host.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      scales: Object.fromEntries([
        ['x', { time: true, auto: false }],
        ...units.map((unit) => [unit || '1', { auto: true }]),
      ]),
      axes: [
        {
          stroke: muted,
          grid,
          ticks: grid,
          font,
          values: (_, ticks) => ticks.map((each) => timeText(each * 1_000)),
          space: 90,
        },
        ...units.map((unit, index) => ({
          scale: unit || '1',
          side: (index % 2 === 0 ? 3 : 1) as 1 | 3,
          stroke: muted,
          grid: index === 0 ? grid : { show: false },
          ticks: grid,
          font,
          size: 62,
          label: unit,
          labelFont: font,
          labelSize: unit === '' ? 0 : 18,
        })),
      ],
      series: [
        {},
        ...this.#shown.map((one, index) => ({
          label: one.path,
          scale: described[index]?.unit || '1',
          stroke: color(`--series-${(index % COLORS) + 1}`),
          width: 1.6,
          dash: index < COLORS ? [] : [6, 4],
          // What is set jumps; what is measured went from one report to the next.
          ...(isSetpoint(one) && stepped !== undefined ? { paths: stepped } : {}),
          spanGaps: false,
          points: { size: 4 },
        })),
      ],
      hooks: {
        setCursor: [
          (plot) => {
            const { left = -1 } = plot.cursor;
            this.onCursor(left < 0 ? undefined : plot.posToVal(left, 'x') * 1_000);
          },
        ],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < 4) return;
            const [from, to] = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            this.onZoom(from * 1_000, to * 1_000);
          },
        ],
        drawAxes: [(plot) => drawLimits(plot, described, color('--bad'), color('--warn'))],
      },
    };
    return new uPlot(options, [[], ...this.#shown.map(() => [])], this.#host);
  }

  draw(series: readonly Series[], from: number, to: number, now: number): void {
    const { times, values } = aligned(series.map((each) => each.drawn(now)));
    // Seconds are what uPlot counts in.
    const data = [times.map((each) => each / 1_000), ...values] as uPlot.AlignedData;
    this.#plot?.batch(() => {
      this.#plot?.setData(data, false);
      const span = this.#held ?? { from, to };
      this.#plot?.setScale('x', { min: span.from / 1_000, max: span.to / 1_000 });
    });
  }

  resize(): void {
    const { clientWidth } = this.#host;
    if (clientWidth > 0) this.#plot?.setSize({ width: clientWidth, height: HEIGHT });
  }

  destroy(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
  }
}

/** The limits of the fields as thin lines, where they lie within what is shown. */
function drawLimits(
  plot: uPlot,
  fields: readonly {
    readonly unit: string;
    readonly warn: Bounds | undefined;
    readonly alarm: Bounds | undefined;
  }[],
  alarmColor: string,
  warnColor: string,
): void {
  const { ctx, bbox } = plot;
  for (const { unit, warn, alarm } of fields) {
    const scale = unit || '1';
    const { min, max } = plot.scales[scale] ?? {};
    if (min === undefined || max === undefined) continue;
    for (const [bounds, color] of [
      [warn, warnColor],
      [alarm, alarmColor],
    ] as const) {
      for (const limit of [bounds?.least, bounds?.greatest]) {
        if (limit === undefined || limit < min || limit > max) continue;
        const y = Math.round(plot.valToPos(limit, scale, true));
        ctx.save();
        ctx.strokeStyle = color;
        ctx.setLineDash([8, 4]);
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
        ctx.restore();
      }
    }
  }
}
