/// Reports: Markdown with live charts of saved pages; written, kept and shown here.

import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { address, goTo, parseAddress } from "../model/address";
import { sectionsOf } from "../model/cards";
import {
  documentId,
  documents,
  draftOf,
  dropDocument,
  keepDraft,
  loadDocuments,
  saveDocument,
} from "../model/documents";
import { canEdit } from "../model/edits";
import { metricsOf, sequenceText } from "../model/fields";
import { formatAgo } from "../model/format";
import { makeScene } from "../model/scene";
import { fields, repo } from "../model/scope";
import { now, toast } from "../model/session";
import { runsOfQuery } from "../model/queryruns";
import type { StoredDocument } from "../wire/types";
import { Icon } from "../widget/icon";
import { Markdown } from "../widget/markdown";
import { Notice, Skeleton } from "../widget/state";
import { ChartCard } from "./chartcard";
import { useStore, useTitle } from "./hooks";
import { PageLink } from "./link";

const FIRST_TEXT =
  "# What was tried\n\nWrite in **Markdown**. A block of the kind `chart` draws a metric of the runs that a query finds:\n\n```chart\nmetric: loss\nquery: \n```\n";

/// What a `chart` block asks for: a metric's name, and which runs.
export function parseChartBlock(text: string): {
  readonly metric: string;
  readonly query: string;
  readonly title: string;
} {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) found.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  const page = found.get("page");
  const query = found.get("query") ?? (page ? (parseAddress(page).params.get("q") ?? "") : "");
  return { metric: found.get("metric") ?? "", query, title: found.get("title") ?? "" };
}

function LiveChart({ text }: { text: string }): JSX.Element {
  const block = parseChartBlock(text);
  const runs = useSignal<readonly string[] | null>(null);
  const fault = useSignal("");
  const only = useComputed<readonly string[]>(() => runs.value ?? []);
  const scene = useStore(() => makeScene(undefined, only));
  useEffect(() => {
    runsOfQuery(block.query).then(
      (found) => {
        runs.value = found;
        fault.value = "";
      },
      (error: unknown) => (fault.value = error instanceof Error ? error.message : String(error)),
    );
  }, [block.query, repo.value]);
  if (fault.value !== "") return <p class="failure">{fault.value}</p>;
  if (!fields.value || !runs.value) return <Skeleton rows={4} />;
  const metrics = metricsOf(fields.value).filter(
    (metric) => metric.name === block.metric || sequenceText(metric) === block.metric,
  );
  const cards = sectionsOf(metrics, "name").flatMap((section) => section.cards);
  if (cards.length === 0) return <p class="failure">No metric is called “{block.metric}”.</p>;
  return (
    <div class="report-chart">
      {cards.map((card) => (
        <ChartCard
          key={card.id}
          card={{ ...card, title: block.title || card.title }}
          scene={scene}
          runs={runs}
          isPlain
        />
      ))}
    </div>
  );
}

function fence(language: string, text: string): JSX.Element | null {
  return language === "chart" ? <LiveChart key={text} text={text} /> : null;
}

export function ReportsPage(): JSX.Element {
  const id = address.value.rest;
  useTitle("Reports");
  useEffect(() => {
    if (repo.value !== "") void loadDocuments();
  }, [repo.value]);
  const all = documents.value;
  if (!all)
    return (
      <main class="main">
        <Skeleton />
      </main>
    );
  const reports = all.filter(({ kind }) => kind === "report");
  if (id === "") return <ReportList reports={reports} />;
  const report = reports.find((one) => one.id === id);
  if (!report)
    return (
      <main class="main">
        <Notice icon="note" title="This report is not here">
          <PageLink page="reports" class="pill strong">
            All reports
          </PageLink>
        </Notice>
      </main>
    );
  return <Report key={id} report={report} />;
}

async function create(reports: readonly StoredDocument[]): Promise<void> {
  const id = documentId("report", new Set(reports.map((report) => report.id)));
  const saved = await saveDocument("report", id, null, { name: "Untitled report", text: FIRST_TEXT });
  if (saved) goTo("reports", saved.id);
}

function ReportList({ reports }: { reports: readonly StoredDocument[] }): JSX.Element {
  if (reports.length === 0) {
    return (
      <main class="main">
        <Notice icon="note" title="No report is written yet">
          <p>
            A report is Markdown with live charts: what was tried, what came out, for everybody who opens this
            repository.
          </p>
          {canEdit() && (
            <button type="button" class="pill strong" onClick={() => void create(reports)}>
              <Icon name="plus" size={14} />
              Write one
            </button>
          )}
        </Notice>
      </main>
    );
  }
  return (
    <main class="main">
      <div class="toolbar">
        <b>
          {reports.length} report{reports.length === 1 ? "" : "s"}
        </b>
        <span class="spacer" />
        {canEdit() && (
          <button type="button" class="pill strong" onClick={() => void create(reports)}>
            <Icon name="plus" size={14} />
            New report
          </button>
        )}
      </div>
      <div class="report-list">
        {[...reports]
          .sort((a, b) => b.updated_at - a.updated_at)
          .map((report) => (
            <PageLink key={report.id} page="reports" rest={report.id} class="panel report-item">
              <b>{String(report.body.name ?? report.id)}</b>
              <span class="muted">{formatAgo(report.updated_at, now.value)}</span>
              <p>
                {String(report.body.text ?? "")
                  .replace(/```[\s\S]*?```/g, "")
                  .replace(/[#*_`>]/g, "")
                  .slice(0, 180)}
              </p>
            </PageLink>
          ))}
      </div>
    </main>
  );
}

function Report({ report }: { report: StoredDocument }): JSX.Element {
  const saved = { name: String(report.body.name ?? ""), text: String(report.body.text ?? "") };
  const draft = useRef(draftOf(report.id)).current;
  const isOpen = useSignal(draft !== null || saved.name === "Untitled report");
  const name = useSignal(draft?.name ?? saved.name);
  const text = useSignal(draft?.text ?? saved.text);
  const write = (next: { readonly name: string; readonly text: string }): void => {
    name.value = next.name;
    text.value = next.text;
    keepDraft(report.id, next.name === saved.name && next.text === saved.text ? null : next);
  };
  const close = (): void => {
    const left = { name: name.peek(), text: text.peek() };
    isOpen.value = false;
    write(saved);
    if (left.name === saved.name && left.text === saved.text) return;
    toast("Closed without saving.", {
      label: "Undo",
      run: () => {
        isOpen.value = true;
        write(left);
      },
    });
  };
  const save = async (): Promise<void> => {
    const kept = await saveDocument("report", report.id, report.revision, {
      ...report.body,
      name: name.value || "Untitled",
      text: text.value,
    });
    if (kept) {
      keepDraft(report.id, null);
      isOpen.value = false;
      toast("Report saved.");
    }
  };
  return (
    <main class={isOpen.value ? "main report editing" : "main report"}>
      <div class="toolbar">
        <PageLink page="reports" class="pill">
          All reports
        </PageLink>
        {isOpen.value ? (
          <input
            class="field report-name"
            aria-label="Name of the report"
            value={name.value}
            onInput={(event) => write({ name: event.currentTarget.value, text: text.peek() })}
          />
        ) : (
          <h1>{name.value}</h1>
        )}
        <span class="spacer" />
        {canEdit() &&
          (isOpen.value ? (
            <>
              <button type="button" class="pill strong" onClick={() => void save()}>
                Save
              </button>
              <button type="button" class="pill" onClick={close}>
                Close
              </button>
            </>
          ) : (
            <>
              <button type="button" class="pill" onClick={() => (isOpen.value = true)}>
                <Icon name="pencil" size={14} />
                Edit
              </button>
              <button
                type="button"
                class="pill"
                onClick={() => void dropDocument("report", report.id, "Report").then(() => goTo("reports"))}
              >
                <Icon name="trash" size={14} />
                Delete
              </button>
            </>
          ))}
      </div>
      <div class="report-body">
        {isOpen.value && (
          <textarea
            class="field"
            aria-label="Text of the report"
            value={text.value}
            onInput={(event) => write({ name: name.peek(), text: event.currentTarget.value })}
          />
        )}
        <article class="sheet">
          <Markdown text={text.value} fence={fence} />
        </article>
      </div>
    </main>
  );
}
