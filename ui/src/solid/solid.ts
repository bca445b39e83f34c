/// Draws 3D objects: one drawing context for all of a page, since browsers have about sixteen; each view gets a copy.

import {
  AmbientLight,
  Box3,
  Box3Helper,
  Color,
  DirectionalLight,
  Group,
  LineBasicMaterial,
  PerspectiveCamera,
  Scene,
  Vector3,
  WebGLRenderer,
} from "three";
import { axesOf, middleOf, radiusOf, type Bounds, type Orbit, type Triple } from "../chart/orbit";
import { readBody, type Body } from "./loading";

export type { Body } from "./loading";

const FIELD_OF_VIEW = 32;
const DISTANCE = 1.08 / Math.sin((FIELD_OF_VIEW * Math.PI) / 360); // in radii, where all is seen
const TRIAD_PX = 20;

/// What a view shows, and how.
export interface View {
  readonly body: Body;
  readonly frame: Bounds;
  readonly orbit: Orbit;
  readonly upAxis: "y" | "z";
  readonly color: string;
  readonly lineColor: string;
  readonly inkColor: string;
}

/// Draws views.
export interface Stage {
  /// Reads a file. Throws an error with a sentence when it cannot be shown.
  readonly read: (bytes: ArrayBuffer, format: string) => Promise<Body>;
  /// Draws a view into a canvas, which has its size in pixels of the screen.
  readonly draw: (canvas: HTMLCanvasElement, view: View) => void;
}

let opened: Stage | null = null;

/// The stage of this page. Throws an error with a sentence where the browser cannot draw in three dimensions.
export function openStage(): Stage {
  opened ??= makeStage();
  return opened;
}

function makeStage(): Stage {
  if (!document.createElement("canvas").getContext("webgl2"))
    throw new Error("This browser has no WebGL 2, by which 3D objects are drawn. Its settings may switch it on.");
  const renderer = new WebGLRenderer({ alpha: true, antialias: true });
  renderer.setClearColor(0, 0);
  const camera = new PerspectiveCamera(FIELD_OF_VIEW);
  const lamp = new DirectionalLight(0xffffff, 2.2);
  const scene = new Scene();
  const content = new Group();
  const edges = new Box3Helper(new Box3());
  scene.add(content, edges, new AmbientLight(0xffffff, 1.1), camera);
  camera.add(lamp);
  lamp.position.set(0.6, 1, 1.2);
  return {
    read: readBody,
    draw: (canvas, view) => {
      const { width, height } = canvas;
      if (width === 0 || height === 0) return;
      const held = renderer.domElement;
      if (held.width < width || held.height < height)
        renderer.setSize(Math.max(width, held.width), Math.max(height, held.height), false);
      renderer.setViewport(0, 0, width, height);
      renderer.setScissor(0, 0, width, height);
      renderer.setScissorTest(true);
      aim(camera, view, width / height);
      view.body.paint(view.color);
      edges.box.set(new Vector3(...view.frame.least), new Vector3(...view.frame.most));
      (edges.material as LineBasicMaterial).color = new Color(view.lineColor);
      content.add(view.body.root);
      renderer.render(scene, camera);
      content.remove(view.body.root);
      const pen = canvas.getContext("2d")!;
      pen.clearRect(0, 0, width, height);
      pen.drawImage(held, 0, held.height - height, width, height, 0, 0, width, height);
      drawTriad(pen, view, height);
    },
  };
}

/// Points the camera at the middle of the frame.
function aim(camera: PerspectiveCamera, { frame, orbit, upAxis }: View, aspect: number): void {
  const radius = radiusOf(frame);
  const [right, up, towards] = axesOf(orbit, upAxis).map((axis) => new Vector3(...axis));
  const target = new Vector3(...middleOf(frame))
    .addScaledVector(right, -orbit.aside * radius)
    .addScaledVector(up, -orbit.up * radius);
  const distance = (DISTANCE * radius) / orbit.zoom / Math.min(1, aspect);
  camera.position.copy(target).addScaledVector(towards, distance);
  camera.up.copy(up);
  camera.lookAt(target);
  camera.aspect = aspect;
  const depth = radius * (2 + Math.hypot(orbit.aside, orbit.up));
  camera.near = Math.max(distance - depth, distance / 1000);
  camera.far = distance + depth;
  camera.updateProjectionMatrix();
}

/// Draws the directions of the axes in the corner.
function drawTriad(pen: CanvasRenderingContext2D, { orbit, upAxis, inkColor }: View, height: number): void {
  const scale = devicePixelRatio;
  const [right, up] = axesOf(orbit, upAxis);
  const [x, y, long] = [TRIAD_PX * 1.4 * scale, height - TRIAD_PX * 1.4 * scale, TRIAD_PX * scale];
  const AXES: readonly (readonly [string, 0 | 1 | 2])[] = [
    ["x", 0],
    ["y", 1],
    ["z", 2],
  ];
  pen.strokeStyle = pen.fillStyle = inkColor;
  pen.lineWidth = scale;
  pen.font = `${10 * scale}px Inter, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (const [name, axis] of AXES) {
    const [across, upwards] = [(right as Triple)[axis] * long, (up as Triple)[axis] * long];
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + across, y - upwards);
    pen.stroke();
    const share = 1 + (7 * scale) / Math.max(Math.hypot(across, upwards), 4 * scale);
    pen.fillText(name, x + across * share, y - upwards * share);
  }
}
