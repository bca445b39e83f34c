/// A card with a zoom of its own, on pages about few runs.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { plainSettings } from "../model/cardsettings";
import type { CardSubject } from "./carddata";
import { ChartCard } from "./chartcard";

/// The card.
export function PlainCard(props: Omit<CardSubject, "settings">): JSX.Element {
  const settings = useMemo(() => plainSettings(), []);
  return <ChartCard {...props} settings={settings} />;
}
