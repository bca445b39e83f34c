/// What can be done with a card: pictures and files of it, its code, its link, and where it stands.

import type { App } from "../model/app";
import type { Card } from "../model/cards";
import { endsOf, extremeRuns, RUNS_MOST, runsClause, runsInView } from "../model/inview";
import { pythonCode } from "../model/pythoncode";
import type { MenuItem } from "../widget/popover";
import type { CardData } from "./carddata";
import { DATA_FORMATS, exportPng, exportSvg, exportUrl } from "./chartexport";
import { openPrint } from "./printdialog";

const EXTREMES = [5, 10];

/// Puts a text on the clipboard, and says so.
export async function copyText({ session }: Pick<App, "session">, text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    session.toast(done);
  } catch (error) {
    session.report(error);
  }
}

/// The title of a card in one line.
export function cardTitle({ title, subtitle }: Card): string {
  return [title, subtitle].filter(Boolean).join(" ");
}

/// How the query can be narrowed to what the chart shows.
function narrowing({ scope }: Pick<App, "scope">, card: Card, { lines, plot }: CardData): readonly MenuItem[] {
  const shown = plot.current;
  if (!shown || lines.peek().ownerOf.size < 2) return [];
  const to = (label: string, runs: () => readonly string[]): MenuItem => ({
    label,
    icon: "filter",
    run: () => scope.narrow(runsClause(runs().slice(0, RUNS_MOST))),
  });
  const { direction, best, worst } = endsOf(card.metrics[0].name);
  const extreme = (count: number, isBest: boolean): MenuItem =>
    to(`Only the ${count} ${isBest ? best : worst} here`, () =>
      extremeRuns(lines.peek(), shown, { count, direction, isBest }),
    );
  const isZoomed = shown.options.window !== null || shown.options.yWindow !== null;
  const inView = runsInView(lines.peek(), shown);
  const canFilter = isZoomed && inView.length > 0 && inView.length <= RUNS_MOST;
  return [
    ...(canFilter ? [to(`Filter to what is seen here: ${inView.length}`, () => inView)] : []),
    ...EXTREMES.flatMap((count) => [extreme(count, true), extreme(count, false)]),
  ];
}

/// The items of a card's menu; `more` come last.
export function cardActions(
  app: Pick<App, "session" | "scope">,
  card: Card,
  data: CardData,
  onExpand: ((card: Card) => void) | undefined,
  more: readonly MenuItem[],
): readonly MenuItem[] {
  const { scope, session } = app;
  const formats = session.server.peek()?.archive ? [] : DATA_FORMATS; // a file has no server that writes files
  const title = cardTitle(card);
  const { plot, request } = data;
  const code = (): string => pythonCode(card.metrics, scope.expression.peek());
  return [
    ...(onExpand ? [{ label: "Full screen", icon: "expand", hint: "f", run: () => onExpand(card) } as const] : []),
    { label: "PNG picture", icon: "download", run: () => plot.current && exportPng(plot.current, title) },
    { label: "SVG picture", icon: "download", run: () => plot.current && exportSvg(plot.current, title) },
    {
      label: "Figure for a paper or a slide",
      icon: "report",
      run: () => plot.current && openPrint(plot.current, title),
    },
    ...formats.map(([format, name]) => {
      const save = (): void => {
        const body = request.peek();
        if (body) location.assign(exportUrl(scope, "series", format, body));
      };
      return { label: `${name} of all points`, icon: "download", run: save } as const;
    }),
    { label: "Copy as Python", icon: "copy", run: () => void copyText(app, code(), "Python code copied.") },
    { label: "Copy link", icon: "link", run: () => void copyText(app, location.href, "Link copied.") },
    ...narrowing(app, card, data),
    ...more,
  ];
}
