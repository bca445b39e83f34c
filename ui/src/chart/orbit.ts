/// How 3D objects are looked at: from which side, how near, and which part of space. All objects of a page are looked
/// at from the same side, so that runs and steps can be compared.

const DEGREE = Math.PI / 180;
const ELEVATION_MOST = 89;
const ZOOM_LEAST = 0.1;
const ZOOM_MOST = 50;
const SHRUNK = 0.5; // of the frame: objects smaller than this get a smaller one

/// A camera: degrees around the axis that points up, degrees above the ground, how many times nearer than where all is
/// seen, and how far it was moved aside and up, in radii of what is seen.
export interface Orbit {
  readonly azimuth: number;
  readonly elevation: number;
  readonly zoom: number;
  readonly aside: number;
  readonly up: number;
}

/// The camera that a page begins with.
export const START: Orbit = { azimuth: 35, elevation: 25, zoom: 1, aside: 0, up: 0 };

/// A point or a direction: x, y, z.
export type Triple = readonly [x: number, y: number, z: number];

/// A box along the axes.
export interface Bounds {
  readonly least: Triple;
  readonly most: Triple;
}

/// The camera of a text; the one at the start where the text has none.
export function readOrbit(text: string): Orbit {
  const numbers = text.split(",").map(Number);
  if (numbers.length !== 5 || !numbers.every(Number.isFinite)) return START;
  const [azimuth, elevation, zoom, aside, up] = numbers;
  return bounded({ azimuth, elevation, zoom, aside, up });
}

/// The camera as a text for the address; empty for the one at the start.
export function orbitText({ azimuth, elevation, zoom, aside, up }: Orbit): string {
  const text = [azimuth, elevation, zoom, aside, up].map((number) => String(Math.round(number * 100) / 100)).join(",");
  return text === "35,25,1,0,0" ? "" : text;
}

function bounded(orbit: Orbit): Orbit {
  const { azimuth, elevation, zoom } = orbit;
  return {
    ...orbit,
    azimuth: ((azimuth % 360) + 360) % 360,
    elevation: Math.max(-ELEVATION_MOST, Math.min(ELEVATION_MOST, elevation)),
    zoom: Math.max(ZOOM_LEAST, Math.min(ZOOM_MOST, zoom)),
  };
}

/// The camera after a turn by degrees to the right and upwards.
export function turned(orbit: Orbit, right: number, upwards: number): Orbit {
  return bounded({ ...orbit, azimuth: orbit.azimuth + right, elevation: orbit.elevation + upwards });
}

/// The camera `factor` times as near.
export function nearer(orbit: Orbit, factor: number): Orbit {
  return bounded({ ...orbit, zoom: orbit.zoom * factor });
}

/// The camera moved by shares of what is seen.
export function moved(orbit: Orbit, aside: number, up: number): Orbit {
  return { ...orbit, aside: orbit.aside + aside / orbit.zoom, up: orbit.up + up / orbit.zoom };
}

/// The directions to the right, up and towards the camera.
export function axesOf({ azimuth, elevation }: Orbit, upAxis: "y" | "z"): readonly [Triple, Triple, Triple] {
  const [a, e] = [azimuth * DEGREE, elevation * DEGREE];
  const right = [Math.cos(a), 0, -Math.sin(a)] as const;
  const towards = [Math.cos(e) * Math.sin(a), Math.sin(e), Math.cos(e) * Math.cos(a)] as const;
  const up = [-Math.sin(e) * Math.sin(a), Math.cos(e), -Math.sin(e) * Math.cos(a)] as const;
  const lain = ([x, y, z]: Triple): Triple => (upAxis === "y" ? [x, y, z] : [x, -z, y]);
  return [lain(right), lain(up), lain(towards)];
}

/// The smallest box around all; null around none.
export function united(boxes: Iterable<Bounds>): Bounds | null {
  let all: Bounds | null = null;
  for (const { least, most } of boxes) {
    const extreme = (pick: typeof Math.min, a: Triple, b: Triple): Triple => [
      pick(a[0], b[0]),
      pick(a[1], b[1]),
      pick(a[2], b[2]),
    ];
    all = all
      ? { least: extreme(Math.min, all.least, least), most: extreme(Math.max, all.most, most) }
      : { least, most };
  }
  return all;
}

/// The middle of a box.
export function middleOf({ least, most }: Bounds): Triple {
  return [(least[0] + most[0]) / 2, (least[1] + most[1]) / 2, (least[2] + most[2]) / 2];
}

/// Half the diagonal of a box; of a box without extent 1.
export function radiusOf({ least, most }: Bounds): number {
  return Math.hypot(most[0] - least[0], most[1] - least[1], most[2] - least[2]) / 2 || 1;
}

/// The frame for objects that fill `boxes`: the one before, as long as they are in it and are not much smaller, so that
/// a series of steps does not tremble.
export function frameFor(before: Bounds | null, boxes: Iterable<Bounds>): Bounds | null {
  const all = united(boxes);
  if (!before || !all) return all ?? before;
  const isInside = [0, 1, 2].every(
    (axis) => all.least[axis] >= before.least[axis] && all.most[axis] <= before.most[axis],
  );
  return isInside && radiusOf(all) >= SHRUNK * radiusOf(before) ? before : all;
}
