/// What stands in place of the query box in a page in one file: what the file has, and what had no room in it.

import type { JSX } from "preact";
import { formatTime } from "../model/format";
import { plural } from "../model/words";
import type { ArchiveInfo } from "../wire/types";
import { Icon } from "../widget/icon";
import { Popover } from "../widget/popover";
import { useApp } from "./app";

/// The box. A query in the address, as of a link into other pages, is told as wrong, and can be cleared.
export function FileBox({ archive }: { archive: ArchiveInfo }): JSX.Element {
  const { scope } = useApp();
  const error = scope.queryError.value;
  const count = scope.matches.value?.count;
  return (
    <div class={error && scope.query.value !== "" ? "query wrong" : "query"}>
      <Icon name="search" size={14} />
      <span class="host filebox">
        {archive.query === "" ? "All runs" : archive.query} · written {formatTime(archive.written_at)}
        {archive.is_whole ? "" : " · about 2,000 points a curve"}
      </span>
      {archive.left_out.length > 0 && (
        <Popover button="left out" label="What had no room in this file" buttonClass="pill" align="right">
          {() => (
            <ul class="filebox-list">
              {archive.left_out.map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          )}
        </Popover>
      )}
      {count !== undefined && <span class="count">{plural(count, "run")}</span>}
      {error && scope.query.value !== "" && (
        <div class="query-error" role="alert">
          <Icon name="warning" size={14} />
          <span>{error.message}</span>
          <button type="button" class="pill" onClick={() => scope.setQuery("")}>
            Clear the query
          </button>
        </div>
      )}
    </div>
  );
}
