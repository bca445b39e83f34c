/// The pill that chooses sequences of objects by name.

import type { JSX } from "preact";
import { change, setting } from "../model/address";
import { joinTexts, splitTexts } from "../model/columns";
import { metricLabel, sequenceText } from "../model/fields";
import type { SequenceKey } from "../wire/types";
import { Picker, Popover } from "../widget/popover";

const chosenSetting = setting("seq");

/// The sequences in the address that there are; null: all.
export function chosenSequences(all: readonly SequenceKey[]): readonly SequenceKey[] | null {
  const texts = splitTexts(chosenSetting.value);
  const chosen = all.filter((key) => texts.includes(sequenceText(key)));
  return chosen.length === 0 ? null : chosen.map(({ name, context }) => ({ name, context }));
}

/// The pill; nothing where there is no choice.
export function SequencePill({ all }: { all: readonly SequenceKey[] }): JSX.Element | null {
  if (all.length < 2) return null;
  const chosen = chosenSequences(all);
  const texts = new Set((chosen ?? []).map(sequenceText));
  const toggle = (text: string): void => {
    const next = texts.has(text) ? [...texts].filter((other) => other !== text) : [...texts, text];
    change({ seq: next.length === 0 ? null : joinTexts(next), step: null });
  };
  const label = chosen === null ? "all" : chosen.length === 1 ? metricLabel(chosen[0]) : String(chosen.length);
  return (
    <Popover
      button={
        <>
          sequences <b>{label}</b>
        </>
      }
      label="Choose sequences by name"
      buttonClass={chosen === null ? "pill" : "pill on"}
    >
      {() => (
        <Picker
          choices={all.map((key) => ({ value: sequenceText(key), label: metricLabel(key) }))}
          chosen={texts}
          placeholder="Sequences…"
          onPick={toggle}
          isMany
        />
      )}
    </Popover>
  );
}
