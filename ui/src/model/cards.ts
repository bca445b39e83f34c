/// Which cards the workspace has, and in which sections: by itself, from the names and contexts of what was tracked.

import { contextLabel, sequenceText } from "./fields";
import type { SequenceKey } from "../wire/types";

/// One chart: one metric, or one metric in several contexts.
export interface Card {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly metrics: readonly SequenceKey[];
}

export interface Section {
  readonly name: string;
  readonly cards: readonly Card[];
}

/// `context`: a card a context. `name`: a card a name, contexts told apart by dashes.
export type Split = "context" | "name";

const PLAIN_SECTION = "metrics";
const SECTION_ORDER = [/^val/i, /^eval/i, /^test/i, /^metrics$/, /^train/i];
const CARD_ORDER = [/^acc/i, /^loss$/i, /loss/i, /^f1/i];

function rankIn(order: readonly RegExp[], name: string): number {
  const at = order.findIndex((pattern) => pattern.test(name));
  return at < 0 ? order.length : at;
}

function byOrder(order: readonly RegExp[]): (a: string, b: string) => number {
  return (a, b) => rankIn(order, a) - rankIn(order, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/// The sections of a workspace: the prefix of the name (`train/loss`), else the context, else one for all.
export function sectionsOf(metrics: readonly SequenceKey[], split: Split): readonly Section[] {
  const sections = new Map<string, Map<string, { title: string; subtitle: string; metrics: SequenceKey[] }>>();
  for (const { name, context } of metrics) {
    const slash = name.indexOf("/");
    const prefix = slash > 0 ? name.slice(0, slash) : "";
    const inContext = contextLabel(context);
    const section = prefix || (split === "context" && inContext) || PLAIN_SECTION;
    const title = prefix ? name.slice(slash + 1) : name;
    const subtitle = [prefix, split === "context" ? inContext : ""].filter(Boolean).join(" · ");
    const id = split === "context" ? sequenceText({ name, context }) : name;
    let cards = sections.get(section);
    if (!cards) sections.set(section, (cards = new Map()));
    const card = cards.get(id);
    if (card) card.metrics.push({ name, context });
    else cards.set(id, { title, subtitle, metrics: [{ name, context }] });
  }
  const names = [...sections.keys()].sort(byOrder(SECTION_ORDER));
  const compare = byOrder(CARD_ORDER);
  return names.map((name) => ({
    name,
    cards: [...(sections.get(name) ?? [])]
      .map(([id, card]) => ({ id, ...card }))
      .sort((a, b) => compare(a.title, b.title) || (a.id < b.id ? -1 : 1)),
  }));
}
