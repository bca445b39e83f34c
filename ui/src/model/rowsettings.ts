/// How the rows of a page are grouped. All of it is in the address.

import { computed } from "@preact/signals";
import { setting } from "./address";
import { parseColumns } from "./columns";
import type { GroupOrder } from "./runrows";

/// The text of the fields.
export const groupSetting = setting("group");

/// The fields whose values make groups of rows, the outermost first.
export const rowFields = computed(() => parseColumns(groupSetting.value));

/// `all`: groups are folded, but for those that were opened.
export const foldSetting = setting("fold");

const orderSetting = setting("by", "mean");

/// What groups are put in order by.
export const groupOrder = computed<GroupOrder>(() => {
  const order = orderSetting.value;
  return order === "best" || order === "std" || order === "n" ? order : "mean";
});
