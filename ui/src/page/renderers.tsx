/// How objects are drawn: one table with a renderer for each kind that has a look of its own.
///
/// The kinds themselves come from the server. One that has no renderer here is drawn by what it holds: a picture, a
/// sound, a video or a text as such, anything else as a file to be downloaded.

import type { ComponentType, JSX } from "preact";
import { blobUrl, itemLabel, type Item } from "../model/objects";
import type { OverlayWords } from "../model/overlays";
import { Icon, type IconName } from "../widget/icon";
import { Copy } from "../widget/text";
import { useApp } from "./app";
import { Clip } from "./clip";
import { Distributions } from "./distributions";
import { Figure } from "./figure";
import { Picture } from "./picture";
import { Address, Elsewhere } from "./reference";
import { Solid, SolidControls } from "./object3d";
import { Sound } from "./sound";
import { TableView } from "./tableview";

/// Nothing is drawn over the pictures of a page.
export const NO_WORDS: OverlayWords = { labels: [], layers: [], hasScores: false, hasMasks: false };

/// One object, and how large it is drawn.
export interface PieceProps {
  readonly item: Item;
  readonly size_px: number;
  readonly words: OverlayWords;
  readonly color?: string;
  readonly onOpen?: () => void;
}

/// The objects of one sequence, drawn as one.
export interface WholeProps {
  readonly items: readonly Item[];
  readonly color: string;
}

/// How the objects of a kind are drawn.
export interface Renderer {
  readonly icon: IconName;
  readonly piece: ComponentType<PieceProps>;
  /// Draws all steps of a sequence as one picture, in place of one step after another.
  readonly whole?: ComponentType<WholeProps>;
  /// The page on which they are listed; without one that of media.
  readonly page?: "text";
  /// Whether their steps can stand side by side in columns.
  readonly hasColumns?: boolean;
  /// Whether their size can be chosen.
  readonly isSized?: boolean;
  /// How many times as large as pictures they are drawn; 1 if left out.
  readonly scale?: number;
  /// Whether those of several runs stand beside each other, where each run has one.
  readonly flows?: boolean;
  /// What the toolbar has for them.
  readonly controls?: ComponentType;
  /// Whether boxes and masks may lie over them, and several can be looked at together.
  readonly hasOverlays?: boolean;
}

function PicturePiece({ item, ...look }: PieceProps): JSX.Element {
  const picture = <Picture item={item} {...look} />;
  if (item.uri === undefined) return picture;
  return (
    <span class="referred">
      {picture}
      <Address uri={item.uri} />
    </span>
  );
}

/// A text as it is.
function TextPiece({ item }: PieceProps): JSX.Element {
  return (
    <div class="textblock">
      <pre>{item.text ?? ""}</pre>
      <Copy text={item.text ?? ""} label="Copy the text" />
    </div>
  );
}

const FORMATS: readonly (readonly [ReadonlySet<string>, ComponentType<PieceProps>])[] = [
  [new Set(["png", "jpeg", "webp", "bmp", "svg", "avif"]), PicturePiece],
  [new Set(["gif", "mp4", "webm", "mov", "ogv"]), Clip],
  [new Set(["wav", "mp3", "flac", "ogg", "m4a"]), Sound],
];

/// An object of a kind without a renderer, drawn by what it holds.
function AnyPiece(props: PieceProps): JSX.Element {
  const { scope } = useApp();
  const { item } = props;
  if (item.text !== undefined) return <TextPiece {...props} />;
  if (item.columns !== undefined) return <TableView {...props} />;
  const Known = FORMATS.find(([formats]) => formats.has(item.format ?? ""))?.[1];
  if (Known) return <Known {...props} />;
  return (
    <a class="pill" href={blobUrl(scope, item.blob ?? "")} download={`${item.track.name}-${item.step}`}>
      <Icon name="download" size={13} />
      {itemLabel(item)}
    </a>
  );
}

const ANY: Renderer = { icon: "file", piece: AnyPiece };

/// The renderers, in the order of tabs.
const RENDERERS: Readonly<Record<string, Renderer>> = {
  images: { icon: "image", piece: PicturePiece, hasColumns: true, isSized: true, flows: true, hasOverlays: true },
  videos: { icon: "film", piece: Clip, hasColumns: true, isSized: true, scale: 1.8, flows: true },
  objects3d: {
    icon: "cube",
    piece: Solid,
    hasColumns: true,
    isSized: true,
    scale: 2,
    flows: true,
    controls: SolidControls,
  },
  audios: { icon: "wave", piece: Sound, flows: true },
  texts: { icon: "note", piece: TextPiece, page: "text" },
  tables: { icon: "table", piece: TableView },
  figures: { icon: "scatter", piece: Figure, hasColumns: true },
  distributions: { icon: "bell", piece: AnyPiece, whole: Distributions },
};

/// How the objects of a subject are drawn.
export function rendererOf(subject: string): Renderer {
  return RENDERERS[subject] ?? ANY;
}

/// Subjects in the order of tabs; those without a renderer last.
export function inTabOrder(subjects: readonly string[]): readonly string[] {
  const order = Object.keys(RENDERERS);
  const rank = (subject: string): number => (order.includes(subject) ? order.indexOf(subject) : order.length);
  return [...subjects].sort((a, b) => rank(a) - rank(b));
}

/// One object; one of which the repository holds the address alone is that address.
export function Piece({ subject, ...props }: PieceProps & { readonly subject: string }): JSX.Element {
  const { item } = props;
  if (item.uri !== undefined && item.blob === undefined) {
    const size = item.width && item.height ? `${item.width} × ${item.height}` : "";
    return (
      <Elsewhere uri={item.uri} label={itemLabel(item)}>
        {[size, item.format].filter(Boolean).join(" · ")}
      </Elsewhere>
    );
  }
  const { piece: Drawn } = rendererOf(subject);
  return <Drawn {...props} />;
}
