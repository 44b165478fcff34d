/** Where members stand, in the drawing's own units, and the ways between them. */

export const WIDTH = 620;
export const HEIGHT = 520;
/** Radius of a member's timer, its outermost circle. */
export const NODE_RADIUS = 36;
/** Messages keep to one side of the line between two members, by this much. */
const LANE_OFFSET = 6;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Member `at` of `count`, clockwise from the top; below each there is room for its words. */
export function placeOf(at: number, count: number): Point {
  if (count === 1) return { x: WIDTH / 2, y: HEIGHT / 2 - 30 };
  const angle = (2 * Math.PI * at) / count - Math.PI / 2;
  const top = NODE_RADIUS + 26;
  const bottom = HEIGHT - NODE_RADIUS - 70;
  const lowest = Math.max(...Array.from({ length: count }, (_, each) => sinOf(each, count)));
  const radiusY = (bottom - top) / (1 + lowest);
  return {
    x: WIDTH / 2 + (WIDTH / 2 - 82) * Math.cos(angle),
    y: top + radiusY + radiusY * Math.sin(angle),
  };
}

function sinOf(at: number, count: number): number {
  return Math.sin((2 * Math.PI * at) / count - Math.PI / 2);
}

/** From edge to edge, on the right-hand side of the direction. */
export function wayOf(from: Point, to: Point): { readonly start: Point; readonly end: Point } {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const x = (to.x - from.x) / length;
  const y = (to.y - from.y) / length;
  const side = { x: -y * LANE_OFFSET, y: x * LANE_OFFSET };
  const edge = NODE_RADIUS + 5;
  return {
    start: { x: from.x + x * edge + side.x, y: from.y + y * edge + side.y },
    end: { x: to.x - x * edge + side.x, y: to.y - y * edge + side.y },
  };
}

export function between(start: Point, end: Point, share: number): Point {
  return { x: start.x + (end.x - start.x) * share, y: start.y + (end.y - start.y) * share };
}

/** The part of a circle that begins at the top and goes clockwise; `share` in [0, 1]. */
export function arcPath(radius: number, share: number): string {
  const angle = 2 * Math.PI * Math.min(share, 0.9999) - Math.PI / 2;
  const x = (radius * Math.cos(angle)).toFixed(2);
  const y = (radius * Math.sin(angle)).toFixed(2);
  return `M0 ${-radius}A${radius} ${radius} 0 ${share > 0.5 ? 1 : 0} 1 ${x} ${y}`;
}
