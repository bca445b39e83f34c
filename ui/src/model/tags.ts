/// Tags: their colours and meanings, from the documents that the SDK and the commands write
/// too.

import { computed, effect, untracked } from "@preact/signals";
import { hashOf } from "../chart/palette";
import { documentId, type Documents } from "./documents";
import type { Scope } from "./scope";
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

/// What the documents say of tags, by name; of two documents of one name the later one counts.
export function describedTags(documents: readonly StoredDocument[]): ReadonlyMap<string, Omit<TagLook, "hue">> {
  const tags = documents
    .filter(({ kind, body }) => kind === "tag" && typeof body.name === "string")
    .sort((a, b) => a.updated_at - b.updated_at);
  return new Map(
    tags.map(({ body: { name, color, description } }) => [
      String(name),
      {
        color: typeof color === "string" && COLOR.test(color) ? color : null,
        description: typeof description === "string" && description !== "" ? description : null,
      },
    ]),
  );
}

/// The looks of tags in a repository.
export class Tags {
  private readonly described = computed(() => describedTags(this.documents.all.value ?? []));

  constructor(
    private readonly scope: Scope,
    private readonly documents: Documents,
  ) {}

  /// How the tag of this name is shown.
  readonly look = (name: string): TagLook => ({
    hue: hashOf(name) % 360,
    color: null,
    description: null,
    ...this.described.value.get(name),
  });

  /// Sets the colour of a tag, or what it means; null removes it. What else its document holds stays.
  readonly describe = async (
    name: string,
    changes: { readonly color?: string | null; readonly description?: string | null },
  ): Promise<void> => {
    await this.documents.load(); // another page may have changed it meanwhile
    const tags = (this.documents.all.peek() ?? []).filter(({ kind }) => kind === "tag");
    const document = tags.filter(({ body }) => body.name === name).sort((a, b) => b.updated_at - a.updated_at)[0];
    const body: { readonly [key: string]: Json } = { ...document?.body, name, ...changes };
    await this.documents.save(
      "tag",
      document?.id ?? documentId(name, new Set(tags.map(({ id }) => id))),
      document?.revision ?? null,
      Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null)),
    );
  };

  /// Asks for the tags' colours once a run has a tag. Called once.
  readonly start = (): void => {
    const hasTags = computed(() => (this.scope.fields.value?.facets.tags ?? []).length > 0);
    effect(() => {
      if (this.scope.repo.value !== "" && hasTags.value) untracked(() => void this.documents.load());
    });
  };
}
