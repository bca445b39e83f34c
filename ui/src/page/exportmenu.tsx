/// A button that saves runs as a file, in any of the forms that the server has.

import type { JSX } from "preact";
import type { Session } from "../model/session";
import type { RunsRequest } from "../wire/types";
import { Icon } from "../widget/icon";
import { MenuItems, Popover } from "../widget/popover";
import { useApp } from "./app";
import { DATA_FORMATS, exportUrl, WHOLE_FORMATS, type WholeFormat } from "./chartexport";

/// A request for as many runs as the server exports.
export function exportedRuns(session: Session, request: Omit<RunsRequest, "limit">): RunsRequest {
  return { ...request, limit: session.server.peek()?.limits.runs ?? 0 };
}

/// The forms that hold runs as a whole, as far as the server writes them.
function wholeFormats(session: Session): readonly (readonly [WholeFormat, string])[] {
  return WHOLE_FORMATS.filter(([format]) => session.server.value?.exports?.includes(format));
}

/// The button.
export function ExportMenu({
  label,
  request,
  buttonClass = "pill",
}: {
  label: string;
  request: () => RunsRequest;
  buttonClass?: string;
}): JSX.Element | null {
  const { scope, session } = useApp();
  if (session.server.value?.archive) return null; // a file has no server that writes files
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
          items={[...DATA_FORMATS, ...wholeFormats(session)].map(([format, name]) => ({
            label: name,
            icon: "download",
            hint: `.${format}`,
            run: () => location.assign(exportUrl(scope, "runs", format, request())),
          }))}
        />
      )}
    </Popover>
  );
}
