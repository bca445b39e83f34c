/// The objects that a request asks for, from a page in one file.

import type { ArchivedAnswers } from "./blocks";
import { isAskedFor } from "./series";
import type { ObjectItem, ObjectsAnswer, ObjectSequence, ObjectsRequest } from "../wire/objects";

const COUNT = 8;
const INDEX_COUNT = 16;
const LIMIT = 500;

/// At most `count` of the steps, evenly spread, with the last.
function spread(steps: readonly number[], count: number): readonly number[] {
  if (steps.length <= count) return steps;
  if (count === 1) return steps.slice(-1);
  return Array.from({ length: count }, (_, i) => steps[Math.floor((i * (steps.length - 1)) / (count - 1))]);
}

/// The steps of a sequence that a request is about; the archive may have fewer than were recorded.
function chosenSteps(steps: readonly number[], wish: ObjectsRequest["steps"]): ReadonlySet<number> {
  if ("at" in wish) {
    const before = steps.filter((step) => wish.at === null || step <= wish.at);
    return new Set(before.slice(-1));
  }
  const inside = steps.filter((step) => step >= (wish.from ?? -Infinity) && step <= (wish.to ?? Infinity));
  return new Set(spread(inside, wish.count ?? COUNT));
}

/// The answer to a request for objects.
export function objectsAnswer(answers: ArchivedAnswers, request: ObjectsRequest): ObjectsAnswer {
  const all = answers.objects[request.type] ?? { runs: [], sequences: [], items: [] };
  const only = request.runs ? new Set(request.runs) : null;
  const rank = new Map(answers.runs.hash.map((hash, index) => [hash, index]));
  const indices = [...all.sequences.keys()].filter((index) => {
    const sequence = all.sequences[index];
    return (
      (!only || only.has(all.runs[sequence.run])) && (!request.sequences || isAskedFor(sequence, request.sequences))
    );
  });
  const rankOf = (index: number): number => rank.get(all.runs[all.sequences[index].run]) ?? Infinity;
  indices.sort((a, b) => rankOf(a) - rankOf(b) || a - b);
  const { from, count } = request.index ?? { from: 0, count: INDEX_COUNT };
  const runs: string[] = [];
  const sequences: ObjectSequence[] = [];
  const items: ObjectItem[] = [];
  const itemsBySequence = new Map<number, ObjectItem[]>();
  for (const item of all.items) {
    const list = itemsBySequence.get(item.sequence);
    if (list) list.push(item);
    else itemsBySequence.set(item.sequence, [item]);
  }
  for (const index of indices.slice(0, request.limit ?? LIMIT)) {
    const sequence = all.sequences[index];
    const hash = all.runs[sequence.run];
    if (runs[runs.length - 1] !== hash) runs.push(hash);
    const own = itemsBySequence.get(index) ?? [];
    const steps = chosenSteps([...new Set(own.map(({ step }) => step))], request.steps);
    for (const item of own)
      if (steps.has(item.step) && item.index >= from && item.index < from + count)
        items.push({ ...item, sequence: sequences.length });
    sequences.push({ ...sequence, run: runs.length - 1 });
  }
  return { cursor: "file", total: indices.length, runs, sequences, items };
}
