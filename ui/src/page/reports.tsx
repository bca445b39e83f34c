/// Reports: Markdown with live charts of saved pages; written, kept and shown here.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { address, goTo } from "../model/address";
import { sectionsOf } from "../model/cards";
import { parseChartBlock, type ChartBlock } from "../model/chartblock";
import { documentId } from "../model/documents";
import { metricsOf, sequenceText } from "../model/fields";
import { formatAgo } from "../model/format";
import { appOfQuery, type App } from "../model/app";
import { makeScene } from "../model/scene";
import type { StoredDocument } from "../wire/types";
import { Icon } from "../widget/icon";
import { Markdown } from "../widget/markdown";
import { Notice, Skeleton } from "../widget/state";
import { AppProvider, useApp } from "./app";
import { useStore, useTitle } from "./hooks";
import { PageLink } from "./link";
import { PlainCard } from "./plaincard";

const FIRST_TEXT = `# What was tried

Write in **Markdown**. A block of the kind \`chart\` draws a metric of the runs that a query matches:

\`\`\`chart
metric: loss
query:${" "}
\`\`\`
`;

/// A chart of a report: it has a query of its own, and so a scope of its own.
function LiveChart({ text }: { text: string }): JSX.Element {
  const app = useApp();
  const block = parseChartBlock(text);
  const inner = useStore(() => appOfQuery(app, block.query));
  return (
    <AppProvider value={inner}>
      <BlockCards block={block} />
    </AppProvider>
  );
}

function BlockCards({ block }: { block: ChartBlock }): JSX.Element {
  const app = useApp();
  const { scope } = app;
  const scene = useStore(() => makeScene(app, { isListed: true }));
  const error = scope.queryError.value ?? scope.scopeError.value;
  if (error) return <p class="failure">{error.message}</p>;
  if (!scope.fields.value) return <Skeleton rows={4} />;
  const metrics = metricsOf(scope.fields.value).filter(
    (metric) => metric.name === block.metric || sequenceText(metric) === block.metric,
  );
  const cards = sectionsOf(metrics, "name").flatMap((section) => section.cards);
  if (cards.length === 0) return <p class="failure">No metric is called “{block.metric}”.</p>;
  return (
    <div class="report-chart">
      {cards.map((card) => (
        <PlainCard key={card.id} card={{ ...card, title: block.title || card.title }} scene={scene} />
      ))}
    </div>
  );
}

function fence(language: string, text: string): JSX.Element | null {
  return language === "chart" ? <LiveChart key={text} text={text} /> : null;
}

export function ReportsPage(): JSX.Element {
  const { scope, documents } = useApp();
  const id = address.value.subject;
  useTitle("Reports");
  useEffect(() => {
    if (scope.repo.value !== "") void documents.load();
  }, [scope.repo.value]);
  const all = documents.all.value;
  if (!all)
    return (
      <main class="main">
        <Skeleton />
      </main>
    );
  const reports = all.filter(({ kind }) => kind === "report");
  if (id === "") return <ReportList reports={reports} />;
  const report = reports.find((other) => other.id === id);
  if (!report)
    return (
      <main class="main">
        <Notice icon="report" title="There is no such report">
          <PageLink page="reports" class="pill strong">
            All reports
          </PageLink>
        </Notice>
      </main>
    );
  return <Report key={id} report={report} />;
}

async function create({ documents }: App, reports: readonly StoredDocument[]): Promise<void> {
  const id = documentId("report", new Set(reports.map((report) => report.id)));
  const saved = await documents.save("report", id, null, { name: "Untitled report", text: FIRST_TEXT });
  if (saved) goTo("reports", saved.id);
}

function ReportList({ reports }: { reports: readonly StoredDocument[] }): JSX.Element {
  const app = useApp();
  const { session, edits } = app;
  if (reports.length === 0) {
    return (
      <main class="main">
        <Notice icon="report" title="No reports yet">
          <p>
            A report is Markdown with live charts: what was tried, what came out, for everybody who opens this
            repository.
          </p>
          {edits.canDelete() && (
            <button type="button" class="pill strong" onClick={() => void create(app, reports)}>
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
        {edits.canDelete() && (
          <button type="button" class="pill strong" onClick={() => void create(app, reports)}>
            <Icon name="plus" size={14} />
            New report
          </button>
        )}
      </div>
      <div class="report-list">
        {[...reports]
          .sort((a, b) => b.updated_at - a.updated_at)
          .map((report) => (
            <PageLink key={report.id} page="reports" subject={report.id} class="panel report-item">
              <b>{String(report.body.name ?? report.id)}</b>
              <span class="muted">{formatAgo(report.updated_at, session.now.value)}</span>
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

/// A report as it is stored, and as it is being written.
function useReport(report: StoredDocument) {
  const { session, documents } = useApp();
  const saved = { name: String(report.body.name ?? ""), text: String(report.body.text ?? "") };
  const draft = useRef(documents.draft(report.id)).current;
  const isOpen = useSignal(draft !== null || saved.name === "Untitled report");
  const name = useSignal(draft?.name ?? saved.name);
  const text = useSignal(draft?.text ?? saved.text);
  const write = (next: { readonly name: string; readonly text: string }): void => {
    name.value = next.name;
    text.value = next.text;
    documents.keepDraft(report.id, next.name === saved.name && next.text === saved.text ? null : next);
  };
  const close = (): void => {
    const left = { name: name.peek(), text: text.peek() };
    isOpen.value = false;
    write(saved);
    if (left.name === saved.name && left.text === saved.text) return;
    session.toast("Closed without saving.", {
      label: "Undo",
      run: () => {
        isOpen.value = true;
        write(left);
      },
    });
  };
  const save = async (): Promise<void> => {
    const stored = await documents.save("report", report.id, report.revision, {
      ...report.body,
      name: name.value || "Untitled",
      text: text.value,
    });
    if (stored) {
      documents.keepDraft(report.id, null);
      isOpen.value = false;
      session.toast("Report saved.");
    }
  };
  return { isOpen, name, text, write, close, save };
}

function Report({ report }: { report: StoredDocument }): JSX.Element {
  const state = useReport(report);
  const { isOpen, name, text, write } = state;
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
        <ReportButtons report={report} state={state} />
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

interface ReportButtonsProps {
  readonly report: StoredDocument;
  readonly state: ReturnType<typeof useReport>;
}

function ReportButtons({ report, state }: ReportButtonsProps): JSX.Element | null {
  const { edits, documents } = useApp();
  const { isOpen, save, close } = state;
  const drop = (): void => void documents.drop("report", report.id, "Report").then(() => goTo("reports"));
  if (!edits.canDelete()) return null;
  if (isOpen.value)
    return (
      <>
        <button type="button" class="pill strong" onClick={() => void save()}>
          Save
        </button>
        <button type="button" class="pill" onClick={close}>
          Close
        </button>
      </>
    );
  return (
    <>
      <button type="button" class="pill" onClick={() => (isOpen.value = true)}>
        <Icon name="pencil" size={14} />
        Edit
      </button>
      <button type="button" class="pill" onClick={drop}>
        <Icon name="trash" size={14} />
        Delete
      </button>
    </>
  );
}
