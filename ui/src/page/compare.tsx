/// Some runs beside each other: params, results, curves, pictures, code and machine, all on one page.

import { signal, useComputed, useSignal, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { change, listSetting } from "../model/address";
import { sectionsOf } from "../model/cards";
import { diffTrees, metricRows, type DiffRow } from "../model/compare";
import { betterDirection, contextLabel, isMetricKind, isSystemMetric, sequenceText } from "../model/fields";
import { formatAgo, formatDelta, formatDuration, formatNumber, formatTime } from "../model/format";
import { isBaseline, toggleBaseline } from "../model/marks";
import { allSteps, atPresent, itemsOf, objectsStore, objectType, type Item } from "../model/objects";
import { wordsOf } from "../model/overlays";
import { makeScene, runName, type Scene } from "../model/scene";
import { asWireError, here, repo, tick } from "../model/scope";
import { now } from "../model/session";
import { getJson } from "../wire/request";
import type { ObjectsRequest, RunAnswer } from "../wire/types";
import { Icon } from "../widget/icon";
import { Picker, Popover } from "../widget/popover";
import { Notice, Skeleton } from "../widget/state";
import { Patch } from "../widget/patch";
import { State, Swatch } from "../widget/text";
import { leafText, type TreeValue } from "../widget/tree";
import { ChartCard } from "./chartcard";
import { useStore, useTitle } from "./hooks";
import { PageLink } from "./link";
import { Lightbox } from "./lightbox";
import { Piece } from "./mediaitems";
import { OverlayBar } from "./overlay";
import { StepSlider, useStepping } from "./steps";
import { ChartToolbar } from "./toolbar";

const PICTURE_PX = 120;
const chosen = listSetting("runs");

/// The answers for some runs, kept up to date; null for one that is not there (yet).
function useRuns(hashes: ReadonlySignal<readonly string[]>): ReadonlySignal<readonly (RunAnswer | null)[]> {
  const known = useMemo(() => signal<ReadonlyMap<string, RunAnswer>>(new Map()), []);
  const load = async (hash: string): Promise<void> => {
    try {
      const run = await getJson<RunAnswer>(here(`runs/${encodeURIComponent(hash)}`));
      known.value = new Map(known.peek()).set(hash, run);
    } catch (error) {
      asWireError(error);
    }
  };
  useSignalEffect(() => {
    if (repo.value === "") return;
    for (const hash of hashes.value) if (!known.peek().has(hash)) void load(hash);
  });
  useSignalEffect(() => {
    const changed = tick.value?.changed ?? [];
    for (const hash of hashes.peek()) if (changed.includes(hash)) void load(hash);
  });
  return useComputed(() => hashes.value.map((hash) => known.value.get(hash) ?? null));
}

export function ComparePage(): JSX.Element {
  useTitle("Compare");
  const hashes = useComputed(() => chosen.value);
  const scene = useStore(() => makeScene(undefined, hashes));
  const everyone = useStore(() => makeScene());
  const runs = useRuns(hashes);
  const onlyDifferent = useSignal(true);
  const only = useComputed<readonly string[] | null>(() => hashes.value);
  if (hashes.value.length === 0) {
    return (
      <main class="main">
        <Notice icon="compare" title="Nothing to compare yet">
          <p>
            Tick runs in the table or in the list, then press <kbd>C</kbd>.
          </p>
          <PageLink page="runs" class="pill strong">
            To the runs
          </PageLink>
        </Notice>
      </main>
    );
  }
  const base = Math.max(0, hashes.value.findIndex(isBaseline));
  const others = everyone.table.value.hashes.filter((hash) => !hashes.value.includes(hash));
  const set = (next: readonly string[]): void => change({ runs: next.join(",") });
  const metrics = [
    ...new Map(
      runs.value
        .flatMap((run) => run?.sequences ?? [])
        .filter(({ name, kind }) => isMetricKind(kind) && !isSystemMetric(name))
        .map((key) => [sequenceText(key), { name: key.name, context: key.context }]),
    ).values(),
  ];
  const hasImages = runs.value.some((run) => run?.sequences.some(({ kind }) => objectType(kind) === "images"));
  return (
    <main class="main compare-page">
      <div class="toolbar">
        <h1>
          Compare {hashes.value.length} run{hashes.value.length === 1 ? "" : "s"}
        </h1>
        <Popover
          button={
            <>
              <Icon name="plus" size={14} />
              run
            </>
          }
          label="Add a run"
          buttonClass="pill add"
        >
          {() => (
            <Picker
              choices={others.map((hash) => ({
                value: hash,
                label: runName(everyone.table.value, hash),
                detail: hash.slice(0, 8),
              }))}
              chosen={new Set()}
              placeholder="Add a run…"
              onPick={(hash) => set([...hashes.peek(), hash])}
            />
          )}
        </Popover>
        <label class="pill">
          <input
            type="checkbox"
            checked={onlyDifferent.value}
            onChange={(event) => (onlyDifferent.value = event.currentTarget.checked)}
          />
          differences only
        </label>
      </div>
      <div class="sides" style={{ "--runs": String(hashes.value.length) }}>
        <div class="side-head">
          <div class="side-name" />
          {hashes.value.map((hash, i) => {
            const run = runs.value[i];
            return (
              <div key={hash} class="side">
                <div class="line">
                  <Swatch color={scene.looks.value.coloring.colorOf(hash)} />
                  <PageLink page="run" rest={hash} class="name">
                    {run?.name ?? runName(scene.table.value, hash)}
                  </PageLink>
                  <span class="spacer" />
                  <button
                    type="button"
                    class={i === base ? "bare on" : "bare"}
                    title="What the others are compared to"
                    aria-label="Baseline"
                    onClick={() => toggleBaseline(hash)}
                  >
                    <Icon name="star" size={13} />
                  </button>
                  <button
                    type="button"
                    class="bare"
                    aria-label="Leave this run out"
                    onClick={() => set(hashes.peek().filter((other) => other !== hash))}
                  >
                    <Icon name="close" size={12} />
                  </button>
                </div>
                {run && (
                  <div class="line muted">
                    <State status={run.status} error={run.error} />
                    <span title={formatTime(run.created_at)}>{formatAgo(run.created_at, now.value)}</span>
                    <span>{formatDuration(run.duration ?? 0)}</span>
                  </div>
                )}
              </div>
            );
          })}
        </div>
        {runs.value.every((run) => run === null) ? (
          <Skeleton rows={8} />
        ) : (
          <>
            <DiffSection
              title="Params"
              rows={diffTrees(runs.value.map((run) => run?.params ?? null))}
              isShort={onlyDifferent.value}
              base={base}
            />
            <Results runs={runs.value} base={base} />
          </>
        )}
      </div>
      {metrics.length > 0 && <Curves scene={scene} only={only} metrics={metrics} />}
      {hasImages && <Pictures hashes={hashes} nameOf={(hash) => runName(scene.table.value, hash)} />}
      <div class="sides" style={{ "--runs": String(hashes.value.length) }}>
        <DiffSection
          title="Git"
          rows={diffTrees(runs.value.map((run) => without(asTree(run?.system?.git_info), "diff")))}
          isShort={onlyDifferent.value}
          base={base}
        />
        <Source runs={runs.value} isShort={onlyDifferent.value} />
        <DiffSection
          title="Packages"
          rows={diffTrees(runs.value.map((run) => asTree(run?.system?.packages)))}
          isShort={onlyDifferent.value}
          base={base}
        />
        <DiffSection
          title="Environment"
          rows={diffTrees(runs.value.map((run) => asTree(run?.system?.env_variables)))}
          isShort={onlyDifferent.value}
          base={base}
        />
        <DiffSection
          title="Command"
          rows={diffTrees(
            runs.value.map((run) =>
              run?.writers[0]?.command
                ? {
                    command: run.writers[0].command.join(" "),
                    python: run.writers[0].python,
                    host: run.writers[0].host,
                  }
                : null,
            ),
          )}
          isShort={onlyDifferent.value}
          base={base}
        />
      </div>
    </main>
  );
}

function asTree(value: unknown): RunAnswer["params"] | null {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as RunAnswer["params"]) : null;
}

function without(tree: RunAnswer["params"] | null, key: string): RunAnswer["params"] | null {
  return tree && Object.fromEntries(Object.entries(tree).filter(([name]) => name !== key));
}

/// What was changed in the sources and not committed, of each run.
function Source({ runs, isShort }: { runs: readonly (RunAnswer | null)[]; isShort: boolean }): JSX.Element | null {
  const texts = runs.map((run) => String(asTree(run?.system?.git_info)?.diff ?? ""));
  if (texts.every((text) => text === "") || (isShort && texts.every((text) => text === texts[0]))) return null;
  return (
    <section aria-label="Uncommitted changes">
      <div class="section">
        <b>Uncommitted changes</b> <span class="muted">against each run's own commit</span>
      </div>
      <div class="diff">
        <div class="diff-row top">
          <div class="side-name" />
          {texts.map((text, i) => (
            <div key={i} class="side">
              {text === "" ? <span class="muted">none</span> : <Patch text={text} label="Uncommitted changes" />}
            </div>
          ))}
        </div>
      </div>
    </section>
  );
}

function DiffSection({
  title,
  rows,
  isShort,
  base,
}: {
  title: string;
  rows: readonly DiffRow[];
  isShort: boolean;
  base: number;
}): JSX.Element | null {
  const shown = isShort ? rows.filter((row) => !row.isSame) : rows;
  if (rows.length === 0) return null;
  return (
    <section aria-label={title}>
      <div class="section">
        <b>{title}</b>{" "}
        <span class="muted">
          {rows.length - rows.filter((row) => row.isSame).length} of {rows.length} differ
        </span>
      </div>
      {shown.length > 0 && (
        <div class="diff">
          {shown.map((row) => (
            <div key={row.name} class="diff-row">
              <div class="side-name" title={row.name}>
                {row.name}
              </div>
              {row.values.map((value, i) => {
                const isChanged = !row.isSame && JSON.stringify(value) !== JSON.stringify(row.values[base]);
                const text = value === undefined ? "–" : leafText(value as TreeValue);
                return (
                  <div key={i} class="side" title={text}>
                    <span class={isChanged ? "changed" : value === undefined ? "muted" : ""}>{text}</span>
                  </div>
                );
              })}
            </div>
          ))}
        </div>
      )}
    </section>
  );
}

function Results({ runs, base }: { runs: readonly (RunAnswer | null)[]; base: number }): JSX.Element | null {
  const rows = metricRows(runs, ({ name, kind }) => isMetricKind(kind) && !isSystemMetric(name));
  if (rows.length === 0) return null;
  return (
    <section aria-label="Results">
      <div class="section">
        <b>Results</b> <span class="muted">last value, difference to the baseline</span>
      </div>
      <div class="diff">
        {rows.map(({ key, last, min, max }) => {
          const direction = betterDirection(key.name);
          const numbers = last.filter((value): value is number => value !== null && Number.isFinite(value));
          const best =
            direction !== 0 && numbers.length > 1 ? (direction < 0 ? Math.min(...numbers) : Math.max(...numbers)) : NaN;
          return (
            <div key={sequenceText(key)} class="diff-row">
              <div class="side-name">
                {key.name} <span class="muted">{contextLabel(key.context)}</span>
              </div>
              {last.map((value, i) => {
                const from = last[base];
                return (
                  <div key={i} class="side" title={value === null ? "" : `last ${value}, min ${min[i]}, max ${max[i]}`}>
                    <span class={value === best ? "best" : ""}>{value === null ? "–" : formatNumber(value)}</span>
                    {i !== base && value !== null && from !== null && Number.isFinite(value - from) && (
                      <em class="delta">{formatDelta(value - from)}</em>
                    )}
                  </div>
                );
              })}
            </div>
          );
        })}
      </div>
    </section>
  );
}

function Curves({
  scene,
  only,
  metrics,
}: {
  scene: Scene;
  only: ReadonlySignal<readonly string[] | null>;
  metrics: Parameters<typeof sectionsOf>[0];
}): JSX.Element {
  const sections = sectionsOf(metrics, "name");
  return (
    <section aria-label="Curves">
      <div class="section">
        <b>Curves</b> <span class="spacer" />
        <ChartToolbar isPlain />
      </div>
      <div class="cards">
        {sections
          .flatMap((section) => section.cards)
          .map((card) => (
            <ChartCard key={card.id} card={card} scene={scene} runs={only} isPlain />
          ))}
      </div>
    </section>
  );
}

function Pictures({
  hashes,
  nameOf,
}: {
  hashes: ReadonlySignal<readonly string[]>;
  nameOf: (hash: string) => string;
}): JSX.Element {
  const at = useSignal<number | null>(null);
  const open = useSignal<readonly Item[] | null>(null);
  const wish = useComputed<ObjectsRequest>(() => ({
    query: "",
    runs: hashes.value,
    type: "images",
    steps: { at: at.value },
    index: { from: 0, count: 8 },
  }));
  const store = useStore(() => objectsStore(wish));
  const stepping = useStepping(
    useComputed(() => allSteps(store.answer.value)),
    at,
    (step) => (at.value = step),
    () => !store.isLoading.peek(),
  );
  const items = itemsOf(store.answer.value);
  const words = wordsOf(items);
  const names = [...new Map(items.map((item) => [sequenceText(item.of), item.of])).values()];
  return (
    <section aria-label="Images">
      <div class="section">
        <b>Images</b> <StepSlider stepping={stepping} />
      </div>
      <OverlayBar items={items} />
      {names.map((key) => (
        <div key={sequenceText(key)} class="sides" style={{ "--runs": String(hashes.value.length) }}>
          <div class="diff-row top">
            <div class="side-name">
              {key.name} <span class="muted">{contextLabel(key.context)}</span>
            </div>
            {hashes.value.map((hash) => (
              <div key={hash} class="side wrap">
                {items
                  .filter((item) => item.run === hash && sequenceText(item.of) === sequenceText(key))
                  .map((item) => (
                    <Piece
                      key={item.index}
                      type="images"
                      item={item}
                      size_px={PICTURE_PX}
                      words={words}
                      onOpen={() =>
                        (open.value = items.filter(
                          (other) => other.index === item.index && sequenceText(other.of) === sequenceText(key),
                        ))
                      }
                    />
                  ))}
              </div>
            ))}
          </div>
        </div>
      ))}
      {open.value && (
        <Lightbox
          items={atPresent(open.value, items)}
          labelOf={(item) => `${nameOf(item.run)} · step ${item.step}${item.caption ? ` · ${item.caption}` : ""}`}
          words={words}
          onStep={stepping.move}
          onClose={() => (open.value = null)}
        />
      )}
    </section>
  );
}
