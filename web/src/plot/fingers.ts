export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A finger: the time that it took hold of, and where it is now, in pixels from the left. */
export interface Held {
  readonly at: number;
  readonly x: number;
}

const LEAST_PX = 24;

/** The span in which every finger is where its time is: one finger moves the span, two stretch it. */
export function spanUnder(held: readonly Held[], width: number, { from, to }: Span): Span {
  const [first, second] =
    held[0] !== undefined && held[1] !== undefined && held[0].x > held[1].x ? [held[1], held[0]] : held;
  if (first === undefined || width <= 0) return { from, to };
  // Fingers that meet would stretch a moment over the whole width.
  const perPixel =
    second === undefined || second.at <= first.at
      ? (to - from) / width
      : (second.at - first.at) / Math.max(second.x - first.x, LEAST_PX);
  const start = first.at - first.x * perPixel;
  return { from: start, to: start + width * perPixel };
}

interface Hands {
  /** What is drawn now, and the box of it. */
  span(): Span;
  box(): { readonly left: number; readonly width: number };
  /** While they move. */
  hold(span: Span): void;
  /** When the last one is lifted; `stretched`: there were two of them. */
  release(span: Span, stretched: boolean): void;
}

/** Follows fingers on an element. A mouse is left to those that select with it. */
export function followFingers(element: HTMLElement, hands: Hands): void {
  const held = new Map<number, Held>();
  let stretched = false;
  let span: Span | undefined;
  const grip = (id: number, clientX: number): void => {
    const { left, width } = hands.box();
    const now = span ?? hands.span();
    held.set(id, { at: now.from + ((clientX - left) / width) * (now.to - now.from), x: clientX - left });
  };
  element.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'touch' || held.size === 2) return;
    grip(event.pointerId, event.clientX);
    stretched ||= held.size === 2;
  });
  element.addEventListener('pointermove', (event) => {
    const own = held.get(event.pointerId);
    if (own === undefined) return;
    const { left, width } = hands.box();
    held.set(event.pointerId, { ...own, x: event.clientX - left });
    span = spanUnder([...held.values()], width, span ?? hands.span());
    hands.hold(span);
  });
  const lift = (event: PointerEvent): void => {
    if (!held.delete(event.pointerId) || held.size > 0) return;
    if (span !== undefined) hands.release(span, stretched);
    span = undefined;
    stretched = false;
  };
  element.addEventListener('pointerup', lift);
  element.addEventListener('pointercancel', lift);
}
