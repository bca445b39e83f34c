/// The shape of a sound: the lowest and highest sample of every column.

/// Lowest and highest of all channels in each of `columns` equal parts: low, high, low, high …; no sample is left out.
export function peaksOf(sides: readonly Float32Array[], columns: number): Float32Array {
  const peaks = new Float32Array(columns * 2);
  const length = sides[0]?.length ?? 0;
  for (let column = 0; column < columns; column++) {
    const from = Math.floor((column * length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * length) / columns));
    let [low, high] = [Infinity, -Infinity];
    for (const side of sides) {
      for (let i = from; i < to && i < length; i++) {
        if (side[i] < low) low = side[i];
        if (side[i] > high) high = side[i];
      }
    }
    peaks[column * 2] = low === Infinity ? 0 : low;
    peaks[column * 2 + 1] = high === -Infinity ? 0 : high;
  }
  return peaks;
}

/// Draws peaks over the whole canvas; the part that was played in a colour of its own. Quiet sounds are scaled up.
export function drawWave(
  canvas: HTMLCanvasElement,
  peaks: Float32Array,
  played: number,
  color: string,
  rest: string,
): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  let loudest = 1e-4;
  for (const peak of peaks) loudest = Math.max(loudest, Math.abs(peak));
  const columns = peaks.length / 2;
  const [middle, scale] = [height / 2, (height / 2 - 1) / loudest];
  for (let i = 0; i < columns; i++) {
    const [top, bottom] = [middle - peaks[i * 2 + 1] * scale, middle - peaks[i * 2] * scale];
    context.fillStyle = (i + 0.5) / columns <= played ? color : rest;
    context.fillRect(
      (i * width) / columns,
      top - 0.5,
      Math.max(1, width / columns - 0.3),
      Math.max(1, bottom - top + 1),
    );
  }
}
