/// Files of 3D objects as objects of three.js. A file comes from a run and is not trusted: what it names outside itself
/// is never fetched.

import {
  Box3,
  BufferGeometry,
  Color,
  DoubleSide,
  LoadingManager,
  Material,
  Mesh,
  MeshStandardMaterial,
  Object3D,
  Points,
  PointsMaterial,
  Texture,
  TextureLoader,
  type BufferAttribute,
} from "three";
import { GLTFLoader, type GLTFParser } from "three/addons/loaders/GLTFLoader.js";
import { OBJLoader } from "three/addons/loaders/OBJLoader.js";
import { PLYLoader } from "three/addons/loaders/PLYLoader.js";
import { STLLoader } from "three/addons/loaders/STLLoader.js";
import type { Bounds } from "../chart/orbit";

const FEW_POINTS = 2000;
const COMPRESSED: Readonly<Record<string, string>> = {
  KHR_draco_mesh_compression: "Draco",
  EXT_meshopt_compression: "meshopt",
  KHR_texture_basisu: "KTX2 textures",
};

/// A file that was read.
export interface Body {
  readonly root: Object3D;
  readonly bounds: Bounds;
  readonly upAxis: "y" | "z";
  readonly triangles: number;
  readonly points: number;
  /// Gives what has no colour of its own a colour.
  readonly paint: (color: string) => void;
  /// Lets its memory go.
  readonly dispose: () => void;
}

/// Reads a file. Throws an error with a sentence when it cannot be shown.
export async function readBody(bytes: ArrayBuffer, format: string): Promise<Body> {
  const read = READERS[format];
  if (!read) throw new Error(`files in ${format || "an unknown format"} can't be shown`);
  const root = await read(bytes);
  root.updateMatrixWorld(true);
  return bodyOf(root, format === "ply" || format === "stl" ? "z" : "y", format === "glb" || format === "gltf");
}

const READERS: Readonly<Record<string, (bytes: ArrayBuffer) => Object3D | Promise<Object3D>>> = {
  glb: readScene,
  gltf: readScene,
  obj: (bytes) => new OBJLoader(new LoadingManager()).parse(new TextDecoder().decode(bytes)),
  stl: (bytes) => meshOf(new STLLoader().parse(bytes)),
  ply: (bytes) => {
    const geometry = new PLYLoader().parse(bytes);
    return geometry.index ? meshOf(geometry) : new Points(geometry, new PointsMaterial());
  },
};

function meshOf(geometry: BufferGeometry): Mesh {
  return new Mesh(geometry, new MeshStandardMaterial());
}

/// What is looked at in a glTF before it is read.
interface SceneHead {
  readonly extensionsRequired?: readonly string[];
  readonly buffers?: readonly { readonly uri?: string }[];
  readonly images?: readonly { readonly uri?: string }[];
}

async function readScene(bytes: ArrayBuffer): Promise<Object3D> {
  const isBinary = new DataView(bytes).getUint32(0, true) === 0x46546c67;
  const text = new TextDecoder().decode(isBinary ? jsonPart(bytes) : bytes);
  const { extensionsRequired = [], buffers = [], images = [] } = JSON.parse(text) as SceneHead;
  [...buffers, ...images].forEach(({ uri }) => uri !== undefined && ownAddress(uri));
  const compression = extensionsRequired.map((name) => COMPRESSED[name]).find((name) => name !== undefined);
  if (compression)
    throw new Error(`it is compressed with ${compression}, which this page does not read. The download is whole`);
  const manager = new LoadingManager();
  manager.setURLModifier(ownAddress);
  const loader = new GLTFLoader(manager);
  loader.register((parser) => withoutRequests(parser, manager));
  return new Promise((resolve, reject) => {
    loader.parse(isBinary ? bytes : text, "", ({ scene }) => resolve(scene), reject);
  });
}

function jsonPart(bytes: ArrayBuffer): ArrayBuffer {
  return bytes.slice(20, 20 + new DataView(bytes).getUint32(12, true));
}

/// An address inside the file; throws for one outside.
function ownAddress(url: string): string {
  if (/^(data|blob):/.test(url)) return url;
  throw new Error(`it names the file ${url.slice(0, 80)}, which is not inside`);
}

/// Has buffers decoded and pictures shown without a request, which the policy of the pages would refuse.
function withoutRequests(parser: GLTFParser, manager: LoadingManager): { readonly name: string } {
  const load = (url: string, onLoad: (data: ArrayBuffer) => void, _: unknown, onError?: (error: unknown) => void) => {
    try {
      onLoad(decoded(ownAddress(url)));
    } catch (error) {
      onError?.(error);
    }
  };
  Object.assign(parser, { fileLoader: { load }, textureLoader: new TextureLoader(manager) });
  return { name: "without requests" };
}

function decoded(url: string): ArrayBuffer {
  const comma = url.indexOf(",");
  const content = url.slice(comma + 1);
  const characters = url.slice(0, comma).endsWith(";base64") ? atob(content) : decodeURIComponent(content);
  return Uint8Array.from(characters, (character) => character.charCodeAt(0)).buffer;
}

/// What is drawn of an object, ready to be painted and let go. `hasLook`: its surfaces have materials of their own;
/// those of an obj lie in files that were not kept.
function bodyOf(root: Object3D, upAxis: "y" | "z", hasLook: boolean): Body {
  const plain: (MeshStandardMaterial | PointsMaterial)[] = [];
  const used: { dispose(): void }[] = [];
  let [triangles, points] = [0, 0];
  root.traverse((part) => {
    if (!(part instanceof Mesh || part instanceof Points)) return;
    const geometry = part.geometry as BufferGeometry;
    used.push(geometry);
    const count = (geometry.getAttribute("position") as BufferAttribute | undefined)?.count ?? 0;
    if (part instanceof Points) {
      points += count;
      part.material = plainPoints(geometry, count, plain);
    } else {
      triangles += Math.floor((geometry.index?.count ?? count) / 3);
      if (!geometry.getAttribute("normal")) geometry.computeVertexNormals();
      if (!hasLook) part.material = plainSurface(geometry, plain);
    }
    for (const material of [part.material as Material | Material[]].flat())
      used.push(material, ...texturesOf(material));
  });
  const box = new Box3().setFromObject(root, true);
  const [least, most] = [box.min.toArray(), box.max.toArray()];
  if (![...least, ...most].every(Number.isFinite)) throw new Error("it has no points with finite coordinates");
  return {
    root,
    bounds: { least, most },
    upAxis,
    triangles,
    points,
    paint: (color) => plain.forEach((material) => material.color.set(new Color(color))),
    dispose: () => used.forEach((part) => part.dispose()),
  };
}

function plainSurface(geometry: BufferGeometry, plain: (MeshStandardMaterial | PointsMaterial)[]): Material {
  const hasColors = geometry.hasAttribute("color");
  const material = new MeshStandardMaterial({ vertexColors: hasColors, side: DoubleSide, roughness: 0.75 });
  if (!hasColors) plain.push(material);
  return material;
}

function plainPoints(
  geometry: BufferGeometry,
  count: number,
  plain: (MeshStandardMaterial | PointsMaterial)[],
): Material {
  const hasColors = geometry.hasAttribute("color");
  const size = (count < FEW_POINTS ? 4 : 2) * devicePixelRatio;
  const material = new PointsMaterial({ size, sizeAttenuation: false, vertexColors: hasColors });
  if (!hasColors) plain.push(material);
  return material;
}

function texturesOf(material: Material): readonly Texture[] {
  return Object.values(material).filter((value): value is Texture => value instanceof Texture);
}
