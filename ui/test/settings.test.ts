/// Settings in the address: the arrangement, brushes, axes, averages, the target; and the keys.

import "./browser";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FIELDS, freshWindow, makeConnected } from "./connected";
import { address, change, goToText } from "../src/model/address";
import { currentBrushes, formatBrushes, parseBrushes, setBrush } from "../src/model/brushes";
import { parseChartBlock } from "../src/model/chartblock";
import { plainSettings, workspaceSettings } from "../src/model/cardsettings";
import { addCommands, commands, keyName } from "../src/model/keys";
import { targetOf } from "../src/model/scene";
import { plural } from "../src/model/words";
import {
  aggregate,
  ignoredParams,
  ignoreParams,
  smoothing,
  toggleFolded,
  folded,
  xAxis,
  xLabel,
  xUnit,
  xWindow,
  yKind,
  zoom,
} from "../src/model/workspace";

beforeEach(freshWindow);

test("the arrangement is in the address, and remembered for each repository", async () => {
  const { app } = await makeConnected();
  app.arrangement.arrange([{ name: "Focus", cards: ["loss"] }]);
  app.arrangement.widen("loss", 9);
  assert.deepEqual({ own: ">Focus;loss", wide: "loss*3" }, Object.fromEntries(address.value.params));
  assert.equal(3, app.arrangement.spans.value.get("loss"));
  goToText("metrics?q=run.active");
  app.arrangement.recall();
  assert.deepEqual([{ name: "Focus", cards: ["loss"] }], app.arrangement.sections.value);
  goToText("metrics?smooth=0.5");
  app.arrangement.recall();
  assert.deepEqual([], app.arrangement.sections.value, "a link shows what it says");
  goToText("metrics?repo=other");
  app.arrangement.recall();
  assert.deepEqual([], app.arrangement.sections.value, "another repository has its own");
  goToText("metrics");
  app.arrangement.reset();
  app.arrangement.recall();
  assert.deepEqual([], app.arrangement.sections.value);
  app.scope.stop();
});

test("brushes are in the address", () => {
  setBrush("hparams.lr", [0.1, 0.55555]);
  setBrush("odd;key~", [0, 1]);
  assert.deepEqual(
    [
      ["hparams.lr", [0.1, 0.556]],
      ["odd;key~", [0, 1]],
    ],
    [...currentBrushes()],
  );
  setBrush("hparams.lr", null);
  assert.deepEqual(["odd;key~"], [...currentBrushes().keys()]);
  assert.equal("", formatBrushes(new Map()));
  assert.equal(0, parseBrushes("nonsense;a~b~c").size);
});

test("a chart block of a report says a metric and which runs", () => {
  assert.deepEqual({ metric: "loss", query: "", title: "" }, parseChartBlock("metric: loss"));
  assert.deepEqual(
    { metric: "acc", query: "run.x == 1", title: "Accuracy: val" },
    parseChartBlock("title: Accuracy: val\n metric : acc \nquery: run.x == 1\n"),
  );
  assert.equal("run.active", parseChartBlock("page: metrics?q=run.active&smooth=0.6").query);
  assert.equal("mine", parseChartBlock("page: metrics?q=run.active\nquery: mine").query);
});

test("the axes and the smoothing are those of the address, within bounds", () => {
  assert.deepEqual(
    ["step", "step", "number", "linear", 0],
    [xAxis.value, xLabel.value, xUnit.value, yKind.value, smoothing.value.amount],
  );
  change({ x: "relative", y: "log", smooth: "7" });
  assert.deepEqual(
    ["relative", "duration", "log", 0.999],
    [xAxis.value, xUnit.value, yKind.value, smoothing.value.amount],
  );
  change({ x: 'metric:loss{"subset":"val"}:last', y: "odd", smooth: "x" });
  assert.deepEqual({ name: "loss", context: { subset: "val" } }, xAxis.value);
  assert.deepEqual(["loss val", "linear", 0], [xLabel.value, yKind.value, smoothing.value.amount]);
  change({ x: "nonsense" });
  assert.equal("step", xAxis.value);
});

test("the zoom is a range, or none", () => {
  assert.equal(null, xWindow.value);
  zoom([1.23456789012, 5]);
  assert.deepEqual([1.2345679, 5], xWindow.value);
  for (const win of ["5,1", "1", "a,b", "1,2,3"]) {
    change({ win });
    assert.equal(null, xWindow.value, win);
  }
  zoom(null);
  assert.ok(!address.value.params.has("win"));
});

test("sections are folded and unfolded", () => {
  toggleFolded("val");
  toggleFolded("train");
  assert.deepEqual(["val", "train"], folded.value);
  toggleFolded("val");
  assert.deepEqual(["train"], folded.value);
});

test("runs are averaged over groups, or over seeds: by the server's choice of params", () => {
  assert.equal(null, aggregate.value);
  change({ agg: "group", color: "hparams.model", dash: "hparams.lr", value: "median" });
  assert.deepEqual(
    [
      ["param", "hparams", "model"],
      ["param", "hparams", "lr"],
    ],
    aggregate.value?.by,
  );
  assert.deepEqual(["median", "std"], [aggregate.value?.value, aggregate.value?.band]);
  change({ agg: "seed" });
  assert.deepEqual({ equal: "params", ignored: null }, aggregate.value?.by);
});

test("the list of ignored params is edited, emptied, and left to the server again", () => {
  change({ agg: "seed" });
  const paths = [
    ["hparams", "seed"],
    ["a,b", "c.d", 3],
  ];
  ignoreParams(paths);
  assert.deepEqual({ equal: "params", ignored: paths }, aggregate.value?.by);
  assert.deepEqual(paths, ignoredParams.value);
  ignoreParams([]);
  assert.deepEqual({ equal: "params", ignored: [] }, aggregate.value?.by);
  ignoreParams(null);
  assert.deepEqual({ equal: "params", ignored: null }, aggregate.value?.by);
});

test("a card follows the workspace, or has a zoom of its own", () => {
  const workspace = workspaceSettings();
  const plain = plainSettings();
  change({ agg: "group", color: "hparams.model", y: "log" });
  assert.notEqual(null, workspace.aggregate.value);
  assert.equal(null, plain.aggregate.value);
  assert.deepEqual(["log", "log"], [workspace.yKind.value, plain.yKind.value]);
  workspace.zoom([1, 2]);
  assert.deepEqual([[1, 2], null], [workspace.window.value, plain.window.value]);
  plain.zoom([3, 4]);
  assert.deepEqual(
    [
      [1, 2],
      [3, 4],
    ],
    [workspace.window.value, plain.window.value],
  );
  assert.equal(null, plainSettings().window.value, "another card has another zoom");
});

test("runs are ranked by the address's metric, else by a guess", () => {
  const target = targetOf("", FIELDS);
  assert.equal("metric", target?.field[0]);
  assert.equal(true, target?.descending);
  const chosen = targetOf("-metric:loss:min", FIELDS);
  assert.deepEqual({ field: ["metric", "loss", {}, "min"], descending: true }, chosen);
  assert.equal(false, targetOf("metric:loss:min", null)?.descending);
  assert.equal(null, targetOf("", null));
});

test("commands come and go with their page", () => {
  const added = [{ keys: "x", label: "X", section: "", run: () => undefined }];
  const remove = addCommands(added);
  assert.ok(commands.value.includes(added[0]));
  remove();
  assert.ok(!commands.value.includes(added[0]));
  assert.equal("Ctrl+k", keyName({ ctrlKey: true, metaKey: false, key: "k" } as KeyboardEvent));
  assert.equal("Ctrl+z", keyName({ ctrlKey: false, metaKey: true, key: "z" } as KeyboardEvent));
  assert.equal("?", keyName({ ctrlKey: false, metaKey: false, key: "?" } as KeyboardEvent));
});

test("counts have their plural", () => {
  assert.deepEqual(
    ["0 runs", "1 run", "12,000 runs"],
    [0, 1, 12_000].map((count) => plural(count, "run")),
  );
});
