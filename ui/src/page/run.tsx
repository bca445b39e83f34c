/// One run: its facts, its curves, and a tab for each kind of thing that it has. Nothing it has not.

import { useComputed, useSignal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { address, change, setting } from "../model/address";
import type { Extent } from "../chart/extent";
import { sectionsOf, type Card } from "../model/cards";
import { canEdit, edit } from "../model/edits";
import { isMetricKind, isSystemMetric, queryLiteral, queryPath } from "../model/fields";
import { formatAgo, formatDuration, formatTime } from "../model/format";
import { hot, select } from "../model/marks";
import { objectType, OBJECT_WORDS } from "../model/objects";
import { runStore } from "../model/run";
import { makeScene, type Scene } from "../model/scene";
import { goTo } from "../model/address";
import { here } from "../model/scope";
import { now } from "../model/session";
import { xWindow } from "../model/workspace";
import { ownColor } from "../model/runcolors";
import { theme } from "../model/session";
import { getJson } from "../wire/request";
import type { ObjectType, RunAnswer } from "../wire/types";
import { Icon, type IconName } from "../widget/icon";
import { Markdown } from "../widget/markdown";
import { Notice, Skeleton } from "../widget/state";
import { Copy, State, Swatch } from "../widget/text";
import { Tree, type TreeValue } from "../widget/tree";
import { RunAlerts } from "./alerts";
import { ChartCard } from "./chartcard";
import { FailurePanel } from "./failure";
import { useCommands, useStore, useTitle } from "./hooks";
import { PageLink } from "./link";
import { LogView } from "./logview";
import { ArtifactsTab, EnvironmentTab, ObjectsTab, RecordsTab } from "./runtabs";
import { TagOfRun } from "./tagcolor";
import { ChartToolbar } from "./toolbar";

const tab = setting("tab", "overview");

const OBJECT_ICONS: Readonly<Record<ObjectType, IconName>> = { images: "image", videos: "play", audios: "bars", texts: "note", tables: "table", figures: "chart", distributions: "bars" };

interface TabInfo { readonly id: string; readonly label: string; readonly icon: IconName; readonly count?: number }

function tabsOf(run: RunAnswer): readonly TabInfo[] {
  const types = new Map<ObjectType, number>();
  let systemCount = 0;
  for (const { name, kind } of run.sequences) {
    const type = objectType(kind);
    if (type) types.set(type, (types.get(type) ?? 0) + 1);
    else if (isSystemMetric(name)) systemCount++;
  }
  const list: TabInfo[] = [{ id: "overview", label: "Overview", icon: "chart" }];
  for (const type of ["images", "videos", "audios", "texts", "tables", "figures", "distributions"] as const) if (types.has(type)) list.push({ id: type, label: OBJECT_WORDS[type], icon: OBJECT_ICONS[type] });
  if (run.log_lines > 0) list.push({ id: "log", label: "Log", icon: "file" });
  if (run.log_records > 0) list.push({ id: "records", label: "Records", icon: "warning", count: run.log_records });
  if (systemCount > 0) list.push({ id: "system", label: "System", icon: "sliders" });
  if (run.system || run.writers.length > 0) list.push({ id: "environment", label: "Environment", icon: "table" });
  if (run.artifacts.length > 0) list.push({ id: "artifacts", label: "Artifacts", icon: "folder", count: run.artifacts.length });
  return list;
}

export function RunPage(): JSX.Element {
  const hash = address.value.rest;
  const store = useStore(() => runStore(hash));
  const only = useSignal<readonly string[]>([hash]);
  const scene = useStore(() => makeScene(undefined, only));
  const run = store.run.value;
  useTitle(run?.name ?? "Run");
  useCommands(() => [
    { keys: "Escape", label: "Back to the runs", section: "Run", run: () => history.back() },
    { keys: "c", label: "Compare this run with the selected ones", section: "Run", run: () => {
      select([hash]);
      goTo("compare", "", { runs: hash });
    } },
  ]);
  if (store.error.value && !run) {
    return (
      <main class="main">
        <Notice icon="search" title="This run is not here" tone="bad">
          <p>{store.error.value.message}</p>
          <PageLink page="runs" class="pill strong">All runs</PageLink>
        </Notice>
      </main>
    );
  }
  if (!run) return <main class="main"><Skeleton rows={10} /></main>;
  const tabs = tabsOf(run);
  const current = tabs.find(({ id }) => id === tab.value) ? tab.value : "overview";
  return (
    <main class="main run-page">
      <RunHead run={run} />
      <div class="tabs" role="tablist" aria-label="Parts of the run">
        {tabs.map(({ id, label, icon, count }) => (
          <button key={id} type="button" role="tab" aria-selected={id === current} class={id === current ? "on" : ""} onClick={() => change({ tab: id === "overview" ? null : id })}>
            <Icon name={icon} size={14} />{label}{count !== undefined && <span class="muted">{count}</span>}
          </button>
        ))}
      </div>
      <div class="tabpanel" role="tabpanel" aria-label={current}>
        <RunTab run={run} scene={scene} only={only} current={current} />
      </div>
    </main>
  );
}

function RunTab({ run, scene, only, current }: { run: RunAnswer; scene: Scene; only: ReadonlySignal<readonly string[]>; current: string }): JSX.Element {
  const lines = useSignal(run.log_lines);
  if (lines.peek() !== run.log_lines) lines.value = run.log_lines;
  if (current === "overview") return <Overview run={run} scene={scene} only={only} />;
  if (current === "log") return <LogView hash={run.hash} logs={run.logs} total={lines} />;
  if (current === "records") return <RecordsTab run={run} />;
  if (current === "system") return <Charts run={run} scene={scene} only={only} isSystem />;
  if (current === "environment") return <EnvironmentTab run={run} />;
  if (current === "artifacts") return <ArtifactsTab run={run} />;
  return <ObjectsTab key={current} run={run} type={current as ObjectType} />;
}

/// A text that becomes a field when it is pressed.
function Editable({ value, label, placeholder, onSave }: { value: string; label: string; placeholder: string; onSave: (next: string) => void }): JSX.Element {
  const isOpen = useSignal(false);
  if (!canEdit()) return <span>{value || ""}</span>;
  if (!isOpen.value) {
    return <button type="button" class={value ? "editable" : "editable none"} title={`Change the ${label}`} onClick={() => (isOpen.value = true)}>{value || placeholder}<Icon name="pencil" size={12} /></button>;
  }
  const save = (next: string): void => {
    if (!isOpen.peek()) return; // a field that is taken away loses the focus, which is no second change
    isOpen.value = false;
    if (next !== value) onSave(next);
  };
  return (
    <input
      class="field inline" defaultValue={value} aria-label={label} ref={(input) => input?.focus()} onBlur={(event) => save(event.currentTarget.value.trim())}
      onKeyDown={(event) => {
        if (event.key === "Enter") save(event.currentTarget.value.trim());
        if (event.key === "Escape") {
          event.stopPropagation();
          isOpen.value = false;
        }
      }}
    />
  );
}

/// The name of another run, once it is known.
function ForkName({ hash }: { hash: string }): JSX.Element {
  const name = useSignal<string | null>(null);
  useEffect(() => {
    // A fork's origin may be gone: then its hash stands for it.
    getJson<RunAnswer>(here(`runs/${encodeURIComponent(hash)}`)).then((run) => (name.value = run.name), () => undefined);
  }, [hash]);
  return <>{name.value ?? hash.slice(0, 8)}</>;
}

function RunHead({ run }: { run: RunAnswer }): JSX.Element {
  const tagText = useSignal("");
  const runs = [run.hash];
  const seconds = run.duration ?? 0;
  return (
    <header class="run-head">
      <div class="title">
        <Swatch color={ownColor(run.hash, theme.value)} />
        <h1><Editable value={run.name ?? run.hash} label="name" placeholder="name" onSave={(name) => void edit(runs, { name: name || null }, "Renamed")} /></h1>
        <State status={run.status} error={run.error} />
        {run.archived && <span class="hint">archived</span>}
        <span class="spacer" />
        <button type="button" class="pill" onClick={() => {
          select([run.hash]);
          goTo("compare", "", { runs: run.hash });
        }}><Icon name="compare" size={14} />Compare</button>
        {canEdit() && <button type="button" class="pill" onClick={() => void edit(runs, { archived: !run.archived }, run.archived ? "Brought back" : "Archived")}><Icon name="archive" size={14} />{run.archived ? "Bring back" : "Archive"}</button>}
        {canEdit() && <button type="button" class="pill" onClick={() => void edit(runs, { deleted: true }, "Deleted").then((isDone) => isDone && goTo("runs"))}><Icon name="trash" size={14} />Delete</button>}
      </div>
      <div class="facts">
        <span><code>{run.hash}</code><Copy text={run.hash} label="Copy the hash" /></span>
        <span title={formatTime(run.created_at)}>started {formatAgo(run.created_at, now.value)}</span>
        <span>{run.status === "running" ? "for" : "took"} {formatDuration(run.status === "running" ? Math.max(seconds, now.value - run.created_at) : seconds)}</span>
        {run.experiment && <button type="button" class="bare" title="All runs of this experiment" onClick={() => goTo("runs", "", { q: `run.experiment == ${queryLiteral(run.experiment)}` })}><Icon name="folder" size={14} />{run.experiment}</button>}
        {run.forked_from && <span title={formatTime(run.forked_from.time)}><Icon name="fork" size={14} />forked from <PageLink page="run" rest={run.forked_from.run}><ForkName hash={run.forked_from.run} /></PageLink>{run.forked_from.step === null ? "" : ` at step ${run.forked_from.step}`}</span>}
        {run.rewinds.length > 0 && <span title={run.rewinds.map(({ step, time }) => `${formatTime(time)}: back to step ${step}`).join("\n")}><Icon name="undo" size={14} />rewound {run.rewinds.length === 1 ? "" : `${run.rewinds.length} times, last `}to step {run.rewinds[run.rewinds.length - 1].step}</span>}
        <span class="tags">
          {run.tags.map((name) => <TagOfRun key={name} name={name} onRemove={() => void edit(runs, { tags: { add: [], remove: [name] } }, `Took tag ${name} from`)} />)}
          {canEdit() && <form onSubmit={(event) => {
            event.preventDefault();
            const name = tagText.value.trim();
            tagText.value = "";
            if (name) void edit(runs, { tags: { add: [name], remove: [] } }, "Tagged");
          }}><input class="tag-input" placeholder="+ tag" aria-label="Add a tag" value={tagText.value} onInput={(event) => (tagText.value = event.currentTarget.value)} /></form>}
        </span>
      </div>
      <RunAlerts hash={run.hash} />
    </header>
  );
}

function Notes({ run }: { run: RunAnswer }): JSX.Element | null {
  const isOpen = useSignal(false);
  const text = useSignal("");
  if (isOpen.value) {
    return (
      <section class="panel">
        <h2>Notes <span class="muted">Markdown</span></h2>
        <textarea class="field" rows={10} aria-label="Notes" value={text.value} onInput={(event) => (text.value = event.currentTarget.value)} />
        <div class="toolbar">
          <button type="button" class="pill strong" onClick={() => void edit([run.hash], { notes: text.value || null }, "Wrote notes of").then((isDone) => isDone && (isOpen.value = false))}>Save</button>
          <button type="button" class="pill" onClick={() => (isOpen.value = false)}>Cancel</button>
        </div>
      </section>
    );
  }
  const open = (): void => {
    text.value = run.notes ?? "";
    isOpen.value = true;
  };
  if (!run.notes) return canEdit() ? <button type="button" class="pill add" onClick={open}><Icon name="note" size={14} />Add notes</button> : null;
  return (
    <section class="panel">
      <h2>Notes {canEdit() && <button type="button" class="bare" aria-label="Change the notes" onClick={open}><Icon name="pencil" size={13} /></button>}</h2>
      <Markdown text={run.notes} />
    </section>
  );
}

function Overview({ run, scene, only }: { run: RunAnswer; scene: Scene; only: ReadonlySignal<readonly string[]> }): JSX.Element {
  const find = useSignal("");
  const hasParams = Object.keys(run.params).length > 0;
  const literal = (value: TreeValue): string | null => (value === null || typeof value !== "object" ? queryLiteral(value) : null);
  return (
    <div class="overview">
      <div>
        <FailurePanel run={run} />
        <Charts run={run} scene={scene} only={only} isSystem={false} />
      </div>
      <aside>
        <Editable value={run.description ?? ""} label="description" placeholder="Add a description" onSave={(description) => void edit([run.hash], { description: description || null }, "Described")} />
        <Notes run={run} />
        {hasParams && (
          <section class="panel">
            <h2>Params <span class="find"><Icon name="search" size={13} /><input type="text" placeholder="Find a param" aria-label="Find a param" onInput={(event) => (find.value = event.currentTarget.value)} /></span></h2>
            <Tree value={run.params} find={find.value} after={(path, value) => {
              const text = literal(value);
              return text === null ? null : <button type="button" class="bare" title="Runs with this value" aria-label={`Runs with this ${path.join(".")}`} onClick={() => goTo("runs", "", { q: `${queryPath(path)} == ${text}` })}><Icon name="filter" size={12} /></button>;
            }} />
          </section>
        )}
      </aside>
    </div>
  );
}

const BRANCHES_MOST = 50;

const cardSetting = setting("card");
const atSetting = setting("at");

/// The card that the address leads to: scrolled to, zoomed, with the place lit.
function useFound(run: RunAnswer, shared: Signal<Extent | null>): string {
  const [id, at, window] = [cardSetting.value, atSetting.value, xWindow.value];
  useEffect(() => {
    if (id === "") return;
    if (window) shared.value = window;
    document.querySelector(`[data-card="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "center" });
    if (at !== "") hot.value = { owner: run.hash, x: Number(at) };
  }, [id, at, window?.join()]);
  return id;
}

const besideSetting = setting("system");
const historySetting = setting("history");

/// The run's metrics as small cards: those of the training, or those of the machine; or both over the same time.
function Charts({ run, scene, only, isSystem }: { run: RunAnswer; scene: Scene; only: ReadonlySignal<readonly string[]>; isSystem: boolean }): JSX.Element {
  const runs = useComputed<readonly string[] | null>(() => only.value);
  const shared = useSignal<Extent | null>(null);
  const found = useFound(run, shared);
  const isHistory = historySetting.value !== "" && run.rewinds.length > 0;
  const branches = useComputed(() => (historySetting.value === "" ? 0 : BRANCHES_MOST));
  const keys = run.sequences.filter(({ kind }) => isMetricKind(kind)).map(({ name, context }) => ({ name, context }));
  const own = keys.filter(({ name }) => isSystemMetric(name) === isSystem);
  const others = keys.filter(({ name }) => isSystemMetric(name) !== isSystem);
  const isBeside = besideSetting.value !== "" && others.length > 0;
  const title = (card: Card): string => (isSystemMetric(card.metrics[0].name) ? card.title.replace(/^__system__/, "").replace(/_/g, " ") : card.title);
  const section = (name: string, cards: readonly Card[], isNamed: boolean): JSX.Element => (
    <section key={name}>
      {isNamed && <div class="section"><b>{name}</b> <span class="muted">{cards.length}</span></div>}
      <div class="cards">{cards.map((card) => <ChartCard key={card.id} card={{ ...card, title: title(card) }} scene={scene} runs={runs} shared={shared} branches={branches} isFound={card.id === found} isPlain />)}</div>
    </section>
  );
  const sections = sectionsOf(own, "name");
  const press = (): void => {
    shared.value = null;
    change(isBeside ? { system: null, x: null } : { system: "beside", x: "relative" }, true);
  };
  if (own.length === 0) return <p class="muted">No metrics were tracked{run.status === "running" ? " yet" : ""}.</p>;
  return (
    <>
      <ChartToolbar isPlain>
        {shared.value && <button type="button" class="pill on" onClick={() => {
          shared.value = null;
          change({ win: null, card: null, at: null }, true);
        }}>zoomed <Icon name="close" size={12} /></button>}
        {run.rewinds.length > 0 && <button type="button" class={isHistory ? "pill on" : "pill"} aria-pressed={isHistory} title="The curves as they were before each rewind, behind those of now" onClick={() => change({ history: isHistory ? null : "shown" }, true)}>history</button>}
        {others.length > 0 && <button type="button" class={isBeside ? "pill on" : "pill"} aria-pressed={isBeside} title="Both over the same time, zoomed together" onClick={press}>{isSystem ? "training beside" : "system beside"}</button>}
      </ChartToolbar>
      {isBeside && isSystem && section("training", sectionsOf(others, "name").flatMap(({ cards }) => cards), true)}
      {sections.map(({ name, cards }) => section(name, cards, sections.length > 1))}
      {isBeside && !isSystem && section("system", sectionsOf(others, "name").flatMap(({ cards }) => cards), true)}
    </>
  );
}
