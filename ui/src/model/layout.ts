/// Where the reader put the cards: own sections, another order, wider cards. It is part of the address, so that links
/// and saved views have it:
///
///     own=>Focus;loss{"subset":"val"};accuracy{"subset":"val"}       a section and its cards, in this order
///     wide=loss{"subset":"val"}*2                                    a card that spans two columns
///     away=loss{"subset":"val"};lr                                   cards that are hidden
///
/// Cards that the reader did not move stay where `cards.ts` puts them, behind those that were moved to the same
/// section.

import type { Card, Section } from "./cards";

/// A section that the reader arranged: its name, and the ids of its cards.
export interface Arranged {
  readonly name: string;
  readonly cards: readonly string[];
}

/// A section as it is shown; `isOwn`: the reader made it.
export interface ArrangedSection extends Section {
  readonly isOwn: boolean;
}

/// The widest a card can be, in columns.
export const SPAN_MOST = 3;

function escape(text: string): string {
  return text.replace(/[\\;*>]/g, (sign) => `\\${sign}`);
}

/// The parts of a text between its bare semicolons, still escaped.
function parts(text: string): string[] {
  return (text.match(/(?:\\.|[^;\\])+/gs) ?? []).map((part) => part.trim()).filter(Boolean);
}

function plain(text: string): string {
  return text.replace(/\\(.)/gs, "$1");
}

/// Reads `own`.
export function parseOwn(text: string): readonly Arranged[] {
  const sections: { name: string; cards: string[] }[] = [];
  for (const part of parts(text)) {
    if (part.startsWith(">")) sections.push({ name: plain(part.slice(1)), cards: [] });
    else sections.at(-1)?.cards.push(plain(part));
  }
  return sections;
}

/// Writes `own`.
export function formatOwn(sections: readonly Arranged[]): string {
  return sections.flatMap(({ name, cards }) => [`>${escape(name)}`, ...cards.map(escape)]).join(";");
}

/// Reads `wide`: how many columns a card spans, by its id; 1 is left out.
export function parseWide(text: string): ReadonlyMap<string, number> {
  const spans = new Map<string, number>();
  for (const part of parts(text)) {
    const match = /^(.*)\*([23])$/s.exec(part);
    if (match) spans.set(plain(match[1]), Number(match[2]));
  }
  return spans;
}

/// Writes `wide`.
export function formatWide(spans: ReadonlyMap<string, number>): string {
  return [...spans]
    .filter(([, span]) => span > 1)
    .map(([id, span]) => `${escape(id)}*${Math.min(SPAN_MOST, span)}`)
    .join(";");
}

/// Reads `away`: the ids of hidden cards.
export function parseAway(text: string): ReadonlySet<string> {
  return new Set(parts(text).map(plain));
}

/// Writes `away`.
export function formatAway(ids: ReadonlySet<string>): string {
  return [...ids].map(escape).join(";");
}

/// Sections without the hidden cards.
export function withoutCards(sections: readonly Section[], hidden: ReadonlySet<string>): readonly Section[] {
  return sections.map(({ name, cards }) => ({ name, cards: cards.filter(({ id }) => !hidden.has(id)) }));
}

/// Puts cards where the reader wants them: the reader's sections first, in their order, then the automatic ones.
export function arrange(sections: readonly Section[], arranged: readonly Arranged[]): readonly ArrangedSection[] {
  const cards = new Map(sections.flatMap((section) => section.cards).map((card) => [card.id, card]));
  const taken = new Set(arranged.flatMap((section) => section.cards));
  const listed = (names: readonly string[]): readonly Card[] =>
    names.map((id) => cards.get(id)).filter((card) => card !== undefined);
  const automatic = new Set(sections.map(({ name }) => name));
  const mine = arranged
    .filter(({ name }) => !automatic.has(name))
    .map(({ name, cards: ids }) => ({ name, cards: listed(ids), isOwn: true }));
  const others = sections.map(({ name, cards: all }) => ({
    name,
    isOwn: false,
    cards: [
      ...listed(arranged.find((section) => section.name === name)?.cards ?? []),
      ...all.filter(({ id }) => !taken.has(id)),
    ],
  }));
  return [...mine, ...others.filter((section) => section.cards.length > 0)];
}

/// Moves a card before another one (null: to the end) in a section of what is shown now; returns the new arrangement.
export function moveCard(
  current: readonly ArrangedSection[],
  arranged: readonly Arranged[],
  id: string,
  section: string,
  before: string | null,
): readonly Arranged[] {
  const without = arranged.map(({ name, cards }) => ({ name, cards: cards.filter((card) => card !== id) }));
  const ids = (current.find(({ name }) => name === section)?.cards ?? [])
    .map((card) => card.id)
    .filter((card) => card !== id);
  const at = before === null ? -1 : ids.indexOf(before);
  ids.splice(at < 0 ? ids.length : at, 0, id);
  const others = without.filter(({ name }) => name !== section);
  const index = without.findIndex(({ name }) => name === section);
  const made = { name: section, cards: ids };
  return index < 0 ? [...others, made] : [...others.slice(0, index), made, ...others.slice(index)];
}

/// Moves a card by some places within its section.
export function shiftCard(
  current: readonly ArrangedSection[],
  arranged: readonly Arranged[],
  id: string,
  by: -1 | 1,
): readonly Arranged[] {
  const section = current.find(({ cards }) => cards.some((card) => card.id === id));
  if (!section) return arranged;
  const ids = section.cards.map((card) => card.id);
  const at = ids.indexOf(id) + by;
  if (at < 0 || at >= ids.length) return arranged;
  return moveCard(current, arranged, id, section.name, by < 0 ? ids[at] : (ids[at + 1] ?? null));
}

/// A section's name that is not taken yet.
export function freshName(sections: readonly { readonly name: string }[], text: string): string {
  const taken = new Set(sections.map(({ name }) => name));
  let [name, number] = [text, 2];
  while (taken.has(name)) name = `${text} ${number++}`;
  return name;
}
