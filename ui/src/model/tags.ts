/// Tags: the colour and the meaning that somebody gave them, from the documents that the SDK and the commands write too.

import { computed, effect, untracked } from "@preact/signals";
import { hashOf } from "../chart/palette";
import { documents, loadDocuments } from "./documents";
import { fields, repo } from "./scope";
import type { StoredDocument } from "../wire/types";

const COLOR = /^#[0-9a-f]{6}$/;

/// How a tag is shown: `hue` from its name in 0 … 359, unless it was given a `color`, `#rrggbb`.
export interface TagLook { readonly hue: number; readonly color: string | null; readonly description: string | null }

/// What was said of tags, by name; of two documents of one name the later one counts.
export function tagsSaid(documents: readonly StoredDocument[]): ReadonlyMap<string, Omit<TagLook, "hue">> {
  const said = documents.filter(({ kind, body }) => kind === "tag" && typeof body.name === "string").sort((a, b) => a.updated_at - b.updated_at);
  return new Map(said.map(({ body: { name, color, description } }) => [
    String(name), { color: typeof color === "string" && COLOR.test(color) ? color : null, description: typeof description === "string" && description !== "" ? description : null },
  ]));
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
