/// Tags: the colour and the meaning that somebody gave them, from the documents that the SDK and the commands write too.

import { computed, effect, untracked } from "@preact/signals";
import { hashOf } from "../chart/palette";
import { documentId, documents, loadDocuments, saveDocument } from "./documents";
import { fields, repo } from "./scope";
import type { Json, StoredDocument } from "../wire/types";

const COLOR = /^#[0-9a-f]{6}$/;

/// The colours that are offered, as the SDK names them.
export const TAG_COLORS: Readonly<Record<string, string>> = {
  red: "#d92d20",
  orange: "#e8590c",
  yellow: "#c99700",
  green: "#3f9463",
  teal: "#0c8599",
  blue: "#243cdf",
  purple: "#761c9e",
  pink: "#d63ad4",
  brown: "#a75b05",
  grey: "#868e96",
};

/// How a tag is shown: `hue` from its name in 0 … 359, unless it was given a `color`, `#rrggbb`.
export interface TagLook {
  readonly hue: number;
  readonly color: string | null;
  readonly description: string | null;
}

/// What was said of tags, by name; of two documents of one name the later one counts.
export function tagsSaid(documents: readonly StoredDocument[]): ReadonlyMap<string, Omit<TagLook, "hue">> {
  const said = documents
    .filter(({ kind, body }) => kind === "tag" && typeof body.name === "string")
    .sort((a, b) => a.updated_at - b.updated_at);
  return new Map(
    said.map(({ body: { name, color, description } }) => [
      String(name),
      {
        color: typeof color === "string" && COLOR.test(color) ? color : null,
        description: typeof description === "string" && description !== "" ? description : null,
      },
    ]),
  );
}

/// Says the colour of a tag, or what it means; null takes it away. What else its document holds stays.
export async function describeTag(
  name: string,
  said: { readonly color?: string | null; readonly description?: string | null },
): Promise<void> {
  await loadDocuments(); // somebody else may have said something meanwhile
  const tags = (documents.peek() ?? []).filter(({ kind }) => kind === "tag");
  const known = tags.filter(({ body }) => body.name === name).sort((a, b) => b.updated_at - a.updated_at)[0];
  const whole: { readonly [key: string]: Json } = { ...known?.body, name, ...said };
  const body = Object.entries(whole).filter(([, value]) => value !== null);
  await saveDocument(
    "tag",
    known?.id ?? documentId(name, new Set(tags.map(({ id }) => id))),
    known?.revision ?? null,
    Object.fromEntries(body),
  );
}

const looks = computed(() => tagsSaid(documents.value ?? []));

/// How the tag of this name is shown.
export function tagLook(name: string): TagLook {
  return { hue: hashOf(name) % 360, color: null, description: null, ...looks.value.get(name) };
}

/// Begins to know the tags' colours, once a run has a tag. Called once.
export function startTags(): void {
  const hasTags = computed(() => (fields.value?.facets.tags ?? []).length > 0);
  effect(() => {
    if (repo.value !== "" && hasTags.value) untracked(() => void loadDocuments());
  });
}
