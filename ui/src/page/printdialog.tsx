/// A chart as a figure for a paper or a slide: its size, font, text and lines, and the file. The choice is kept in this
/// browser.

import { signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Plot } from "../chart/plot";
import { BOUNDS, FONTS, PRESETS, printedSvg, readSettings, type FontName, type Measure } from "../chart/print";
import type { PrintSettings } from "../chart/print";
import { Dialog } from "../widget/dialog";
import { saveFile } from "../widget/text";
import { useApp } from "./app";
import { fileName } from "./chartexport";

const PREVIEW_VH = 55;
const KEY = "aim.figure";
const MEASURES: readonly (readonly [Measure, string])[] = [
  ["width_mm", "width, mm"],
  ["height_mm", "height, mm"],
  ["text_pt", "text, pt"],
  ["line_pt", "lines, pt"],
];
const FONT_TITLES: Readonly<Record<FontName, string>> = { sans: "Helvetica", serif: "Times", mono: "Courier" };

/// What is printed: how it is drawn as SVG, and what it is called at first.
interface Printed {
  readonly draw: (title: string, settings: PrintSettings) => string;
  readonly title: string;
}

const printed = signal<Printed | null>(null);

/// Opens the box for a chart as it is on the screen.
export function openPrint(plot: Plot, title: string): void {
  openPrintOf((name, settings) => printedSvg(plot, name, settings), title);
}

/// Opens the box for what `draw` draws.
export function openPrintOf(draw: Printed["draw"], title: string): void {
  printed.value = { draw, title };
}

/// The box, when a chart is to be printed.
export function PrintDialog(): JSX.Element | null {
  const now = printed.value;
  return now && <PrintBox {...now} />;
}

function PrintBox({ draw, title }: Printed): JSX.Element {
  const { session } = useApp();
  const settings = useSignal<PrintSettings>(readSettings(localStorage.getItem(KEY)));
  const name = useSignal(title);
  const isBusy = useSignal(false);
  const set = (changes: Partial<PrintSettings>): void => {
    settings.value = { ...settings.peek(), ...changes };
    localStorage.setItem(KEY, JSON.stringify(settings.peek()));
  };
  const svg = draw(name.value, settings.value);
  const { width_mm, height_mm } = settings.value;
  const savePdf = async (): Promise<void> => {
    isBusy.value = true;
    try {
      const { pdfOf } = await import("../print/pdf");
      saveFile(`${fileName(name.peek())}.pdf`, await pdfOf(svg, width_mm, height_mm, name.peek()));
    } catch (error) {
      session.report(error);
    } finally {
      isBusy.value = false;
    }
  };
  return (
    <Dialog title="Figure for a paper or a slide" isWide onClose={() => (printed.value = null)}>
      <div class="print">
        <PrintFields settings={settings.value} set={set} title={name.value} rename={(text) => (name.value = text)} />
        <div class="print-preview">
          <img
            alt={`Preview of ${name.value}`}
            src={`data:image/svg+xml,${encodeURIComponent(svg)}`}
            style={{ width: `min(100%, ${(PREVIEW_VH * width_mm) / height_mm}vh)` }}
          />
        </div>
        <div class="line">
          <button type="button" class="pill strong" disabled={isBusy.value} onClick={() => void savePdf()}>
            Save PDF
          </button>
          <button
            type="button"
            class="pill"
            onClick={() => saveFile(`${fileName(name.peek())}.svg`, svg, "image/svg+xml")}
          >
            Save SVG
          </button>
          <span class="muted">Text stays text, lines stay lines; colours are those for white paper.</span>
        </div>
      </div>
    </Dialog>
  );
}

interface PrintFieldsProps {
  readonly settings: PrintSettings;
  readonly set: (changes: Partial<PrintSettings>) => void;
  readonly title: string;
  readonly rename: (text: string) => void;
}

function PrintFields({ settings, set, title, rename }: PrintFieldsProps): JSX.Element {
  const chosen = JSON.stringify(settings);
  return (
    <div class="print-fields">
      <span class="segments" role="group" aria-label="Size of the figure">
        {Object.entries(PRESETS).map(([preset, values]) => (
          <button
            key={preset}
            type="button"
            class={JSON.stringify(values) === chosen ? "on" : ""}
            aria-pressed={JSON.stringify(values) === chosen}
            onClick={() => set(values)}
          >
            {preset}
          </button>
        ))}
      </span>
      <label>
        title <input value={title} onInput={({ currentTarget }) => rename(currentTarget.value)} />
      </label>
      {MEASURES.map(([measure, label]) => (
        <label key={measure}>
          {label}{" "}
          <input
            type="number"
            min={BOUNDS[measure][0]}
            max={BOUNDS[measure][1]}
            step="any"
            value={settings[measure]}
            onInput={({ currentTarget }) => {
              if (currentTarget.validity.valid) set({ [measure]: currentTarget.valueAsNumber });
            }}
            onChange={({ currentTarget }) => {
              currentTarget.value = String(settings[measure]);
            }}
            required
          />
        </label>
      ))}
      <label>
        font{" "}
        <select value={settings.font} onChange={({ currentTarget }) => set({ font: currentTarget.value as FontName })}>
          {(Object.keys(FONTS) as FontName[]).map((font) => (
            <option key={font} value={font}>
              {FONT_TITLES[font]}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
