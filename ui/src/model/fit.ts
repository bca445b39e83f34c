/// How large pictures are drawn so that a grid of them fills its width.

/// The gap between the pictures of a grid.
export const GRID_GAP_PX = 10;

const GROWTH_MOST = 4; // few pictures become larger than was asked for, by so much at most
const FEW_MOST_PX = 448; // and so high at most

/// Pictures as wide as `aspect` times their height, at least `size_px` high, in a grid of `width_px`: how high they
/// are, so that a full row is as wide as the grid.
export function fittedSize(width_px: number, size_px: number, aspect: number, count: number): number {
  const wish_px = size_px * aspect;
  if (width_px <= wish_px || count === 0) return Math.max(24, Math.min(size_px, Math.floor(width_px / aspect)));
  const room = Math.floor((width_px + GRID_GAP_PX) / (wish_px + GRID_GAP_PX));
  const columns = Math.max(1, Math.min(room, count));
  const full_px = (width_px - (columns - 1) * GRID_GAP_PX) / columns / aspect;
  if (columns === room) return Math.floor(full_px);
  return Math.floor(Math.min(full_px, Math.max(size_px, Math.min(size_px * GROWTH_MOST, FEW_MOST_PX))));
}

/// The width of a picture for each pixel of its height; the widest of several decides.
export function widestAspect(
  items: readonly { readonly width?: number | null; readonly height?: number | null }[],
): number {
  const aspects = items.map(({ width, height }) => (width && height ? width / height : 1));
  return Math.max(0.2, ...aspects);
}
