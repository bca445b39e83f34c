/// A button that hands runs out as a file, in any of the forms the server knows.

import type { JSX } from "preact";
import { here } from "../model/scope";
import type { RunsRequest } from "../wire/types";
import { Icon } from "../widget/icon";
import { MenuItems, Popover } from "../widget/popover";
import { DATA_FORMATS, exportUrl } from "./chartexport";

/// More runs than any repository is shown with: the server's own limit.
export const MOST_EXPORTED = 100_000;

export function ExportMenu({
  label,
  request,
  buttonClass = "pill",
}: {
  label: string;
  request: () => RunsRequest;
  buttonClass?: string;
}): JSX.Element {
  return (
    <Popover
      button={
        <>
          <Icon name="download" size={14} />
          Export
        </>
      }
      label={label}
      buttonClass={buttonClass}
      align="right"
    >
      {(close) => (
        <MenuItems
          close={close}
          items={DATA_FORMATS.map(([format, name]) => ({
            label: name,
            icon: "download",
            hint: `.${format}`,
            run: () => location.assign(exportUrl(here, "runs", format, request())),
          }))}
        />
      )}
    </Popover>
  );
}
