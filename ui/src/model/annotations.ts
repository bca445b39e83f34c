/// What people wrote at a step, such as “lr dropped here”: small documents that the server keeps for everybody, drawn
/// over the curves of one metric or of all.

import { documentId, type Documents } from "./documents";
import { sequenceText } from "./fields";
import type { Json, SequenceKey, StoredDocument } from "../wire/types";

/// An annotation. `metric`: the metric that it is about; null: all.
export interface Annotation {
  readonly id: string;
  readonly step: number;
  readonly text: string;
  readonly metric: string | null;
}

const KIND = "annotation";

/// The annotations among documents, by step.
export function annotationsOf(documents: readonly StoredDocument[] | null): readonly Annotation[] {
  return (documents ?? [])
    .flatMap(({ kind, id, body }): Annotation[] => {
      const { step, text, metric } = body;
      if (kind !== KIND || typeof step !== "number" || typeof text !== "string") return [];
      return [{ id, step, text, metric: typeof metric === "string" ? metric : null }];
    })
    .sort((a, b) => a.step - b.step);
}

/// The annotations of a card with these metrics.
export function annotationsFor(list: readonly Annotation[], metrics: readonly SequenceKey[]): readonly Annotation[] {
  const texts = new Set(metrics.map(sequenceText));
  return list.filter(({ metric }) => metric === null || texts.has(metric));
}

/// Keeps an annotation; returns whether the server has it.
export async function annotate(
  documents: Documents,
  step: number,
  text: string,
  metric: SequenceKey | null,
): Promise<boolean> {
  const taken = new Set((documents.all.peek() ?? []).filter(({ kind }) => kind === KIND).map(({ id }) => id));
  const body: { readonly [key: string]: Json } = { step, text, metric: metric && sequenceText(metric) };
  return (await documents.save(KIND, documentId(`${step} ${text}`, taken), null, body)) !== null;
}

/// Removes an annotation.
export function removeAnnotation(documents: Documents, { id, text }: Annotation): Promise<void> {
  return documents.drop(KIND, id, `“${text}”`);
}
