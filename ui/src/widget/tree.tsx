/// A tree of values, such as a run's params: folded, searched, and compared.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "./icon";

/// Any value that JSON has.
export type TreeValue = null | boolean | number | string | readonly TreeValue[] | { readonly [key: string]: TreeValue };

interface TreeProps {
  readonly value: { readonly [key: string]: TreeValue };
  readonly find: string;
  readonly after?: (path: readonly string[], value: TreeValue) => ComponentChildren;
}

const OPEN_CHILDREN = 40; // larger branches begin folded

function isBranch(value: TreeValue): value is { readonly [key: string]: TreeValue } | readonly TreeValue[] {
  return (
    value !== null &&
    typeof value === "object" &&
    Object.keys(value).length > 0 &&
    special(value) === null &&
    !isShortList(value)
  );
}

function isShortList(value: TreeValue): boolean {
  return Array.isArray(value) && value.length <= 8 && value.every((item) => item === null || typeof item !== "object");
}

/// The values that JSON has no form for, as text.
function special(value: TreeValue): string | null {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  const keys = Object.keys(value);
  if (keys.length !== 1) return null;
  const inner = (value as { readonly [key: string]: TreeValue })[keys[0]];
  if (keys[0] === "$float" || keys[0] === "$int") return String(inner);
  if (keys[0] === "$bytes" && typeof inner === "string") return `bytes (${Math.floor((inner.length * 3) / 4)})`;
  if (keys[0] === "$object") return "object";
  return null;
}

/// A leaf as text.
export function leafText(value: TreeValue): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value !== "object") return String(value);
  return special(value) ?? JSON.stringify(value);
}

function matches(key: string, value: TreeValue, find: string): boolean {
  if (find === "" || key.toLowerCase().includes(find)) return true;
  if (!isBranch(value)) return leafText(value).toLowerCase().includes(find);
  return Object.entries(value).some(([name, child]) => matches(name, child, find));
}

function kindOf(value: TreeValue): string {
  return value === null ? "none" : typeof value === "object" ? "json" : typeof value;
}

/// How many rows a tree of these values has at first, at most `most`.
export function treeRows(value: TreeProps["value"] | readonly TreeValue[], most: number): number {
  let rows = 0;
  for (const child of Object.values(value)) {
    if (rows >= most) return most;
    const size = isBranch(child) ? Object.keys(child).length : 0;
    rows += 1 + (size > 0 && size <= OPEN_CHILDREN ? treeRows(child as readonly TreeValue[], most - rows) : 0);
  }
  return Math.min(rows, most);
}

/// The tree; `find` keeps the branches with a key or a value that has this text.
export function Tree({ value, find, after }: TreeProps): JSX.Element {
  return (
    <div class="tree" role="tree">
      <Branch value={value} path={[]} find={find.toLowerCase()} after={after} />
    </div>
  );
}

function Branch({
  value,
  path,
  find,
  after,
}: { value: { readonly [key: string]: TreeValue } | readonly TreeValue[]; path: readonly string[] } & Pick<
  TreeProps,
  "find" | "after"
>): JSX.Element {
  return (
    <>
      {Object.entries(value)
        .filter(([key, child]) => matches(key, child, find))
        .map(([key, child]) => (
          <Node
            key={key}
            name={key}
            value={child}
            path={[...path, key]}
            find={key.toLowerCase().includes(find) ? "" : find}
            after={after}
          />
        ))}
    </>
  );
}

function Node({
  name,
  value,
  path,
  find,
  after,
}: { name: string; value: TreeValue; path: readonly string[] } & Pick<TreeProps, "find" | "after">): JSX.Element {
  const size = isBranch(value) ? Object.keys(value).length : 0;
  const [isOpen, setOpen] = useState(size <= OPEN_CHILDREN);
  const indent = { paddingLeft: `${(path.length - 1) * 16 + 4}px` };
  if (!isBranch(value)) {
    return (
      <div class="leaf" role="treeitem" style={indent}>
        <span class="key">{name}</span>
        <span class={`value ${kindOf(value)}`} title={leafText(value)}>
          {leafText(value)}
        </span>
        {after?.(path, value)}
      </div>
    );
  }
  const isShown = isOpen || find !== "";
  return (
    <>
      <button
        type="button"
        class={isShown ? "branch open" : "branch"}
        role="treeitem"
        aria-expanded={isShown}
        style={indent}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="chevron" size={12} />
        <span class="key">{name}</span>
        <span class="muted">{size}</span>
      </button>
      {isShown && <Branch value={value} path={path} find={find} after={after} />}
    </>
  );
}
