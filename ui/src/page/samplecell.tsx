/// A cell of a logged table: a value, a text, a picture, a sound, or a file to be downloaded.

import type { JSX } from "preact";
import { formatNumber } from "../model/format";
import { blobUrl, pictureUrl } from "../model/objects";
import type { CellObject } from "../wire/objects";
import { digitsOf } from "../wire/json";
import { numberOf, type Json, type WireNumber } from "../wire/types";
import { Icon } from "../widget/icon";
import { useApp } from "./app";
import { Address } from "./reference";

function objectOf(cell: Json): CellObject | null {
  if (cell === null || typeof cell !== "object" || Array.isArray(cell) || !("kind" in cell)) return null;
  const { kind, fields, file } = cell as { readonly [key: string]: Json };
  return { kind: String(kind), fields: fields as CellObject["fields"], file: file === null ? null : String(file) };
}

function uriOf(object: CellObject): string | null {
  const reference = object.fields.reference ?? null;
  if (reference === null || typeof reference !== "object" || Array.isArray(reference)) return null;
  const { uri } = reference as { readonly [key: string]: Json };
  return typeof uri === "string" ? uri : null;
}

/// The text of a cell that is one; null: it is something else.
export function textIn(cell: Json): string | null {
  if (typeof cell === "string") return cell;
  const object = objectOf(cell);
  return object?.kind === "aim.text" ? String(object.fields.text ?? "") : null;
}

/// The cell. `blob`: the table that it is in.
export function SampleCell({ cell, type, blob }: { cell: Json; type: string; blob: string }): JSX.Element {
  const { scope } = useApp();
  const object = objectOf(cell);
  if (object) {
    const uri = uriOf(object);
    const url = object.file === null ? null : blobUrl(scope, blob, object.file);
    if (object.kind === "aim.image" && url)
      return (
        <img
          src={pictureUrl(scope, blob, object.file ?? undefined)}
          alt={String(object.fields.caption ?? "")}
          title={uri ?? undefined}
          loading="lazy"
          decoding="async"
        />
      );
    if (object.kind === "aim.audio" && url)
      return <audio controls preload="none" src={url} aria-label={String(object.fields.caption ?? "sound")} />;
    if (object.kind === "aim.text") return <span class="words">{String(object.fields.text ?? "")}</span>;
    if (uri !== null && !url) return <Address uri={uri} />;
    return url ? (
      <a class="pill" href={url} download>
        <Icon name="download" size={13} />
        {object.kind}
      </a>
    ) : (
      <span class="muted">{object.kind}</span>
    );
  }
  if (cell === null) return <span class="muted">–</span>;
  const digits = digitsOf(cell);
  if (digits !== null) return <span>{digits}</span>;
  if (type === "float" || type === "int")
    return <span title={String(cell)}>{formatNumber(numberOf(cell as WireNumber) ?? NaN)}</span>;
  return <span class="words">{String(cell)}</span>;
}
