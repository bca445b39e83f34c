/// What changed from one text to another, word by word: a longest common subsequence.

export interface Change {
  readonly kind: "same" | "old" | "new";
  readonly text: string;
}

const MOST_CELLS = 4_000_000; // over this the texts are called different as a whole

/// The words and the spaces of a text.
function words(text: string): readonly string[] {
  return text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
}

function put(changes: { kind: Change["kind"]; text: string }[], kind: Change["kind"], text: string): void {
  const last = changes[changes.length - 1];
  if (last?.kind === kind) last.text += text;
  else if (text !== "") changes.push({ kind, text });
}

/// The changes that lead from `from` to `to`. Cost: O(words × words) of what is not equal at both ends.
export function diffWords(from: string, to: string): readonly Change[] {
  const [a, b] = [words(from), words(to)];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const [p, q] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const changes: { kind: Change["kind"]; text: string }[] = [];
  put(changes, "same", a.slice(0, head).join(""));
  if (p.length * q.length > MOST_CELLS) {
    put(changes, "old", p.join(""));
    put(changes, "new", q.join(""));
  } else {
    const width = q.length + 1;
    const length = new Int32Array((p.length + 1) * width);
    for (let i = p.length - 1; i >= 0; i--) {
      for (let j = q.length - 1; j >= 0; j--) {
        length[i * width + j] =
          p[i] === q[j]
            ? length[(i + 1) * width + j + 1] + 1
            : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
      }
    }
    let [i, j] = [0, 0];
    while (i < p.length || j < q.length) {
      if (i < p.length && j < q.length && p[i] === q[j]) {
        put(changes, "same", p[i]);
        i++;
        j++;
      } else if (j >= q.length || (i < p.length && length[(i + 1) * width + j] >= length[i * width + j + 1]))
        put(changes, "old", p[i++]);
      else put(changes, "new", q[j++]);
    }
  }
  put(changes, "same", tail > 0 ? a.slice(a.length - tail).join("") : "");
  return changes;
}
