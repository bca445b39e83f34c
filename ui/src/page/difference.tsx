/// How a text differs from another one, word by word.

import type { JSX } from "preact";
import { diffWords } from "../model/worddiff";

/// The text `to`, with what `from` has not marked as new, and what it had besides as old.
export function Difference({ from, to }: { from: string; to: string }): JSX.Element {
  return (
    <>
      {diffWords(from, to).map(({ kind, text }, i) =>
        kind === "same" ? (
          <span key={i}>{text}</span>
        ) : kind === "new" ? (
          <ins key={i}>{text}</ins>
        ) : (
          <del key={i}>{text}</del>
        ),
      )}
    </>
  );
}
