/// Two groups, compared: the difference of a metric with its interval, how it was computed, and what weakens it.

import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { metricLabel, metricsOf, sequenceText } from "../model/fields";
import { formatNumber } from "../model/format";
import { compareGroups, verdict, type ComparedGroup, type GroupComparison } from "../model/groupcomparison";
import { groupKey, onlyGroups, type LegendGroup } from "../model/legend";
import type { Scene } from "../model/scene";
import { plural } from "../model/words";
import { Dialog } from "../widget/dialog";
import { Swatch } from "../widget/text";
import { useApp } from "./app";

const VALUES: readonly (readonly [string, string])[] = [
  ["best", "best value"],
  ["last", "last value"],
  ["min", "lowest value"],
  ["max", "highest value"],
  ["mean", "mean of all steps"],
];

function Select({
  label,
  value,
  options,
  onPick,
}: {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onPick: (value: string) => void;
}): JSX.Element {
  return (
    <label class="choice">
      <span>{label}</span>
      <select class="field" value={value} onChange={(event) => onPick(event.currentTarget.value)}>
        {options.map(([key, text]) => (
          <option key={key} value={key} selected={key === value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/// The two groups that are compared at first: those that alone are drawn, else the best two.
function firstTwo(groups: readonly LegendGroup[]): readonly [string, string] {
  const drawn = groups.filter((group) => onlyGroups.peek().includes(groupKey(group)));
  const [best, next] = drawn.length === 2 ? drawn : groups;
  return [groupKey(next ?? best), groupKey(best)];
}

function GroupLine({ name, color, group }: { name: string; color: string; group: ComparedGroup }): JSX.Element {
  const { count, mean, std, seeds } = group;
  return (
    <tr>
      <th scope="row">
        <Swatch color={color} /> {name}
      </th>
      <td>{formatNumber(mean)}</td>
      <td>{std === null ? "–" : formatNumber(std)}</td>
      <td>{count}</td>
      <td>{seeds ?? "–"}</td>
    </tr>
  );
}

/// The interval as a bar around its middle, with a mark at 0.
function IntervalBar({ low, high, difference }: { low: number; high: number; difference: number }): JSX.Element {
  const [from, to] = [Math.min(low, 0), Math.max(high, 0)];
  const air = 0.08 * (to - from || 1);
  const leftOf = (value: number): string => `${(100 * (value - from + air)) / (to - from + 2 * air)}%`;
  return (
    <div class="interval" aria-hidden="true">
      <i class="zero" style={{ left: leftOf(0) }} />
      <i class="reach" style={{ left: leftOf(low), width: `calc(${leftOf(high)} - ${leftOf(low)})` }} />
      <i class="middle" style={{ left: leftOf(difference) }} />
    </div>
  );
}

function Result({
  answer,
  a,
  b,
}: {
  answer: GroupComparison;
  a: LegendGroup | undefined;
  b: LegendGroup | undefined;
}): JSX.Element {
  const { low, high, difference, p } = answer;
  const hasInterval = low !== null && high !== null;
  return (
    <div class="comparison-of-groups">
      <p class="headline">
        {formatNumber(difference)}
        {hasInterval && (
          <span class="muted">
            {` ${100 * answer.confidence} % interval ${formatNumber(low)} to ${formatNumber(high)}`}
            {p !== null && ` · p ${p < 0.001 ? "< 0.001" : formatNumber(p)}`}
          </span>
        )}
      </p>
      {hasInterval && <IntervalBar low={low} high={high} difference={difference} />}
      <p>{verdict(answer)}</p>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">group</th>
            <th scope="col">mean</th>
            <th scope="col">std</th>
            <th scope="col">runs</th>
            <th scope="col">seeds</th>
          </tr>
        </thead>
        <tbody>
          <GroupLine name={a?.label ?? "first"} color={a?.color ?? ""} group={answer.a} />
          <GroupLine name={b?.label ?? "second"} color={b?.color ?? ""} group={answer.b} />
        </tbody>
      </table>
      {answer.warnings.map((warning) => (
        <p key={warning} class="warning" role="note">
          {warning}
        </p>
      ))}
      <p class="muted">{answer.explanation}</p>
    </div>
  );
}

/// The dialog.
export function GroupDialog({ scene, onClose }: { scene: Scene; onClose: () => void }): JSX.Element {
  const { scope } = useApp();
  const groups = scene.legend.value;
  const metrics = scope.fields.value ? metricsOf(scope.fields.value) : [];
  const rank = scene.target.value?.field;
  const ranked = rank?.[0] === "metric" ? sequenceText({ name: rank[1], context: rank[2] }) : "";
  const [first, second] = firstTwo(groups);
  const wish = useSignal({ a: first, b: second, metric: ranked || sequenceText(metrics[0]), value: "best" });
  const answer = useSignal<GroupComparison | null>(null);
  const error = useSignal("");
  const of = (key: string): LegendGroup | undefined => groups.find((group) => groupKey(group) === key);
  const set = (changes: Partial<typeof wish.value>): void => {
    wish.value = { ...wish.peek(), ...changes };
  };
  useSignalEffect(() => {
    const { a, b, metric, value } = wish.value;
    const [from, to] = [of(a), of(b)];
    const key = metrics.find((each) => sequenceText(each) === metric);
    if (!from || !to || !key) return undefined;
    const abort = new AbortController();
    const compared = async (): Promise<GroupComparison> => {
      const [first, second] = await Promise.all([from, to].map(scene.runsOf));
      return compareGroups(scope, key, value, first, second, abort.signal);
    };
    compared().then(
      (next) => {
        if (abort.signal.aborted) return;
        answer.value = next;
        error.value = "";
      },
      (reason: unknown) => {
        if (abort.signal.aborted) return;
        answer.value = null;
        error.value = reason instanceof Error ? reason.message : String(reason);
      },
    );
    return () => abort.abort();
  });
  const names = groups.map((group) => [groupKey(group), `${group.label} (${plural(group.count, "run")})`] as const);
  return (
    <Dialog title="Compare two groups" onClose={onClose}>
      <div class="group-dialog">
        <div class="choices">
          <Select label="from" value={wish.value.a} options={names} onPick={(a) => set({ a })} />
          <Select label="to" value={wish.value.b} options={names} onPick={(b) => set({ b })} />
          <Select
            label="metric"
            value={wish.value.metric}
            options={metrics.map((metric) => [sequenceText(metric), metricLabel(metric)])}
            onPick={(metric) => set({ metric })}
          />
          <Select label="of each run" value={wish.value.value} options={VALUES} onPick={(value) => set({ value })} />
        </div>
        {error.value && (
          <p class="warning" role="alert">
            {error.value}
          </p>
        )}
        {answer.value && <Result answer={answer.value} a={of(wish.value.a)} b={of(wish.value.b)} />}
      </div>
    </Dialog>
  );
}
