/// What answers requests in a page in one file: docs/formats/wire.md, for reading.

import { blockBytes, inflated, type ArchivedAnswers } from "./blocks";
import { curvesOf } from "./curves";
import { objectsAnswer } from "./objects";
import { rowsAnswer } from "./rows";
import { CurveAnswers } from "./series";
import { RunColumnsOfFile, runsAnswer } from "./tables";
import { parseJson } from "../wire/json";
import type { ObjectsRequest, RowsRequest } from "../wire/objects";
import type { RunsRequest, SeriesRequest } from "../wire/types";

const NO_QUERIES =
  "This page has the runs that were chosen when it was written, and no query language. " +
  "`aim import` takes the file into a repository, where `aim up` has it.";
const NO_CHANGES = "This page is a file: nothing can be changed in it.";
const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/// An answer: JSON, or bytes.
export type Answer = { readonly json: unknown; readonly status?: number } | { readonly bytes: ArrayBuffer };

function refusal(status: number, kind: string, message: string): Answer {
  return { status, json: { kind, message } };
}

/// Answers requests.
export class FileAnswers {
  private constructor(
    readonly answers: ArchivedAnswers,
    private readonly columns: RunColumnsOfFile,
    private readonly curves: CurveAnswers,
  ) {}

  /// Reads the blocks of this document.
  static async open(): Promise<FileAnswers> {
    const [answers, curves] = await Promise.all([inflated(blockBytes("answers")), inflated(blockBytes("curves"))]);
    return FileAnswers.of(parseJson(new TextDecoder().decode(answers)) as ArchivedAnswers, curves);
  }

  /// What answers from these blocks.
  static of(answers: ArchivedAnswers, curves: Uint8Array): FileAnswers {
    const columns = new RunColumnsOfFile(answers);
    return new FileAnswers(answers, columns, new CurveAnswers(answers, curvesOf(curves, answers.curves), columns));
  }

  /// The answer to a request for `path` below `api/`.
  answer(method: string, path: string, body: unknown): Answer {
    const [address, search = ""] = path.split("?");
    const parts = address.split("/").map(decodeURIComponent);
    if (parts[0] === "info") return { json: this.info() };
    const [, , subject, name = "", below = ""] = parts;
    if (method === "POST") return this.posted(subject, body);
    if (method !== "GET") return refusal(403, "read-only", NO_CHANGES);
    const params = new URLSearchParams(search);
    if (subject === "runs") return this.ofRun(name, below, params);
    if (subject === "alerts") return { json: { cursor: "file", alerts: this.answers.alerts } };
    if (subject === "documents") return { json: { documents: this.answers.documents ?? [] } };
    if (subject === "edits") return { json: { edits: [] } };
    if (subject === "tables") return this.rows(name, params);
    return refusal(404, "not-found", "This page does not have that.");
  }

  private info(): unknown {
    const { info, written_at, query, is_whole, left_out } = this.answers;
    return { ...info, archive: { written_at, query, is_whole, left_out } };
  }

  private posted(subject: string, body: unknown): Answer {
    if (subject === "complete") return { json: { from: 0, to: 0, items: [] } };
    if (typeof body === "object" && body !== null && "query" in body && body.query !== "")
      return refusal(400, "query", NO_QUERIES);
    if (subject === "fields") return { json: this.answers.fields };
    if (subject === "runs") return { json: runsAnswer(this.answers, this.columns, body as RunsRequest) };
    if (subject === "series") return { bytes: this.curves.frame(body as SeriesRequest) };
    if (subject === "tables") return this.joinedRows(body as RowsRequest);
    if (subject === "objects") return { json: objectsAnswer(this.answers, body as ObjectsRequest) };
    return refusal(403, "read-only", NO_CHANGES);
  }

  private ofRun(hash: string, below: string, params: URLSearchParams): Answer {
    const run = this.answers.pages[hash];
    if (!run) return refusal(404, "not-found", `This page does not have the run ${hash}.`);
    if (below === "log") return { json: this.log(hash, params) };
    if (below === "records") {
      const level = LEVELS.indexOf(params.get("level") || "DEBUG");
      const records = this.answers.records[hash].filter((record) => LEVELS.indexOf(record.level) >= level);
      const from = Number(params.get("from") ?? 0);
      const limit = Number(params.get("limit") ?? 500);
      return { json: { from, total: records.length, records: records.slice(from, from + limit) } };
    }
    return { json: run };
  }

  private log(hash: string, params: URLSearchParams): unknown {
    const logs = this.answers.logs[hash];
    const log = logs[params.get("log") ?? ""] ?? Object.values(logs)[0] ?? { from: 0, total: 0, lines: [] };
    const text = params.get("find")?.toLowerCase();
    if (text !== undefined) {
      const matches = log.lines.flatMap((line, i) => (line.toLowerCase().includes(text) ? [log.from + i] : []));
      return { total: log.total, matches };
    }
    const asked = Number(params.get("from") ?? 0);
    const from = asked < 0 ? Math.max(0, log.total + asked) : asked;
    const limit = Number(params.get("limit") ?? 2000);
    const before = Math.max(0, Math.min(log.from - from, limit));
    const lines = log.lines.slice(Math.max(0, from - log.from), Math.max(0, from - log.from) + limit - before);
    return { from, total: log.total, lines: [...Array<string>(before).fill(""), ...lines] };
  }

  private joinedRows(request: RowsRequest): Answer {
    const tables = request.blobs.map((blob) => this.answers.tables[blob]);
    if (!tables.every((table) => table !== undefined))
      return refusal(404, "not-found", "This table had no room in the page.");
    return { json: rowsAnswer(tables, request) };
  }

  private rows(blob: string, params: URLSearchParams): Answer {
    const table = this.answers.tables[blob];
    if (!table) return refusal(404, "not-found", "This table had no room in the page.");
    const from = Number(params.get("from") ?? 0);
    return { json: { ...table, from, rows: table.rows.slice(from, from + Number(params.get("limit") ?? 100)) } };
  }
}
