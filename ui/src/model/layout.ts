/// Where the reader put the cards: own sections, another order, wider cards. It is part of the address, so that links and
/// saved views have it:
///
///     own=>Focus;loss{"subset":"val"};accuracy{"subset":"val"}       a section and its cards, in this order
///     wide=loss{"subset":"val"}*2                                    a card that spans two columns
///
/// Cards that nobody placed stay where `cards.ts` puts them, behind those that were placed in the same section.

import type { Card, Section } from "./cards";

/// A section that was arranged: its own name, or that of one which is there by itself; and ids of cards.
export interface Placed {
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
export function parseOwn(text: string): readonly Placed[] {
  const sections: { name: string; cards: string[] }[] = [];
  for (const part of parts(text)) {
    if (part.startsWith(">")) sections.push({ name: plain(part.slice(1)), cards: [] });
    else sections.at(-1)?.cards.push(plain(part));
  }
  return sections;
}

/// Writes `own`.
export function formatOwn(sections: readonly Placed[]): string {
  return sections.flatMap(({ name, cards }) => [`>${escape(name)}`, ...cards.map(escape)]).join(";");
}

/// Reads `wide`: how many columns a card spans, by its id; 1 is left out.
export function parseWide(text: string): ReadonlyMap<string, number> {
  const spans = new Map<string, number>();
  for (const part of parts(text)) {
    const found = /^(.*)\*([23])$/s.exec(part);
    if (found) spans.set(plain(found[1]), Number(found[2]));
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

/// Puts cards where the reader wants them: own sections first, in their order, then those that are there by themselves.
export function arrange(sections: readonly Section[], placed: readonly Placed[]): readonly ArrangedSection[] {
  const cards = new Map(sections.flatMap((section) => section.cards).map((card) => [card.id, card]));
  const taken = new Set(placed.flatMap((section) => section.cards));
  const listed = (names: readonly string[]): readonly Card[] =>
    names.map((id) => cards.get(id)).filter((card) => card !== undefined);
  const automatic = new Set(sections.map(({ name }) => name));
  const own = placed
    .filter(({ name }) => !automatic.has(name))
    .map(({ name, cards: ids }) => ({ name, cards: listed(ids), isOwn: true }));
  const others = sections.map(({ name, cards: all }) => ({
    name,
    isOwn: false,
    cards: [...listed(placed.find((one) => one.name === name)?.cards ?? []), ...all.filter(({ id }) => !taken.has(id))],
  }));
  return [...own, ...others.filter((section) => section.cards.length > 0)];
}

/// Moves a card before another one (null: to the end) in a section of what is shown now; gives the new placement.
export function moveCard(
  shown: readonly ArrangedSection[],
  placed: readonly Placed[],
  id: string,
  section: string,
  before: string | null,
): readonly Placed[] {
  const without = placed.map(({ name, cards }) => ({ name, cards: cards.filter((one) => one !== id) }));
  const ids = (shown.find(({ name }) => name === section)?.cards ?? [])
    .map((card) => card.id)
    .filter((one) => one !== id);
  const at = before === null ? -1 : ids.indexOf(before);
  ids.splice(at < 0 ? ids.length : at, 0, id);
  const rest = without.filter(({ name }) => name !== section);
  const place = without.findIndex(({ name }) => name === section);
  const made = { name: section, cards: ids };
  return place < 0 ? [...rest, made] : [...rest.slice(0, place), made, ...rest.slice(place)];
}

/// Moves a card by some places within its section.
export function shiftCard(
  shown: readonly ArrangedSection[],
  placed: readonly Placed[],
  id: string,
  by: -1 | 1,
): readonly Placed[] {
  const section = shown.find(({ cards }) => cards.some((card) => card.id === id));
  if (!section) return placed;
  const ids = section.cards.map((card) => card.id);
  const at = ids.indexOf(id) + by;
  if (at < 0 || at >= ids.length) return placed;
  return moveCard(shown, placed, id, section.name, by < 0 ? ids[at] : (ids[at + 1] ?? null));
}

/// A section's name that is not taken yet.
export function freshName(shown: readonly { readonly name: string }[], wanted: string): string {
  const taken = new Set(shown.map(({ name }) => name));
  let [name, number] = [wanted, 2];
  while (taken.has(name)) name = `${wanted} ${number++}`;
  return name;
}
