/// What all readers of a repository see first.

import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultView, keptSettings } from "../src/model/defaults";
import type { StoredDocument } from "../src/wire/types";

test("axes, smoothing, sections and charts are kept; the query, the zoom and single runs are not", () => {
  const page =
    "metrics?q=run.lr>1&x=epoch&smooth=mean:5&win=1,9&pin=abc&hide=def&own=>Top;loss&repo=demo&only=a&full=loss";
  assert.equal("metrics?x=epoch&smooth=mean:5&own=>Top;loss", keptSettings(page));
});

test("the default is a view of its own id among other documents", () => {
  const view = (kind: StoredDocument["kind"], id: string): StoredDocument => {
    return { kind, id, revision: "1", updated_at: 0, body: {} };
  };
  assert.equal(undefined, defaultView(null));
  assert.equal(undefined, defaultView([view("report", "default"), view("view", "nightly")]));
  assert.equal("default", defaultView([view("view", "nightly"), view("view", "default")])?.id);
});
