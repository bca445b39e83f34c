/// Names of runs where there is little room: what all of them begin with matters least, and their ends most.

const SEPARATOR = /[-_/. :]/;
const PREFIX_LEAST = 3;
const END_CHARS = 8;
const END_CHARS_MOST = 14;
const WORD_BREAK = /[-_/ :]/; // a dot may be within a number
const WHOLE_CHARS = 18;

/// What all names begin with, up to a separator; empty if that is short, or if there is one name only.
export function commonPrefix(names: readonly string[]): string {
  const [first] = names;
  if (first === undefined || names.every((name) => name === first)) return "";
  let length = first.length;
  for (const name of names) {
    length = Math.min(length, name.length);
    while (length > 0 && name.slice(0, length) !== first.slice(0, length)) length--;
  }
  while (length > 0 && !SEPARATOR.test(first[length - 1])) length--;
  return length < PREFIX_LEAST ? "" : first.slice(0, length);
}

/// The parts of a name: what is common, the middle that may be cut, and the end that never is.
export interface NameParts {
  readonly prefix: string;
  readonly middle: string;
  readonly end: string;
}

/// Where the end begins: with a word, unless that word is long.
function endStart(characters: readonly string[]): number {
  const least = Math.max(0, characters.length - END_CHARS);
  for (let start = least; start > 0 && characters.length - start <= END_CHARS_MOST; start--)
    if (WORD_BREAK.test(characters[start]) || WORD_BREAK.test(characters[start - 1])) return start;
  return least;
}

/// Cuts a name into its parts. A short one has no end of its own.
export function namePartsOf(name: string, prefix: string): NameParts {
  const common = prefix !== "" && name.startsWith(prefix) && name.length > prefix.length ? prefix : "";
  const characters = [...name.slice(common.length)]; // half of a pair of surrogates is no character
  const end = name.length <= WHOLE_CHARS ? "" : characters.slice(endStart(characters)).join("");
  return { prefix: common, middle: characters.join("").slice(0, characters.join("").length - end.length), end };
}
