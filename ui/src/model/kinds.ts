/// The kinds of objects that the server knows, and what it calls them. No kind is named here.

import type { KindInfo, SequenceInfo } from "../wire/types";

/// The kinds in `api/info`, by what sequences store and by what queries call them.
export class Kinds {
  private readonly bySubject: ReadonlyMap<string, KindInfo>;
  private readonly byStored: ReadonlyMap<string, KindInfo>;

  constructor(readonly all: readonly KindInfo[]) {
    this.bySubject = new Map(all.map((kind) => [kind.subject, kind]));
    this.byStored = new Map(all.flatMap((kind) => kind.stored.map((stored) => [stored, kind] as const)));
  }

  /// What queries call the sequences that hold this, such as `images`; null for what no query can be about.
  readonly subjectOf = (stored: string): string | null => this.byStored.get(stored)?.subject ?? null;

  /// What pages call the objects of a subject, such as `Images`.
  titleOf(subject: string): string {
    return this.bySubject.get(subject)?.title ?? subject;
  }

  /// The subjects of some sequences, in the order of the kinds; without that of numbers.
  subjectsOf(sequences: readonly Pick<SequenceInfo, "kind">[]): readonly string[] {
    const subjects = new Set(sequences.map(({ kind }) => this.subjectOf(kind)));
    return this.all.map(({ subject }) => subject).filter((subject) => subject !== "metric" && subjects.has(subject));
  }
}
