/// Charts of running runs on a server that answers slowly: every card gets its turn, and nothing is asked for twice.

import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { signal } from "@preact/signals";
import { FakeClock } from "./clock";
import { FakeServer, type Asked } from "./fakeserver";
import { encodeFrame } from "./frames";
import { fieldsAnswer, makeRuns, runsAnswer, SERVER, TABLE_FIELDS } from "./project";
import { ageOf } from "../src/model/livestore";
import { runsStore, type RunsWish } from "../src/model/runs";
import { Scope } from "../src/model/scope";
import { seriesStore, type CardPlace } from "../src/model/series";
import { Session } from "../src/model/session";
import type { SeriesRequest } from "../src/wire/types";

const CARDS = 30;
const LATENCY_MS = 1000;
const TICK_MS = 250; // the server sends four ticks a second at most
const SECONDS = 70;
const RUNS = makeRuns(20);

function nameOf({ body }: Asked): string {
  return (body.metrics as readonly { readonly name: string }[])[0].name;
}

async function watched(clock: FakeClock, placeOf: (card: number) => CardPlace) {
  const server = new FakeServer();
  let tick = 1;
  const underWay = new Map<string, number>();
  const doubled: string[] = [];
  const slowly = <T>(what: string, answer: () => T): Promise<T> => {
    underWay.set(what, (underWay.get(what) ?? 0) + 1);
    if ((underWay.get(what) ?? 0) > 1) doubled.push(what);
    return clock.after(LATENCY_MS).then(() => {
      underWay.set(what, (underWay.get(what) ?? 0) - 1);
      return answer();
    });
  };
  server.on("fields", () => slowly("fields", () => fieldsAnswer(RUNS)));
  server.on("runs", () => slowly("runs", () => runsAnswer(RUNS, TABLE_FIELDS)));
  server.on("series", (asked) => {
    const cursor = String(tick);
    const part = { run: RUNS[0].hash, metric: { name: nameOf(asked), context: {} }, x: [tick], y: [1] };
    return slowly(nameOf(asked), () => encodeFrame([part], { cursor }));
  });
  const session = new Session();
  session.server.value = SERVER;
  const scope = new Scope(session, { repo: signal("demo"), query: signal(""), setQuery: () => undefined });
  const cards = Array.from({ length: CARDS }, (_, card) => {
    const metrics = [{ name: `m${card}`, context: {} }];
    const wish: SeriesRequest = { query: "", runs: null, metrics, x: "step", buckets: 100 };
    return seriesStore(scope, signal<SeriesRequest | null>(wish), () => placeOf(card));
  });
  const tableWish = signal<RunsWish>({ fields: TABLE_FIELDS, sort: null });
  const table = runsStore(scope, tableWish);
  for (let ms = 0; ms < SECONDS * 1000; ms += TICK_MS) {
    await clock.pass(TICK_MS);
    tick++;
    scope.tick.value = {
      cursor: String(tick),
      changed: [RUNS[0].hash],
      removed: [],
      total: 20,
      live: 1,
      indexing: null,
      read_only: null,
    };
    tableWish.value = { ...tableWish.value }; // as a page makes it from each answer of the fields
  }
  const stop = (): void => [...cards, table, scope].forEach((store) => store.stop());
  return { server, cards, table, doubled, tick: () => tick, stop };
}

test("every card gets its turn, and none asks while it is being answered", async () => {
  const clock = new FakeClock();
  try {
    const { server, cards, table, doubled, tick, stop } = await watched(clock, (order) => ({
      order,
      isOnScreen: true,
    }));
    assert.deepEqual([], doubled);
    assert.deepEqual(
      [],
      server.asked.filter(({ signal: abort }) => abort?.aborted === true),
    );
    const behind = cards.map(({ answer }) => tick() - Number(answer.value?.cursor ?? -1e9));
    const turns_s = CARDS / 4; // four requests at a time, of a second each
    assert.ok(Math.max(...behind) * TICK_MS <= (turns_s + 3) * 1000, `behind by ${behind.join(" ")} ticks`);
    assert.ok(
      cards.some(({ behindSince }) => ageOf(behindSince.value, clock.now_ms) !== null),
      "a card says its age",
    );
    assert.ok(table.table.value.hashes.length > 0);
    assert.ok(server.to("runs").length <= SECONDS, "the table is asked for once after the other");
    stop();
    await clock.pass(2 * LATENCY_MS); // what is under way ends, and leaves the queue to the next test
  } finally {
    clock.stop();
  }
});

test("cards on the screen come before those that were scrolled away", async () => {
  const clock = new FakeClock();
  try {
    const { cards, tick, stop } = await watched(clock, (order) => ({ order, isOnScreen: order >= CARDS - 4 }));
    const behind = cards.slice(-4).map(({ answer }) => tick() - Number(answer.value?.cursor ?? -1e9));
    assert.ok(Math.max(...behind) * TICK_MS <= 3 * LATENCY_MS, `behind by ${behind.join(" ")} ticks`);
    stop();
    await clock.pass(2 * LATENCY_MS); // what is under way ends, and leaves the queue to the next test
  } finally {
    clock.stop();
  }
});
